//! The history adder under faults.

use crate::trial::{TIME, at_all_rates, clients, faults, leak, silence, sink};
use sbe_bench::{
    events::{event, messages},
    population::Population,
    sink::faults::{Class, Faults},
};
use sbe_core::{history::Timestamp, id::UserId, payload::PayloadCutter};
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
        assert!(cutter.push_user(UserId(user), &all).is_empty());
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

/// The invocation fails in time, and Lambda's retry completes the history.
#[tokio::test]
async fn what_there_is_no_time_for_is_left_to_the_retry() {
    let sink = sink(Population::of(0), Faults { percent: 2, seed: 11, ..silence("PutItem") });
    let app = leak(App::new(&clients(&sink, ADDER).await));
    let time = Duration::from_secs(3);
    let mut results = Vec::new();
    while results.last() != Some(&true) {
        assert!(results.len() < 20, "the adder does not come to an end");
        let start = Instant::now();
        results.push(handle(app, event(payload(3 * USERS, 1_500_000), time)).await.is_ok());
        assert!(start.elapsed() < time, "the invocation ended after its deadline");
    }
    assert!(!results[0]);
    assert_eq!(sink.state.record().history.len(), 3 * USERS * MESSAGES);
}
