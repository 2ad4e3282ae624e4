//! The checks as they are printed, and what they add up to.

use super::check::{Check, Outcome};
use crate::{failure::Failure, output::Output};
use serde_json::{Value, json};
use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// The checks that were made, in the order in which they are told.
#[derive(Debug)]
pub(super) struct Report {
    output: Output,
    /// Whether warnings fail.
    strict: bool,
    checks: Vec<Check>,
}

impl Report {
    /// A report without checks yet.
    pub(super) fn new(output: Output, strict: bool) -> Self {
        Self { output, strict, checks: Vec::new() }
    }

    /// Takes a check; for people it is printed at once.
    pub(super) fn add(&mut self, check: Check) {
        if !self.output.json {
            print(line(&check));
        }
        self.checks.push(check);
    }

    /// Whether a check was made and did not fail.
    pub(super) fn has_passed(&self, name: &str) -> bool {
        let passed = |check: &Check| matches!(check.finding.outcome, Outcome::Passed | Outcome::Warning);
        self.checks.iter().any(|check| check.name == name && passed(check))
    }

    /// Prints what it adds up to; a failure where it is no go.
    pub(super) fn end(&self) -> Result<(), Failure> {
        self.print_json();
        let go = self.verdict();
        if !self.output.json {
            print(summary(go.is_ok(), &self.checks));
        }
        go
    }

    /// Prints the checks for programs, if it is for them.
    pub(super) fn print_json(&self) {
        if self.output.json {
            print(self.json());
        }
    }

    /// A failure if a check failed; if it is strict, also if there is a warning.
    fn verdict(&self) -> Result<(), Failure> {
        let checks = |number: usize| format!("{number} {}", if number == 1 { "check" } else { "checks" });
        match (self.count(Outcome::Failed), self.count(Outcome::Warning)) {
            (0, warnings) if warnings > 0 && self.strict => {
                Err(Failure::Found(format!("no go: {} ended with a warning, and --strict", checks(warnings))))
            }
            (0, _) => Ok(()),
            (failed, _) => Err(Failure::Found(format!("no go: {} failed", checks(failed)))),
        }
    }

    fn count(&self, outcome: Outcome) -> usize {
        count(&self.checks, outcome)
    }

    fn json(&self) -> Value {
        json!({
            "passed": self.count(Outcome::Passed),
            "failed": self.count(Outcome::Failed),
            "warnings": self.count(Outcome::Warning),
            "skipped": self.count(Outcome::Skipped),
            "checks": self.checks,
        })
    }
}

fn count(checks: &[Check], outcome: Outcome) -> usize {
    checks.iter().filter(|check| check.finding.outcome == outcome).count()
}

/// A line on standard output. A reader that has gone ends nothing: what was made is still to be removed.
fn print(line: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

fn line(check: &Check) -> String {
    let mark = match check.finding.outcome {
        Outcome::Passed => '✓',
        Outcome::Warning => '!',
        Outcome::Failed => '✗',
        Outcome::Skipped => '-',
    };
    let skipped = if check.finding.outcome == Outcome::Skipped { "skipped: " } else { "" };
    let line = format!("{mark} {:20} {skipped}{}", check.name, check.finding.detail);
    match &check.finding.remedy {
        Some(remedy) => format!("{line}\n{:22} → {remedy}", ""),
        None => line,
    }
}

fn summary(is_go: bool, made: &[Check]) -> String {
    let [passed, failed, warnings, skipped] =
        [Outcome::Passed, Outcome::Failed, Outcome::Warning, Outcome::Skipped]
            .map(|outcome| count(made, outcome));
    let verdict = if is_go { "go" } else { "no go" };
    let seen = if skipped == 0 { "" } else { ", as far as it could be looked at" };
    format!("\n{verdict}{seen}: {passed} passed, {failed} failed, {warnings} warnings, {skipped} skipped")
}

#[cfg(test)]
mod tests {
    use super::{super::check::Finding, *};

    fn report(strict: bool, findings: &[(&'static str, Finding)]) -> Report {
        let checks = findings.iter().cloned();
        let checks = checks.map(|(name, finding)| Check { name, finding, seconds: 0.5 }).collect();
        Report { output: Output { json: true }, strict, checks }
    }

    #[test]
    fn warnings_fail_only_what_is_strict() {
        let warned = [("a", Finding::passed("well")), ("b", Finding::warning("so so", "see to it"))];
        assert!(report(false, &warned).verdict().is_ok());
        assert_eq!(report(true, &warned).verdict().unwrap_err().exit_code(), 1);
        let failed = report(false, &[("a", Finding::failed("broken", "mend it"))]);
        assert_eq!(failed.verdict().unwrap_err().to_string(), "no go: 1 check failed");
        assert!(report(true, &[("a", Finding::skipped("no key"))]).verdict().is_ok());
    }

    #[test]
    fn a_check_is_a_line_and_its_remedy_another() {
        let failed = report(false, &[("stream", Finding::failed("it is gone", "deploy again"))]);
        assert_eq!(
            line(&failed.checks[0]),
            "✗ stream               it is gone\n                       → deploy again"
        );
        assert_eq!(summary(false, &failed.checks), "\nno go: 0 passed, 1 failed, 0 warnings, 0 skipped");
        assert_eq!(failed.json()["checks"][0]["seconds"], 0.5);
    }
}
