//! A faulty AWS, and clients that call it.

use futures::{StreamExt, stream};
use sbe_aws::{clients::Clients, config::Config};
use sbe_bench::{
    population::Population,
    sink::{
        Plan,
        faults::{Class, Faults},
        server::Sink,
    },
};
use std::time::{Duration, Instant};

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

/// What Lambda gives an invocation whose time is to end in the middle of its work: a second and what is
/// kept for reporting.
pub(crate) const SHORT: Duration = Duration::from_secs(3);

/// An AWS whose answers to one operation are slow, and clients that make few calls at the same time: what
/// takes more than about thirty calls takes longer than [`SHORT`], however little the machine has to do.
pub(crate) async fn slow(operation: &'static str, faults: Faults, name: &str) -> (Sink, Clients) {
    let slow = Some((operation, Duration::from_millis(200)));
    // An unanswered call takes all of this time: were hand-ons such calls too, half of them would come
    // twice and as many fail, which goes on for ever where Lambda would try only twice again.
    let only = (faults.class == Class::Timeout).then_some(operation);
    let faults = Faults { only, ..faults };
    let sink = sink_with(Plan { slow, faults, records: true, ..Plan::instant(Population::of(0)) });
    let clients = clients_with(&sink, name, &[("MAX_CONCURRENCY", "8")]).await;
    (sink, clients)
}

/// So many calls fail in part at every rate, but take few rounds where half of them do.
pub(crate) fn calls_for(times: usize) -> usize {
    24 + 8 * times
}

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
    clients_with(sink, name, &[]).await
}

/// The clients of a deployment that names no event bus.
pub(crate) async fn clients_without_bus(sink: &Sink, name: &str) -> Clients {
    clients_with(sink, name, &[("EVENT_BUS_NAME", "")]).await
}

/// Such clients, with some more variables of the environment.
pub(crate) async fn clients_with(sink: &Sink, name: &str, more: &[(&str, &str)]) -> Clients {
    let faults = sink.state.plan.faults;
    let is_short = faults.class == Class::Timeout && faults.stall < TIME;
    let timeout = if is_short { faults.stall / 2 } else { 2 * TIME };
    let function = format!("bench-sqs-browser-{name}");
    let variable = |variable: &str| match variable {
        "ENV" => Some("bench".to_owned()),
        "AWS_LAMBDA_FUNCTION_NAME" => Some(function.clone()),
        _ => {
            let given = [more, &[("EVENT_BUS_NAME", "bench"), ("OFFLINE_TYPES", "listed")]].concat();
            given.iter().find(|(name, _)| *name == variable).map(|(_, value)| (*value).to_owned())
        }
    };
    Clients::at(&sink.endpoint(), Config::read(variable).unwrap(), timeout).await
}

/// What invocations came to.
#[derive(Debug, Default)]
pub(crate) struct Invoked {
    /// All of them.
    pub(crate) count: usize,
    /// Those that failed.
    pub(crate) failed: usize,
    /// Payloads that were parked.
    pub(crate) parked: usize,
}

/// Invocations at the same time.
pub(crate) const CONCURRENT: usize = 4;

/// More invocations than any test needs in whose time the machine gets to its work.
const ENOUGH: usize = 60;

/// Invokes the function `name` as Lambda does, at the same time with all that it hands on to itself and
/// again with what fails; and with what it parks, as a person does. On a machine that is too busy to get
/// anything done in `time`, later invocations have more of it.
pub(crate) async fn invoke_until_done(
    sink: &Sink,
    name: &str,
    first: String,
    time: Duration,
    invoke: impl AsyncFn(String, Duration) -> bool,
) -> Invoked {
    let (mut waiting, mut invoked, mut seen) = (vec![first], Invoked::default(), 0);
    while !waiting.is_empty() {
        let time = time + time * u32::try_from(invoked.count / ENOUGH).unwrap();
        let invoke = async |payload: String| {
            let start = Instant::now();
            let succeeded = invoke(payload.clone(), time).await;
            assert_in_time(start, time);
            (payload, succeeded)
        };
        let outcomes = stream::iter(waiting.drain(..)).map(invoke).buffer_unordered(CONCURRENT);
        let outcomes: Vec<(String, bool)> = outcomes.collect().await;
        invoked.count += outcomes.len();
        waiting.extend(outcomes.into_iter().filter(|(_, succeeded)| !succeeded).map(|(payload, _)| payload));
        invoked.failed += waiting.len();
        assert!(invoked.count < 10 * ENOUGH, "the function does not come to an end");
        let mut record = sink.state.record();
        let own = record.invocations[seen..].iter().filter(|handed| handed.function.ends_with(name));
        waiting.extend(own.map(|handed| handed.payload.clone()));
        seen = record.invocations.len();
        for parked in record.sent.drain(..) {
            let parked: serde_json::Value = serde_json::from_str(&parked).unwrap();
            waiting.push(parked["requestPayload"].to_string());
            invoked.parked += 1;
        }
    }
    invoked
}

/// An invocation that began then has ended in its time.
pub(crate) fn assert_in_time(start: Instant, time: Duration) {
    // Twice: on a busy machine the timers of this test are late as well.
    assert!(start.elapsed() < 2 * time, "the invocation ended after its deadline");
}

/// Lives as long as the process, as a function's app does.
pub(crate) fn leak<T>(app: T) -> &'static T {
    Box::leak(Box::new(app))
}
