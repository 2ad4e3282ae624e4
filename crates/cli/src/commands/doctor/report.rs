//! The checks as they are printed, and what they add up to.

use super::check::{Check, Outcome};
use crate::{
    failure::Failure,
    output::{Output, print},
};
use serde_json::{Value, json};

/// The checks that were made, in the order in which they are told.
#[derive(Debug)]
pub(super) struct Report {
    output: Output,
    checks: Vec<Check>,
}

impl Report {
    /// A report without checks yet.
    pub(super) fn new(output: Output) -> Self {
        Self { output, checks: Vec::new() }
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

    /// Prints what it adds up to.
    pub(super) fn print(&self) {
        self.output.result(&self.json(), |_| summary(&self.checks));
    }

    /// A failure if a check failed; if `strict`, also if there is a warning.
    pub(super) fn verdict(&self, strict: bool) -> Result<(), Failure> {
        let failed = self.count(Outcome::Failed);
        let warnings = if strict { self.count(Outcome::Warning) } else { 0 };
        match (failed, warnings) {
            (0, 0) => Ok(()),
            (failed, 0) => Err(Failure::Found(format!("no go: {}", checks(failed, "failed")))),
            (0, warnings) => Err(Failure::Found(format!(
                "no go: {} with a warning, and --strict",
                checks(warnings, "ended")
            ))),
            (failed, _) => Err(Failure::Found(format!("no go: {}", checks(failed, "failed")))),
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

fn checks(number: usize, ended: &str) -> String {
    format!("{number} {} {ended}", if number == 1 { "check" } else { "checks" })
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

fn summary(made: &[Check]) -> String {
    let [passed, failed, warnings, skipped] =
        [Outcome::Passed, Outcome::Failed, Outcome::Warning, Outcome::Skipped]
            .map(|outcome| count(made, outcome));
    let verdict = if failed == 0 { "go" } else { "no go" };
    let seen = if skipped == 0 { "" } else { ", as far as it could be looked at" };
    format!("\n{verdict}{seen}: {passed} passed, {failed} failed, {warnings} warnings, {skipped} skipped")
}

#[cfg(test)]
mod tests {
    use super::{super::check::Finding, *};

    fn report(findings: &[(&'static str, Finding)]) -> Report {
        let checks = findings.iter().cloned();
        let checks = checks.map(|(name, finding)| Check { name, finding, seconds: 0.5 }).collect();
        Report { output: Output { json: true }, checks }
    }

    #[test]
    fn warnings_fail_only_what_is_strict() {
        let warned = report(&[("a", Finding::passed("well")), ("b", Finding::warning("so so", "see to it"))]);
        assert!(warned.verdict(false).is_ok());
        assert_eq!(warned.verdict(true).unwrap_err().exit_code(), 1);
        let failed = report(&[("a", Finding::failed("broken", "mend it"))]);
        assert_eq!(failed.verdict(false).unwrap_err().to_string(), "no go: 1 check failed");
        assert!(report(&[("a", Finding::skipped("no key"))]).verdict(true).is_ok());
    }

    #[test]
    fn a_check_is_a_line_and_its_remedy_another() {
        let failed = report(&[("stream", Finding::failed("it is gone", "deploy again"))]);
        assert_eq!(
            line(&failed.checks[0]),
            "✗ stream               it is gone\n                       → deploy again"
        );
        assert_eq!(summary(&failed.checks), "\nno go: 0 passed, 1 failed, 0 warnings, 0 skipped");
        assert_eq!(failed.json()["checks"][0]["seconds"], 0.5);
    }
}
