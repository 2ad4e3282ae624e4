//! The six functions.

use super::{
    Doctor,
    check::{Finding, Found, answer_if_any},
    stack::stack,
};
use aws_sdk_lambda::{
    operation::get_function_configuration::GetFunctionConfigurationOutput, types::TracingMode,
};
use futures::future::try_join_all;
use sbe_client::FUNCTIONS;

/// What counts of a function.
#[derive(Debug, Default)]
struct Function {
    name: &'static str,
    is_there: bool,
    /// Why it cannot be invoked.
    trouble: Option<String>,
    is_changing: bool,
    release: Option<String>,
    /// Whether X-Ray samples it.
    is_traced: bool,
}

/// They are there and can be invoked.
pub(super) async fn functions(doctor: &Doctor) -> Found {
    Ok(judge(&read(doctor).await?))
}

/// They are of the system's release.
pub(super) async fn release(doctor: &Doctor) -> Found {
    Ok(judge_release(&doctor.system.release, &read(doctor).await?))
}

/// X-Ray samples them, if the stack was told to.
pub(super) async fn tracing(doctor: &Doctor) -> Found {
    let traces = stack(doctor).await?.parameter("Tracing")? == "1";
    Ok(judge_tracing(traces, &read(doctor).await?))
}

/// A variable of a function's environment; `None` where it or the function is not there.
pub(super) async fn variable(doctor: &Doctor, function: &str, name: &str) -> Result<Option<String>, Finding> {
    let configuration = configuration(doctor, function).await?;
    Ok(configuration.as_ref().and_then(|of| value(of, name)))
}

async fn read(doctor: &Doctor) -> Result<Vec<Function>, Finding> {
    try_join_all(FUNCTIONS.map(async |name| {
        let found = configuration(doctor, name).await?;
        Ok(found.map_or(Function { name, ..Function::default() }, |found| function(name, &found)))
    }))
    .await
}

async fn configuration(
    doctor: &Doctor,
    name: &str,
) -> Result<Option<GetFunctionConfigurationOutput>, Finding> {
    let get = doctor.system.lambda().get_function_configuration().function_name(doctor.system.live(name));
    answer_if_any("lambda:GetFunctionConfiguration", get.send().await)
}

fn value(configuration: &GetFunctionConfigurationOutput, name: &str) -> Option<String> {
    configuration.environment()?.variables()?.get(name).cloned()
}

/// A function that nobody invokes for weeks is `Inactive`, and wakes up when it is invoked.
fn function(name: &'static str, found: &GetFunctionConfigurationOutput) -> Function {
    let state = found.state().map_or("Active", |state| state.as_str());
    let update = found.last_update_status().map_or("Successful", |status| status.as_str());
    let trouble = match (state, update) {
        ("Failed", _) => Some("it is Failed".to_owned()),
        (_, "Failed") => Some("its last update is Failed".to_owned()),
        _ => None,
    };
    let is_changing = state == "Pending" || update == "InProgress";
    let is_traced = found.tracing_config().and_then(|of| of.mode()) == Some(&TracingMode::Active);
    Function { name, is_there: true, trouble, is_changing, release: value(found, "RELEASE"), is_traced }
}

fn judge(functions: &[Function]) -> Finding {
    let fault = |function: &Function| match &function.trouble {
        _ if !function.is_there => Some(format!("there is no {}", function.name)),
        Some(trouble) => Some(format!("{}: {trouble}", function.name)),
        None => None,
    };
    let faults: Vec<String> = functions.iter().filter_map(fault).collect();
    if !faults.is_empty() {
        return Finding::failed(faults.join("; "), "deploy the template again");
    }
    let changing: Vec<&str> = functions.iter().filter(|of| of.is_changing).map(|of| of.name).collect();
    if !changing.is_empty() {
        return Finding::warning(format!("being changed: {}", changing.join(", ")), "wait, and look again");
    }
    Finding::passed(format!("all {} are there and can be invoked", functions.len()))
}

fn judge_release(release: &str, functions: &[Function]) -> Finding {
    let fault = |function: &Function| match &function.release {
        Some(of) if of == release => None,
        Some(of) => Some(format!("{} is of release {of}", function.name)),
        None => Some(format!("{} does not say its release", function.name)),
    };
    let there = || functions.iter().filter(|function| function.is_there);
    let faults: Vec<String> = there().filter_map(fault).collect();
    let well = format!("all that are there are of release {release}");
    let remedy = format!("deploy all of release {release} at once: they hand work to each other");
    Finding::of_faults(&faults, well, remedy)
}

fn judge_tracing(traces: bool, functions: &[Function]) -> Finding {
    let others = functions.iter().filter(|function| function.is_there && function.is_traced != traces);
    let others: Vec<&str> = others.map(|function| function.name).collect();
    let says = |traces| if traces { "samples" } else { "does not sample" };
    if others.is_empty() {
        return Finding::passed(format!("X-Ray {} them", says(traces)));
    }
    let detail = format!("X-Ray {} {}, against the stack's Tracing", says(!traces), others.join(", "));
    // An older version that is live again has its own setting.
    Finding::warning(detail, "make deploy publishes what was changed")
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};

    fn function(name: &'static str, release: Option<&str>) -> Function {
        let release = release.map(ToOwned::to_owned);
        Function { name, is_there: true, release, ..Function::default() }
    }

    #[test]
    fn a_function_that_is_not_there_is_told_once() {
        let functions = [function("a", Some("1.0.0")), Function { name: "b", ..Function::default() }];
        assert_eq!(judge(&functions).detail, "there is no b");
        assert_eq!(judge_release("1.0.0", &functions).detail, "all that are there are of release 1.0.0");
    }

    #[test]
    fn a_function_that_is_being_changed_is_no_failure() {
        let changing = Function { is_changing: true, ..function("a", None) };
        assert_eq!(judge(&[changing]).outcome, Outcome::Warning);
        let failed = Function { trouble: Some("its last update is Failed".into()), ..function("a", None) };
        assert_eq!(judge(&[failed]).detail, "a: its last update is Failed");
    }

    #[test]
    fn every_function_says_the_release_of_the_stack() {
        let functions = [function("a", Some("1.0.0")), function("b", Some("0.9.0")), function("c", None)];
        let finding = judge_release("1.0.0", &functions);
        assert_eq!(finding.detail, "b is of release 0.9.0; c does not say its release");
    }

    #[test]
    fn functions_are_sampled_as_the_stack_was_told() {
        let traced = |is_traced| Function { is_traced, ..function("a", None) };
        assert_eq!(judge_tracing(true, &[traced(true)]).outcome, Outcome::Passed);
        assert_eq!(judge_tracing(false, &[traced(false)]).outcome, Outcome::Passed);
        let finding = judge_tracing(true, &[traced(true), traced(false)]);
        assert_eq!(finding.outcome, Outcome::Warning);
        assert_eq!(finding.detail, "X-Ray does not sample a, against the stack's Tracing");
        let gone = Function { is_there: false, ..traced(false) };
        assert_eq!(judge_tracing(true, &[gone]).outcome, Outcome::Passed, "it is told elsewhere");
    }
}
