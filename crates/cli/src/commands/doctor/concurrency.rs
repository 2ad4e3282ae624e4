//! What is reserved of the account's concurrency for functions, which is their ceiling too.

use super::{
    Doctor,
    check::{Finding, Found, answer_if_any},
    stack::stack,
};
use futures::future::try_join_all;
use sbe_client::FUNCTIONS;

/// The functions that can have a ceiling, by the parameter that sets it.
const BOUND: [(&str, &str); 2] =
    [("sqs-sender", "SenderConcurrency"), ("user-history-adder", "HistoryConcurrency")];

/// A function with what is reserved for it, and what should be; `None` is nothing.
#[derive(Debug)]
struct Reserved {
    function: String,
    is: Option<i32>,
    should: Option<i64>,
}

/// It is as the stack was told to.
pub(super) async fn concurrency(doctor: &Doctor) -> Found {
    let stack = stack(doctor).await?;
    let read = FUNCTIONS.map(async |name| {
        let parameter = BOUND.iter().find(|(of, _)| *of == name).map(|(_, parameter)| *parameter);
        let should = parameter.map(|parameter| stack.number(parameter)).transpose()?.filter(|of| *of != 0);
        let function = doctor.system.function(name);
        let get = doctor.system.lambda().get_function_concurrency().function_name(&function).send().await;
        let found = answer_if_any("lambda:GetFunctionConcurrency", get)?;
        Ok::<_, Finding>(found.map(|of| Reserved { function, is: of.reserved_concurrent_executions, should }))
    });
    let found: Vec<Reserved> = try_join_all(read).await?.into_iter().flatten().collect();
    Ok(judge(&found))
}

fn judge(found: &[Reserved]) -> Finding {
    let others: Vec<&Reserved> = found.iter().filter(|of| of.is.map(i64::from) != of.should).collect();
    let told: Vec<String> = others.iter().map(|of| told(of)).collect();
    let remedies: Vec<String> = others.iter().map(|of| remedy(of)).collect();
    let (detail, remedy) = (told.join("; "), remedies.join("; "));
    if others.iter().any(|of| of.is == Some(0)) {
        return Finding::failed(detail, remedy);
    }
    if !others.is_empty() {
        return Finding::warning(detail, remedy);
    }
    let bound = found.iter().filter_map(|of| Some(format!("{} {}", of.function, of.is?)));
    let bound: Vec<String> = bound.collect();
    Finding::passed(match bound.as_slice() {
        [] => "nothing is reserved for a function, and none is bounded".to_owned(),
        bound => format!("reserved: {}", bound.join(", ")),
    })
}

fn told(of: &Reserved) -> String {
    let Reserved { function, is, should } = of;
    let should = should.map_or_else(|| "nothing".to_owned(), |should| should.to_string());
    match is {
        Some(0) => {
            format!("{function} is switched off: its reserved concurrency is 0, and should be {should}")
        }
        Some(is) => format!("{is} invocations are reserved for {function}, and should be {should}"),
        None => format!("nothing is reserved for {function}, and should be {should}"),
    }
}

fn remedy(Reserved { function, should, .. }: &Reserved) -> String {
    match should {
        Some(should) => format!(
            "aws lambda put-function-concurrency --function-name {function} --reserved-concurrent-executions {should}"
        ),
        None => format!("aws lambda delete-function-concurrency --function-name {function}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};

    fn judged(is: Option<i32>, should: Option<i64>) -> Finding {
        judge(&[Reserved { function: "f".into(), is, should }])
    }

    #[test]
    fn what_is_reserved_is_what_the_stack_was_told() {
        assert_eq!(judged(None, None).outcome, Outcome::Passed);
        assert_eq!(judged(Some(20), Some(20)).detail, "reserved: f 20");
        assert_eq!(judged(Some(5), None).outcome, Outcome::Warning);
        let lacking = judged(None, Some(20));
        assert_eq!(lacking.detail, "nothing is reserved for f, and should be 20");
        assert!(lacking.remedy.unwrap().ends_with("--reserved-concurrent-executions 20"));
    }

    #[test]
    fn a_function_that_is_switched_off_fails() {
        let off = judged(Some(0), None);
        assert_eq!(off.outcome, Outcome::Failed);
        assert_eq!(off.remedy.as_deref(), Some("aws lambda delete-function-concurrency --function-name f"));
    }
}
