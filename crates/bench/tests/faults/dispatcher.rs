//! The dispatcher under faults.

use crate::trial::{TIME, at_all_rates, clients, faults, leak, silence, sink};
use event_dispatcher::{App, handle};
use sbe_bench::{
    events::{event, kinesis, message_json},
    population::{Population, queue_index, session_id},
    sink::{faults::Class, server::Sink},
};
use sbe_core::{
    id::UserId,
    payload::{HistoryPayload, SendPayload},
};
use serde_json::{Value, value::RawValue};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const DISPATCHER: &str = "event-dispatcher";

/// As many sessions as make two pages for each of two segments of a scan, times `times`.
fn population(times: usize) -> Population {
    Population { sessions_per_user: 3, ..Population::of(1300 * times) }
}

/// Broadcasts, and a message for an account, a user and a session: a scan and a `GetItem`.
fn broadcasts() -> Vec<String> {
    let session = format!(r#""accountId":5,"sessionId":"{}","#, session_id(205).as_str());
    let keys = ["", r#""accountId":7,"#, "", r#""userId":"9","#, &session];
    keys.iter().enumerate().map(|(number, keys)| message_json(number, 300, keys)).collect()
}

/// The same without broadcasts: queries of the table and of both indexes.
fn narrowcasts() -> Vec<String> {
    let session = format!(r#""sessionId":"{}","#, session_id(207).as_str());
    let keys = [r#""accountId":7,"#, r#""userId":9,"#, &session, r#""userId":9,"#];
    keys.iter().enumerate().map(|(number, keys)| message_json(number, 300, keys)).collect()
}

/// Whether a message with these keys is for a session.
fn is_for(message: &Value, population: &Population, index: usize) -> bool {
    let given = |name: &str| message.get(name).map(|id| id.to_string().replace('"', ""));
    given("accountId").is_none_or(|account| account == population.account(index).to_string())
        && given("userId")
            .is_none_or(|user| population.user(index).is_some_and(|own| own.to_string() == user))
        && message["sessionId"].as_str().is_none_or(|id| id == session_id(index).as_str())
}

/// Invokes the dispatcher as Kinesis does: again from the first record that failed. Tells how often.
async fn dispatch_until_done(app: &'static App, messages: &[String]) -> usize {
    let mut left = messages.to_vec();
    for repeats in 0..20 {
        let outcome = handle(app, event(kinesis(&left), TIME)).await.unwrap();
        let outcome = serde_json::to_value(&outcome).unwrap();
        let Some(failed) = outcome["batchItemFailures"][0]["itemIdentifier"].as_str() else { return repeats };
        left = left.split_off(failed.parse().unwrap());
    }
    panic!("the dispatcher does not come to an end");
}

fn number(message: &RawValue) -> u64 {
    serde_json::from_str::<Value>(message.get()).unwrap()["number"].as_u64().unwrap()
}

/// The numbers of the messages handed on, by session and by user.
fn handed_on(sink: &Sink) -> (BTreeMap<usize, Vec<u64>>, BTreeMap<UserId, Vec<u64>>) {
    let (mut sessions, mut users) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
    for invocation in &sink.state.record().invocations {
        if invocation.function.ends_with("sqs-sender") {
            let payload: SendPayload<'_> = serde_json::from_str(&invocation.payload).unwrap();
            for delivery in &payload.deliveries {
                let numbers: Vec<u64> =
                    delivery.messages.iter().map(|i| number(payload.messages[*i])).collect();
                assert!(numbers.is_sorted(), "out of order: {numbers:?}");
                sessions.entry(queue_index(&delivery.sqs_url).unwrap()).or_default().extend(numbers);
            }
        } else {
            let payload: HistoryPayload<'_> = serde_json::from_str(&invocation.payload).unwrap();
            for user in &payload.users {
                let numbers = user.messages.iter().map(|i| number(payload.messages[*i].message));
                users.entry(user.user_id.clone()).or_default().extend(numbers);
            }
        }
    }
    (sessions, users)
}

fn check(sink: &Sink, messages: &[String], repeats: usize) {
    let messages: Vec<Value> = messages.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let (mut sessions, mut users) = handed_on(sink);
    let lost = sink.state.record().invocations.iter().any(|invocation| !invocation.answered);
    let check = |found: &mut Vec<u64>, expected: &[u64]| {
        found.sort_unstable();
        if lost || repeats > 0 {
            found.dedup();
        }
        assert_eq!(found, expected);
    };
    let population = sink.state.plan.population;
    let mut of_users = BTreeMap::<UserId, Vec<u64>>::new();
    for index in 0..population.sessions {
        let numbers = (0..).zip(&messages).filter(|(_, message)| is_for(message, &population, index));
        let numbers: Vec<u64> = numbers.map(|(number, _)| number).collect();
        check(&mut sessions.remove(&index).unwrap_or_default(), &numbers);
        of_users.entry(population.user(index).unwrap()).or_default().extend(numbers);
    }
    for (user, mut numbers) in of_users {
        numbers.sort_unstable();
        numbers.dedup();
        check(&mut users.remove(&user).unwrap_or_default(), &numbers);
    }
}

async fn survives(class: Class) {
    at_all_rates(async |percent, times| {
        let sink = sink(population(times), faults(class, percent));
        let app = leak(App::new(&clients(&sink, DISPATCHER).await));
        for messages in [broadcasts(), narrowcasts()] {
            sink.state.record().invocations.clear();
            let repeats = dispatch_until_done(app, &messages).await;
            assert_eq!(repeats, 0, "there was time for all");
            check(&sink, &messages, repeats);
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

/// Without an answer to the scan nobody knows who was missed: the batch is reported as failed, in
/// time, so that Kinesis brings it again.
#[tokio::test]
async fn a_batch_that_there_is_no_time_for_is_reported() {
    let sink = sink(population(1), silence("Scan"));
    let app = leak(App::new(&clients(&sink, DISPATCHER).await));
    let (start, time) = (Instant::now(), Duration::from_secs(3));
    let outcome = handle(app, event(kinesis(&broadcasts()), time)).await.unwrap();
    assert!(start.elapsed() < time, "the invocation ended after its deadline");
    let outcome = serde_json::to_value(&outcome).unwrap();
    assert_eq!(outcome["batchItemFailures"][0]["itemIdentifier"], format!("{:056}", 0));
}
