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

/// Survives every rate of a class: `trial` is given how many of a hundred calls fail, and how many
/// times as many calls to make as it needs at the least, so that some fail at every rate.
pub(crate) async fn at_all_rates<F: Future<Output = Sink>>(trial: impl Fn(u32, usize) -> F) {
    let rates = [(1, 10), (10, 3), (50, 1)].map(|(percent, times)| trial(percent, times));
    for sink in futures::future::join_all(rates).await {
        assert!(sink.state.record().struck > 0, "nothing failed");
    }
}

/// Where answers do not come, a client waits this long for one: longer than any that does come takes
/// on loopback, however busy the machine.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// What Lambda gives an invocation where time is not what is tested.
pub(crate) const TIME: Duration = Duration::from_secs(50);

/// An AWS that fails so.
pub(crate) fn sink(population: Population, faults: Faults) -> Sink {
    sink_with(Plan { faults, records: true, ..Plan::instant(population) })
}

/// An AWS that does so.
pub(crate) fn sink_with(plan: Plan) -> Sink {
    Sink::start(plan).unwrap()
}

/// Calls fail so, whatever they are.
pub(crate) fn faults(class: Class, percent: u32) -> Faults {
    Faults { class, percent, seed: 7, stall: 2 * ATTEMPT_TIMEOUT, only: None }
}

/// Half of the calls of one operation are not answered within a minute.
pub(crate) fn silence(operation: &'static str) -> Faults {
    let stall = Duration::from_mins(1);
    Faults { stall, only: Some(operation), ..faults(Class::Timeout, 50) }
}

/// The clients of the function `name`. They give an attempt up only where answers do not come: else
/// a busy machine would look like a fault.
pub(crate) async fn clients(sink: &Sink, name: &str) -> Clients {
    let faults = sink.state.plan.faults;
    let is_short = faults.class == Class::Timeout && faults.stall < TIME;
    let timeout = if is_short { ATTEMPT_TIMEOUT } else { 2 * TIME };
    let function = format!("bench-sqs-browser-{name}");
    let variable = |variable: &str| match variable {
        "ENV" => Some("bench".to_owned()),
        "SCAN_SEGMENTS" => Some("2".to_owned()),
        "AWS_LAMBDA_FUNCTION_NAME" => Some(function.clone()),
        _ => None,
    };
    Clients::at(&sink.endpoint(), Config::read(variable).unwrap(), timeout).await
}

/// Lives as long as the process, as a function's app does.
pub(crate) fn leak<T>(app: T) -> &'static T {
    Box::leak(Box::new(app))
}
