//! The history adder under faults.

use crate::trial::{TIME, at_all_rates, clients, faults, leak, silence, sink, sink_with};
use sbe_bench::{
    events::{event, messages},
    population::Population,
    sink::{
        Plan,
        faults::{Class, Faults},
    },
};
use sbe_core::{
    history::Timestamp,
    id::UserId,
    payload::{MAX_DEPTH, PayloadCutter},
};
use std::time::{Duration, Instant};
use user_history_adder::{App, handle};

const USERS: usize = 4;
const MESSAGES: usize = 5;
const ADDER: &str = "user-history-adder";

fn payload(users: usize, created: i64) -> String {
    let messages = messages(MESSAGES, 300);
    let mut cutter = PayloadCutter::users(&messages, |_| Timestamp(created));
    let all: Vec<usize> = (0..MESSAGES).collect();
    for user in (0..).take(users) {
        assert!(cutter.push_user(&UserId::from(user), &all).is_empty());
    }
    cutter.finish().remove(0).json
}

/// Every entry is there once, however often AWS failed; and a replay, which may come with another
/// time, neither adds one, nor moves `created`, nor un-reads what was read meanwhile.
async fn survives(class: Class) {
    at_all_rates(async |percent, times| {
        let sink = sink(Population::of(0), faults(class, percent));
        let (app, users) = (leak(App::new(&clients(&sink, ADDER).await)), USERS * times);
        handle(app, event(payload(users, 1_500_000), TIME)).await.unwrap();
        sink.state.record().history.values_mut().for_each(|kept| kept.is_read = "1".into());
        let before = sink.state.record().history.clone();
        assert_eq!(before.len(), users * MESSAGES);
        let summary = handle(app, event(payload(users, 2_500_000), TIME)).await.unwrap();
        assert_eq!((summary.changed, summary.total), (0, before.len()));
        assert_eq!(sink.state.record().history, before);
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

/// What there is no time for is handed on by itself, and what was written is not written again.
#[tokio::test]
async fn what_there_is_no_time_for_is_handed_on() {
    let sink = sink(Population::of(0), Faults { percent: 20, seed: 11, ..silence("PutItem") });
    let app = leak(App::new(&clients(&sink, ADDER).await));
    let time = Duration::from_secs(3);
    let (mut waiting, mut handed_on) = (vec![payload(3 * USERS, 1_500_000)], 0);
    let mut rounds = 0;
    while let Some(payload) = waiting.pop() {
        rounds += 1;
        assert!(rounds < 20, "the adder does not come to an end");
        let start = Instant::now();
        handle(app, event(payload, time)).await.unwrap();
        assert!(start.elapsed() < time, "the invocation ended after its deadline");
        let record = sink.state.record();
        waiting.extend(record.invocations[handed_on..].iter().map(|invoked| invoked.payload.clone()));
        handed_on = record.invocations.len();
    }
    assert!(handed_on > 0, "there was time for all");
    assert_eq!(sink.state.record().history.len(), 3 * USERS * MESSAGES);
}

/// One user's entries are refused for good: they are parked, and no other user misses one.
#[tokio::test]
async fn what_is_refused_is_parked_and_stops_nobody() {
    let faults = Faults::none();
    let plan = Plan { refused_user: Some(1), records: true, faults, ..Plan::instant(Population::of(0)) };
    let sink = sink_with(plan);
    let app = leak(App::new(&clients(&sink, ADDER).await));
    let summary = handle(app, event(payload(USERS, 1_500_000), TIME)).await.unwrap();
    assert_eq!((summary.parked, summary.changed), (MESSAGES, (USERS - 1) * MESSAGES));
    let parked: serde_json::Value = serde_json::from_str(&sink.state.record().sent[0]).unwrap();
    assert_eq!(parked["function"], "bench-sqs-browser-user-history-adder");
    assert!(parked["reason"].as_str().unwrap().contains("ValidationException"), "{}", parked["reason"]);
    let users = parked["requestPayload"]["users"].as_array().unwrap();
    assert_eq!((users.len(), &users[0]["userId"]), (1, &serde_json::json!(1)));
}

/// A payload that was handed on as often as may be is parked, not lost and not handed on for ever.
#[tokio::test]
async fn what_was_handed_on_too_often_is_parked() {
    let sink = sink(Population::of(0), Faults { percent: 100, ..silence("PutItem") });
    let app = leak(App::new(&clients(&sink, ADDER).await));
    let mut deep: serde_json::Value = serde_json::from_str(&payload(1, 1_500_000)).unwrap();
    deep["depth"] = serde_json::json!(MAX_DEPTH);
    let summary = handle(app, event(deep.to_string(), Duration::from_secs(3))).await.unwrap();
    assert_eq!(summary.handed_back, MESSAGES);
    let record = sink.state.record();
    assert_eq!((record.invocations.len(), record.sent.len()), (0, 1));
}
