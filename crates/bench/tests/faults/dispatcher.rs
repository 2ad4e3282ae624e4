//! The dispatcher under faults.

use crate::trial::{CONCURRENT, TIME, assert_in_time, at_all_rates, clients, faults, leak, sink_with};
use event_dispatcher::{App, Outcome, handle};
use futures::{StreamExt, future::ready, stream};
use lambda_runtime::Error;
use sbe_bench::{
    events::{event, kinesis, message_json},
    population::{Population, queue_index, session_id},
    sink::{Plan, faults::Class, server::Sink},
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

pub(crate) const DISPATCHER: &str = "event-dispatcher";

/// An AWS with a few hundred sessions, times `times`, in eight accounts.
pub(crate) fn plan(times: usize) -> Plan {
    let population = Population { accounts: 8, sessions_per_user: 3, ..Population::of(600 * times) };
    Plan { records: true, ..Plan::instant(population) }
}

/// Broadcasts, and a message for an account, a user and a session: a scan and a `GetItem`.
pub(crate) fn broadcasts() -> Vec<String> {
    let session = format!(r#""accountId":5,"sessionId":"{}","#, session_id(205).as_str());
    let keys = ["", r#""accountId":7,"#, "", r#""userId":"9","#, &session];
    keys.iter().enumerate().map(|(number, keys)| message_json(number, 300, keys)).collect()
}

/// The same without broadcasts: queries of the table and of both indexes.
pub(crate) fn narrowcasts() -> Vec<String> {
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

/// How a batch came to its end.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    /// How often Kinesis brought it again.
    pub(crate) repeats: usize,
    /// Invocations that carried out what was handed on.
    pub(crate) handed_on: usize,
    /// How many of these failed, and were repeated by Lambda from where they began.
    pub(crate) failed: usize,
    /// The most invocations after one another.
    pub(crate) depth: u64,
}

/// More failures than any test needs in whose time the machine gets to its work.
const ENOUGH: usize = 5;

/// Invokes the dispatcher as Kinesis does, again from the first record that failed, and then as Lambda
/// does with what it hands on. On a machine that is too busy to get anything done in `time`, later invocations
/// have more of it.
pub(crate) async fn dispatch_until_done(
    sink: &Sink,
    app: &'static App,
    messages: &[String],
    time: Duration,
) -> Rounds {
    let mut rounds = Rounds::default();
    let mut left = messages.to_vec();
    let longer = |failures: usize| time * u32::try_from(1 + failures / ENOUGH).unwrap();
    loop {
        let time = longer(rounds.repeats);
        let outcome = serde_json::to_value(invoke(app, kinesis(&left), time).await.unwrap()).unwrap();
        let Some(failed) = outcome["batchItemFailures"][0]["itemIdentifier"].as_str() else { break };
        left = left.split_off(failed.parse().unwrap());
        rounds.repeats += 1;
        assert!(rounds.repeats < 20, "the batch does not come to an end");
    }
    let mut seen = 0;
    let mut waiting = Vec::new();
    loop {
        waiting.extend(handed_on_since(sink, &mut seen));
        if waiting.is_empty() {
            return rounds;
        }
        rounds.handed_on += waiting.len();
        assert!(rounds.handed_on < 3000, "what is handed on does not come to an end");
        rounds.depth = waiting.iter().map(|event| depth(event)).chain([rounds.depth]).max().unwrap();
        // At the same time, as Lambda does; and again if they fail.
        let time = longer(rounds.failed / CONCURRENT);
        let carry_out = waiting.drain(..).map(async |event| {
            let outcome = invoke(app, event.clone(), time).await;
            outcome.is_err().then_some(event)
        });
        waiting = stream::iter(carry_out).buffer_unordered(CONCURRENT).filter_map(ready).collect().await;
        rounds.failed += waiting.len();
    }
}

fn depth(event: &str) -> u64 {
    let event: serde_json::Map<String, Value> = serde_json::from_str(event).unwrap();
    event.values().next().unwrap()["depth"].as_u64().unwrap()
}

pub(crate) const FIELD: &str = "sqs-browser-events/handed-on";

/// One invocation, which ends in time.
pub(crate) async fn invoke(app: &'static App, json: String, time: Duration) -> Result<Outcome, Error> {
    let start = Instant::now();
    let outcome = handle(app, event(json, time)).await;
    assert_in_time(start, time);
    outcome
}

/// What was handed on since it was looked at last.
fn handed_on_since(sink: &Sink, seen: &mut usize) -> Vec<String> {
    let record = sink.state.record();
    let new = record.invocations[*seen..].iter().filter(|invoked| invoked.function.ends_with(DISPATCHER));
    let new = new.map(|invoked| invoked.payload.clone()).collect();
    *seen = record.invocations.len();
    new
}

fn number(message: &RawValue) -> u64 {
    serde_json::from_str::<Value>(message.get()).unwrap()["number"].as_u64().unwrap()
}

/// The numbers of the messages that went to the sender and to histories, by session and by user.
fn delivered(sink: &Sink) -> (BTreeMap<usize, Vec<u64>>, BTreeMap<UserId, Vec<u64>>) {
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
        } else if invocation.function.ends_with("user-history-adder") {
            let payload: HistoryPayload<'_> = serde_json::from_str(&invocation.payload).unwrap();
            for user in &payload.users {
                let numbers = user.messages.iter().map(|i| number(payload.messages[*i].message));
                users.entry(user.user_id.clone()).or_default().extend(numbers);
            }
        }
    }
    (sessions, users)
}

/// Every session has every message that is for it, and every user too: once, unless an answer was lost
/// or an invocation failed and was repeated. A user whose sessions had several readers may be given a message again.
pub(crate) fn check(sink: &Sink, messages: &[String], rounds: &Rounds) {
    let messages: Vec<Value> = messages.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let (mut sessions, mut users) = delivered(sink);
    let lost = sink.state.record().invocations.iter().any(|invocation| !invocation.answered);
    let may_repeat = lost || rounds.repeats > 0 || rounds.failed > 0;
    let check = |found: Option<Vec<u64>>, expected: &[u64], may_repeat: bool| {
        let mut found = found.unwrap_or_default();
        found.sort_unstable();
        if may_repeat {
            found.dedup();
        }
        assert_eq!(found, expected);
    };
    let population = sink.state.plan.population;
    let mut of_users = BTreeMap::<UserId, Vec<u64>>::new();
    for index in 0..population.sessions {
        let numbers = (0..).zip(&messages).filter(|(_, message)| is_for(message, &population, index));
        let numbers: Vec<u64> = numbers.map(|(number, _)| number).collect();
        check(sessions.remove(&index), &numbers, may_repeat);
        of_users.entry(population.user(index).unwrap()).or_default().extend(numbers);
    }
    for (user, mut numbers) in of_users {
        numbers.sort_unstable();
        numbers.dedup();
        check(users.remove(&user), &numbers, may_repeat || rounds.handed_on > 0);
    }
}

async fn survives(class: Class) {
    at_all_rates(async |percent, times| {
        // In place are read four pages of a lane, and of an account.
        let plan = Plan { page_items: Some(16), faults: faults(class, percent), ..plan(times) };
        let sink = sink_with(plan);
        let app = leak(App::new(&clients(&sink, DISPATCHER).await));
        for messages in [broadcasts(), narrowcasts()] {
            sink.state.record().invocations.clear();
            let rounds = dispatch_until_done(&sink, app, &messages, TIME).await;
            assert_eq!((rounds.repeats, rounds.failed), (0, 0), "there was time for all");
            assert!(rounds.handed_on > 0, "all was read in place");
            check(&sink, &messages, &rounds);
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
