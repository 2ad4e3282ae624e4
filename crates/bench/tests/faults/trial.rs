//! A faulty AWS, and clients that call it.

use sbe_aws::{clients::Clients, config::Config};
use sbe_bench::{
    population::Population,
    sink::{
        Plan,
        faults::{Class, Faults},
        server::Sink,
    },
};
use std::time::Duration;

/// How many of a hundred calls fail.
pub(crate) const PERCENTS: [u32; 3] = [1, 10, 50];

/// A client gives an attempt up after this long: longer than any answer on loopback takes, however
/// busy the machine.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);

/// What Lambda gives an invocation where time is not what is tested.
pub(crate) const TIME: Duration = Duration::from_secs(50);

/// An AWS that fails so.
pub(crate) fn sink(population: Population, faults: Faults) -> Sink {
    Sink::start(Plan { faults, records: true, ..Plan::instant(population) }).unwrap()
}

/// Calls fail so, whatever they are.
pub(crate) fn faults(class: Class, percent: u32) -> Faults {
    Faults { class, percent, seed: 20_261_122, stall: 2 * ATTEMPT_TIMEOUT, only: None }
}

/// Half of the calls of one operation are not answered within a minute.
pub(crate) fn silence(operation: &'static str) -> Faults {
    let stall = Duration::from_mins(1);
    Faults { stall, only: Some(operation), ..faults(Class::Timeout, 50) }
}

/// The clients of the function `name`.
pub(crate) async fn clients(sink: &Sink, name: &str) -> Clients {
    clients_that_wait(sink, name, ATTEMPT_TIMEOUT).await
}

/// The same, waiting so long for an answer.
pub(crate) async fn clients_that_wait(sink: &Sink, name: &str, timeout: Duration) -> Clients {
    let function = format!("bench-sqs-browser-{name}");
    let variable = |variable: &str| match variable {
        "ENV" => Some("bench".to_owned()),
        "AWS_LAMBDA_FUNCTION_NAME" => Some(function.clone()),
        _ => None,
    };
    Clients::at(&sink.endpoint(), Config::read(variable).unwrap(), timeout).await
}

/// Lives as long as the process, as a function's app does.
pub(crate) fn leak<T>(app: T) -> &'static T {
    Box::leak(Box::new(app))
}
