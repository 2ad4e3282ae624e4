//! Read receipts under faults: what was marked is told, and what is left is handed on.

use crate::trial::{TIME, at_all_rates, clients, faults, leak, silence, sink};
use sbe_aws::retry::Deadline;
use sbe_bench::{
    events::event,
    population::Population,
    sink::{
        faults::{Class, Faults},
        record::Kept,
        server::Sink,
    },
};
use sbe_core::{
    id::{MessageId, UserId},
    payload::ReceiptPayload,
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use user_history_adder::{App, handle};

const ADDER: &str = "user-history-adder";
const USER: i64 = 7;

fn ids(count: usize) -> Vec<MessageId> {
    (0..count).map(|n| MessageId::parse(format!("m-{n}")).unwrap()).collect()
}

fn add_unread(sink: &Sink, ids: &[MessageId]) {
    let unread = Kept { created: "1".into(), is_read: "0".into(), read_by: String::new() };
    let entries = ids.iter().map(|id| ((USER.to_string(), id.as_str().to_owned()), unread.clone()));
    sink.state.record().history.extend(entries);
}

fn payload(ids: Vec<MessageId>) -> String {
    ReceiptPayload { user_id: UserId::from(USER), read: ids, call: "call".into(), depth: 0 }.to_json()
}

/// How often each id was told, by invocations of the dispatcher that were answered.
fn told(sink: &Sink) -> HashMap<String, usize> {
    let mut told = HashMap::new();
    for invoked in sink.state.record().invocations.iter().filter(|it| it.function.contains("dispatcher")) {
        let receipt: serde_json::Value = serde_json::from_str(&invoked.payload).unwrap();
        for id in receipt["messages-receipted"].as_array().unwrap() {
            *told.entry(id.as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    told
}

/// Invokes the adder as Lambda does, with all that is handed on.
async fn invoke_until_done(sink: &Sink, app: &'static App, first: String, time: Duration) -> usize {
    let (mut waiting, mut seen, mut rounds) = (vec![first], 0, 0);
    while let Some(payload) = waiting.pop() {
        rounds += 1;
        assert!(rounds < 40, "the receipts do not come to an end");
        let start = Instant::now();
        if handle(app, event(payload.clone(), time)).await.is_err() {
            waiting.push(payload);
        }
        assert!(start.elapsed() < time, "the invocation ended after its deadline");
        let record = sink.state.record();
        let new = record.invocations[seen..].iter().filter(|invoked| invoked.function.ends_with(ADDER));
        waiting.extend(new.map(|invoked| invoked.payload.clone()));
        seen = record.invocations.len();
    }
    rounds
}

async fn survives(class: Class) {
    at_all_rates(async |percent, times| {
        let sink = sink(Population::of(0), faults(class, percent));
        let ids = ids(40 * times);
        add_unread(&sink, &ids);
        let app = leak(App::new(&clients(&sink, ADDER).await));
        invoke_until_done(&sink, app, payload(ids.clone()), TIME).await;
        assert!(sink.state.record().history.values().all(|kept| kept.is_read == "1"));
        let told = told(&sink);
        assert_eq!(told.len(), ids.len(), "every id is told");
        if !class.is_ambiguous() {
            assert!(told.values().all(|times| *times == 1), "an id is told twice");
        }
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

/// The time ends in the middle of the marking: what was marked is told by then, the rest is handed on.
#[tokio::test]
async fn what_there_is_no_time_for_is_handed_on() {
    let sink = sink(Population::of(0), Faults { percent: 10, ..silence("UpdateItem") });
    let ids = ids(300);
    add_unread(&sink, &ids);
    let app = leak(App::new(&clients(&sink, ADDER).await));
    let rounds = invoke_until_done(&sink, app, payload(ids.clone()), Duration::from_secs(4)).await;
    assert!(rounds > 1, "there was time for all");
    assert_eq!(told(&sink).len(), ids.len());
    assert!(sink.state.record().history.values().all(|kept| kept.is_read == "1"));
}

/// An invocation dies after it has marked and before it has told: its repetition tells.
#[tokio::test]
async fn what_a_dead_invocation_has_marked_is_told() {
    let sink = sink(Population::of(0), Faults::none());
    let ids = ids(10);
    add_unread(&sink, &ids);
    for kept in sink.state.record().history.values_mut().take(5) {
        (kept.is_read, kept.read_by) = ("1".into(), "call".into());
    }
    let app = leak(App::new(&clients(&sink, ADDER).await));
    handle(app, event(payload(ids.clone()), TIME)).await.unwrap();
    assert_eq!(told(&sink).len(), 10);
    handle(app, event(payload(ids).replace("call", "other"), TIME)).await.ok();
    assert_eq!(told(&sink).values().sum::<usize>(), 10, "another call has changed nothing");
}

/// A receipt that cannot be published is parked: its messages are marked, so that nobody else tells.
#[tokio::test]
async fn what_cannot_be_told_is_parked() {
    let sink = sink(Population::of(0), Faults { percent: 100, only: Some("Invoke"), ..silence("Invoke") });
    let ids = ids(10);
    add_unread(&sink, &ids);
    let receipts = clients(&sink, ADDER).await.without_retries().receipts();
    let time = Deadline::after(Duration::from_secs(4));
    let result = receipts.mark(&UserId::from(USER), &ids, "call", time).await;
    // With no time at all left for it, the caller is told.
    assert!(result.is_err() || !sink.state.record().sent.is_empty());
}
