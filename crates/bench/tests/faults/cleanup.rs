//! The cleanup under faults.

use crate::trial::{
    Invoked, SHORT, TIME, at_all_rates, clients, faults, invoke_until_done, leak, silence, sink_with,
};
use sbe_bench::{
    events::event,
    population::Population,
    sink::{Plan, faults::Class, queues::name, server::Sink},
};
use serde_json::{Value, json};
use session_manager::{App, handle};
use std::time::Duration;

const SESSION_MANAGER: &str = "session-manager";
/// Two pages of owners for each segment.
const SESSIONS: usize = 3000;
const ORPHANS: usize = 40;

fn plan(orphans: usize, faults: sbe_bench::sink::faults::Faults) -> Plan {
    Plan { orphans, faults, records: true, ..Plan::instant(Population::of(SESSIONS)) }
}

/// Invokes the schedule's event and whatever carries it on.
async fn clean_until_done(sink: &Sink, app: &'static App, time: Duration) -> Invoked {
    let first = json!({"version": 1, "action": "cleanup"}).to_string();
    let invoke = async |payload, time| Box::pin(handle(app, event(payload, time))).await.is_ok();
    invoke_until_done(sink, SESSION_MANAGER, first, time, invoke).await
}

/// Every orphan is gone, and nothing else.
fn check(sink: &Sink) {
    let deleted = sink.state.queues.deleted();
    let orphans = SESSIONS..SESSIONS + sink.state.plan.orphans;
    assert!(orphans.clone().all(|index| deleted.contains(&name(index))), "an orphan is left");
    assert_eq!(deleted.len(), orphans.len(), "a queue with an owner was deleted");
}

async fn survives(class: Class) {
    at_all_rates(async |percent, times| {
        let sink = sink_with(plan(ORPHANS * times, faults(class, percent)));
        let app = leak(App::new(&clients(&sink, SESSION_MANAGER).await));
        clean_until_done(&sink, app, TIME).await;
        check(&sink);
        sink
    })
    .await;
}

#[tokio::test]
async fn throttles() {
    survives(Class::Throttle).await;
}

#[tokio::test]
async fn server_errors() {
    survives(Class::ServerError).await;
}

#[tokio::test]
async fn timeouts() {
    survives(Class::Timeout).await;
}

#[tokio::test]
async fn resets() {
    survives(Class::Reset).await;
}

/// Half of the deletions are not answered, and an invocation has a second to work in: what was
/// deleted stays so, and further invocations see to the rest.
#[tokio::test]
async fn what_there_is_no_time_for_is_carried_on() {
    let sink = sink_with(plan(3 * ORPHANS, silence("DeleteQueue")));
    let app = leak(App::new(&clients(&sink, SESSION_MANAGER).await));
    let invoked = clean_until_done(&sink, app, SHORT).await;
    assert!(invoked.count > 1, "there was time for all");
    check(&sink);
}

/// While owners cannot be read nothing is deleted, whatever is listed.
#[tokio::test]
async fn nothing_goes_while_owners_are_unknown() {
    let sink = sink_with(plan(ORPHANS, sbe_bench::sink::faults::Faults { percent: 100, ..silence("Scan") }));
    let app = leak(App::new(&clients(&sink, SESSION_MANAGER).await));
    let outcome =
        Box::pin(handle(app, event(json!({"version": 1, "action": "cleanup"}).to_string(), SHORT))).await;
    let outcome: Value = serde_json::to_value(outcome.unwrap()).unwrap();
    assert_eq!((&outcome["complete"], &outcome["queues_removed"]), (&json!(false), &json!(0)));
    assert!(sink.state.queues.deleted().is_empty());
    assert_eq!(sink.state.record().invocations.len(), 1, "it is carried on");
}
