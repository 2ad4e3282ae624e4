//! The stack: what it was deployed with, by which settings are judged.

use super::{
    Doctor,
    check::{Finding, answer},
};
use std::{collections::BTreeMap, str::FromStr};

/// The stack.
#[derive(Debug)]
pub(super) struct Stack {
    /// Its name.
    pub name: String,
    parameters: BTreeMap<String, String>,
}

/// The system's stack, which is asked for once.
pub(super) async fn stack(doctor: &Doctor) -> Result<&Stack, Finding> {
    doctor.stack.get_or_init(|| read(doctor)).await.as_ref().map_err(Clone::clone)
}

async fn read(doctor: &Doctor) -> Result<Stack, Finding> {
    let found = answer("cloudformation:DescribeStacks", doctor.system.stack().await)?;
    let Some(found) = found else {
        let detail = format!("there is no stack of environment {}", doctor.system.env);
        return Err(Finding::skipped(detail));
    };
    let named = found.parameters().iter().filter_map(|parameter| {
        Some((parameter.parameter_key()?.to_owned(), parameter.parameter_value()?.to_owned()))
    });
    Ok(Stack { parameters: named.collect(), name: found.stack_name.unwrap_or_default() })
}

impl Stack {
    /// A parameter that it was deployed with.
    pub(super) fn parameter(&self, name: &str) -> Result<&str, Finding> {
        let value = self.parameters.get(name).map(String::as_str);
        value.ok_or_else(|| Finding::skipped(format!("stack {} has no parameter {name}", self.name)))
    }

    /// As [`Self::parameter`], for a number.
    pub(super) fn number<N: FromStr>(&self, name: &str) -> Result<N, Finding> {
        let text = self.parameter(name)?;
        text.parse().map_err(|_| Finding::skipped(format!("parameter {name} is {text}, which is no number")))
    }

    /// Whether its tables are kept, as the template's condition `KeepsData` says.
    pub(super) fn keeps_data(&self) -> Result<bool, Finding> {
        Ok(match self.parameter("KeepData")? {
            "auto" => self.parameter("Env")? != "dev",
            keep => keep == "always",
        })
    }

    /// Why its tables are kept, or not.
    pub(super) fn why(&self) -> String {
        let of = |name| format!("{name}={}", self.parameter(name).unwrap_or("?"));
        format!("{} and {}", of("KeepData"), of("Env"))
    }

    /// A stack with these parameters.
    #[cfg(test)]
    pub(super) fn with(parameters: &[(&str, &str)]) -> Self {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { name: "a-stack".into(), parameters: parameters.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};

    /// Docs and template: "KeepData=auto and Env=dev, or KeepData=never".
    #[test]
    fn data_is_kept_by_the_rule_of_the_template() {
        let keeps = |keep, env| Stack::with(&[("KeepData", keep), ("Env", env)]).keeps_data().unwrap();
        let both = |keep| ["dev", "prod"].map(|env| keeps(keep, env));
        assert_eq!([both("auto"), both("always"), both("never")], [[false, true], [true; 2], [false; 2]]);
        let template = include_str!("../../../../../template.yaml");
        let rule = "  KeepsData: !Or\n    - !Equals [!Ref KeepData, always]\n    - !And [!Equals [!Ref KeepData, auto], !Not [!Equals [!Ref Env, dev]]]\n";
        assert!(template.contains(rule), "the template has another rule by now");
    }

    #[test]
    fn what_the_stack_does_not_say_is_skipped() {
        let stack = Stack::with(&[("SenderConcurrency", "many")]);
        assert_eq!(stack.keeps_data().unwrap_err().outcome, Outcome::Skipped);
        assert_eq!(stack.number::<i64>("SenderConcurrency").unwrap_err().outcome, Outcome::Skipped);
    }
}
