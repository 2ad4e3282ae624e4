//! Read receipts under faults: what was marked is told, and what is left is handed on.

use crate::trial::{
    Invoked, SHORT, TIME, at_all_rates, calls_for, clients, faults, invoke_until_done, leak, sink, slow,
};
use lambda_runtime::LambdaEvent;
use sbe_aws::clients::Clients;
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
    history::Timestamp,
    id::{MessageId, UserId},
    payload::{Read, ReceiptPayload},
    version::Version,
};
use std::{collections::HashMap, time::Duration};
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
    ReceiptPayload {
        version: Version,
        user_id: UserId::from(USER),
        read: Read::Listed(ids),
        call: "call".into(),
        depth: 0,
    }
    .to_json()
}

fn everything() -> String {
    let read = Read::AsOf(Timestamp::MAX);
    ReceiptPayload { version: Version, user_id: UserId::from(USER), read, call: "call".into(), depth: 0 }
        .to_json()
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

/// Invokes the adder as Lambda does, until nothing is left.
async fn receive(sink: &Sink, clients: &Clients, first: String, time: Duration) -> Invoked {
    let app = leak(App::new(clients));
    invoke_until_done(sink, ADDER, first, time, async |payload, time| {
        handle(app, event(payload, time)).await.is_ok()
    })
    .await
}

/// All are marked, and all are told: once, unless an answer was lost or an invocation was repeated.
fn check(sink: &Sink, ids: &[MessageId], may_repeat: bool) {
    assert!(sink.state.record().history.values().all(|kept| kept.is_read == "1"));
    let told = told(sink);
    assert_eq!(told.len(), ids.len(), "every id is told");
    assert!(may_repeat || told.values().all(|times| *times == 1), "an id is told twice");
}

async fn survives(class: Class) {
    at_all_rates(async |percent, times| {
        let sink = sink(Population::of(0), faults(class, percent));
        let ids = ids(40 * times);
        add_unread(&sink, &ids);
        let clients = clients(&sink, ADDER).await;
        let invoked = receive(&sink, &clients, payload(ids.clone()), TIME).await;
        check(&sink, &ids, class.is_ambiguous() || invoked.failed > 0);
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

/// The time ends in the middle of a receipt, which lists ids or says up to when: what was marked is told
/// all the same, and the rest is handed on.
async fn survives_the_end_of_its_time(class: Class) {
    at_all_rates(async |percent, times| {
        let (sink, clients) = slow("UpdateItem", faults(class, percent), ADDER).await;
        let ids = ids(calls_for(times));
        add_unread(&sink, &ids);
        let listed = percent == 10;
        let first = if listed { payload(ids.clone()) } else { everything() };
        let invoked = receive(&sink, &clients, first, SHORT).await;
        assert!(invoked.count > 1, "there was time for all");
        // A call that is cut off has no answer.
        check(&sink, &ids, true);
        sink
    })
    .await;
}

#[tokio::test]
async fn throttles_when_time_ends() {
    survives_the_end_of_its_time(Class::Throttle).await;
}

#[tokio::test]
async fn server_errors_when_time_ends() {
    survives_the_end_of_its_time(Class::ServerError).await;
}

#[tokio::test]
async fn timeouts_when_time_ends() {
    survives_the_end_of_its_time(Class::Timeout).await;
}

#[tokio::test]
async fn resets_when_time_ends() {
    survives_the_end_of_its_time(Class::Reset).await;
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

/// "Everything up to a time" is handed on as lists before any of it is marked: marked, it would not be
/// found as unread by the repetition of an invocation that died, and never be told.
#[tokio::test]
async fn everything_up_to_a_time_is_listed_before_it_is_marked() {
    let sink = sink(Population::of(0), Faults::none());
    let ids = ids(250);
    add_unread(&sink, &ids);
    let app = leak(App::new(&clients(&sink, ADDER).await));
    let summary = handle(app, event(everything(), TIME)).await.unwrap();
    assert_eq!((summary.handed_back, summary.changed), (ids.len(), 0));
    assert_eq!(sink.state.tally().of("UpdateItem").calls, 0);
    assert_eq!(sink.state.record().invocations.len(), 3, "a list for each page of the index");
}

/// A call whose receipts can be neither published nor handed on, as Lambda takes no invocation, fails. Its
/// messages are marked, and it comes again under another name, so that nobody else would tell of them:
/// they are parked, and whoever replays that tells.
#[tokio::test]
async fn what_a_call_cannot_tell_is_parked() {
    let sink = sink(Population::of(0), Faults { only: Some("Invoke"), ..faults(Class::Throttle, 100) });
    let ids = ids(10);
    add_unread(&sink, &ids);
    let (status, _) = call(&sink, &ids).await;
    assert_eq!(status, 503, "the caller is told to try again");
    assert!(sink.state.record().history.values().all(|kept| kept.is_read == "1"));
    let parked: serde_json::Value = serde_json::from_str(&sink.state.record().sent.remove(0)).unwrap();
    assert_eq!(parked["function"], "bench-sqs-browser-user-history-adder");

    let healthy = crate::trial::sink(Population::of(0), Faults::none());
    healthy.state.record().history = std::mem::take(&mut sink.state.record().history);
    let clients = clients(&healthy, ADDER).await;
    receive(&healthy, &clients, parked["requestPayload"].to_string(), TIME).await;
    check(&healthy, &ids, false);
}

/// A call with more ids than it is worth to write for without asking: what is unread is asked for.
#[tokio::test]
async fn a_call_writes_only_what_is_unread() {
    let sink = sink(Population::of(0), Faults::none());
    let known = ids(90);
    add_unread(&sink, &known);
    let all = ids(1000);
    let (status, body) = call(&sink, &all).await;
    assert_eq!((status, body["messages_receipted"].as_array().unwrap().len()), (200, known.len()), "{body}");
    check(&sink, &known, false);
    assert_eq!(sink.state.tally().of("UpdateItem").entries, known.len() as u64);
}

/// Calls the HTTP API with a list of ids.
async fn call(sink: &Sink, ids: &[MessageId]) -> (i64, serde_json::Value) {
    let app = leak(messages_api::App::new(&clients(sink, "messages-api").await));
    let request = serde_json::json!({
        "resource": "/messages/set-read/user/{userId}", "path": "/", "httpMethod": "POST", "headers": {},
        "multiValueHeaders": {}, "queryStringParameters": {}, "multiValueQueryStringParameters": {},
        "pathParameters": {"userId": USER.to_string()}, "stageVariables": {}, "requestContext": {"httpMethod": "POST"},
        "body": serde_json::to_string(ids).unwrap(), "isBase64Encoded": false,
    });
    let context = event("0".into(), Duration::from_secs(8)).context;
    let request = LambdaEvent::new(serde_json::from_value(request).unwrap(), context);
    let response = Box::pin(messages_api::handle(app, request)).await.unwrap();
    let mut response = serde_json::to_value(response).unwrap();
    let body = serde_json::from_str(response["body"].take().as_str().unwrap()).unwrap();
    (response["statusCode"].as_i64().unwrap(), body)
}
