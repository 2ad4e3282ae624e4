//! Events of messages that reach nobody, while AWS fails.

use crate::{
    dispatcher::{DISPATCHER, dispatch_until_done, invoke, plan},
    trial::{TIME, at_all_rates, calls_for, clients, clients_without_bus, faults, leak, silence, sink_with},
};
use event_dispatcher::App;
use sbe_bench::{
    events::kinesis,
    population::Population,
    sink::{
        Plan,
        faults::{Class, Faults},
        server::Sink,
    },
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Less than what is kept aside at the end of an invocation, and a second and a half for reading.
const SHORT: Duration = Duration::from_secs(4);

/// What hands events on.
const FIELD: &str = "sqs-browser-events/unreached";

async fn app(sink: &Sink) -> &'static App {
    leak(App::new(&clients(sink, DISPATCHER).await))
}

fn always(operation: &'static str) -> Faults {
    Faults { percent: 100, ..silence(operation) }
}

/// The event buses' details by message, each as often as it was put.
fn told(sink: &Sink) -> BTreeMap<String, Vec<Value>> {
    let mut told = BTreeMap::<_, Vec<_>>::new();
    for event in &sink.state.record().events {
        let entry = &event.entry;
        assert_eq!(
            (&entry["Source"], &entry["EventBusName"]),
            (&json!("sqs-browser-events"), &json!("bench"))
        );
        assert_eq!(entry["DetailType"], "message.unreached");
        let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
        told.entry(detail["messageId"].as_str().unwrap().to_owned()).or_default().push(detail);
    }
    told
}

/// docs/PROTOCOL.md: "The event is put when the history has been handed the message, never before"
fn assert_history_came_first(sink: &Sink) {
    let record = sink.state.record();
    for event in &record.events {
        let detail: Value = serde_json::from_str(event.entry["Detail"].as_str().unwrap()).unwrap();
        let id = format!(r#""messageId":{}"#, detail["messageId"]);
        let kept = record.invocations[..event.invocations].iter().any(|invocation| {
            invocation.function.ends_with("user-history-adder") && invocation.payload.contains(&id)
        });
        assert!(kept, "told before it was kept: {id}");
    }
}

/// Of every four messages to a user one is for somebody who is there, one for somebody who is not, one for
/// a user who is there in another account, and one for nobody, which nobody is told of. Between them are
/// messages to accounts, whose rest is handed on.
fn messages(count: usize) -> (Vec<String>, Vec<String>) {
    let (mut messages, mut unreached) = (Vec::new(), Vec::new());
    for number in 0..count {
        let (keys, is_told) = match number % 4 {
            0 => (json!({"userId": number, "_offline": 1}), false),
            1 => (json!({"userId": format!("absent|{number}"), "_type": "listed", "accountId": 7}), true),
            2 => (json!({"userId": 9, "accountId": 900 + number, "_offline": "ids"}), true),
            _ => (json!({"userId": format!("absent|{number}"), "_type": "other"}), false),
        };
        let id = format!("m-{number}");
        let mut message = keys;
        message["messageId"] = json!(id);
        messages.push(message.to_string());
        unreached.extend(is_told.then_some(id));
        if number % 8 == 0 {
            messages
                .push(json!({"accountId": 7, "messageId": format!("a-{number}"), "_offline": 1}).to_string());
        }
    }
    (messages, unreached)
}

async fn survives(class: Class) {
    at_all_rates(async |percent, times| {
        let sink = sink_with(Plan { page_items: Some(16), faults: faults(class, percent), ..plan(times) });
        let (messages, unreached) = messages(calls_for(times));
        let rounds = dispatch_until_done(&sink, app(&sink).await, &messages, TIME).await;
        assert_eq!((rounds.repeats, rounds.failed), (0, 0), "there was time for all");
        let told = told(&sink);
        let mut expected: Vec<&String> = unreached.iter().collect();
        expected.sort_unstable();
        assert_eq!(told.keys().collect::<Vec<_>>(), expected);
        // What is handed on may have been put by a call that was given up.
        let gave_up = handed_on(&sink).iter().any(|payload| payload.contains(FIELD));
        if !class.is_ambiguous() && !gave_up {
            assert!(told.values().all(|details| details.len() == 1), "told twice");
        }
        assert_history_came_first(&sink);
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
async fn partial_failures() {
    survives(Class::Partial).await;
}

#[tokio::test]
async fn timeouts() {
    survives(Class::Timeout).await;
}

#[tokio::test]
async fn resets() {
    survives(Class::Reset).await;
}

fn absent(more: Value) -> String {
    let mut message = json!({"userId": "absent", "messageId": "m", "_offline": 1});
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    message.to_string()
}

/// The payloads that were handed on.
fn handed_on(sink: &Sink) -> Vec<String> {
    let record = sink.state.record();
    let own = record.invocations.iter().filter(|invocation| invocation.function.ends_with(DISPATCHER));
    own.map(|invocation| invocation.payload.clone()).collect()
}

/// A bus that does not answer holds up nobody: events are handed on, in the end they are parked, and what
/// was parked is put once the bus is back.
#[tokio::test]
async fn a_bus_that_does_not_answer() {
    let sink = sink_with(Plan { faults: always("PutEvents"), ..plan(1) });
    let start = Instant::now();
    let app_of_silence = app(&sink).await;
    let outcome = invoke(app_of_silence, kinesis(&[absent(json!({}))]), TIME).await.unwrap();
    assert_eq!(serde_json::to_value(outcome).unwrap()["batchItemFailures"], json!([]));
    assert!(start.elapsed() < TIME / 4, "the shard waited");
    let [first] = &handed_on(&sink)[..] else { panic!("it was not handed on once") };
    assert!(first.contains(FIELD) && first.contains(r#""depth":1"#), "{first}");

    let last = first.replace(r#""depth":1"#, r#""depth":12"#);
    invoke(app_of_silence, last, SHORT).await.unwrap();
    let parked: Value = serde_json::from_str(&sink.state.record().sent[0]).unwrap();
    assert_eq!(parked["function"], "bench-sqs-browser-event-dispatcher");
    assert_eq!(parked["requestPayload"][FIELD]["depth"], 0);
    assert!(sink.state.record().events.iter().all(|event| !event.answered));

    let mended = sink_with(plan(1));
    invoke(app(&mended).await, parked["requestPayload"].to_string(), SHORT).await.unwrap();
    assert_eq!(told(&mended)["m"].len(), 1);
    assert_eq!(told(&mended)["m"][0]["message"]["messageId"], "m");
}

/// With neither a bus nor a way to hand on, the message has failed at its source.
#[tokio::test]
async fn what_can_be_neither_put_nor_handed_on_is_reported() {
    let slow = Some(("Invoke", Duration::from_mins(1)));
    let sink = sink_with(Plan { faults: always("PutEvents"), slow, ..plan(1) });
    let batch =
        [json!({"userId": 9, "accountId": 900, "_sqs_only": 1}).to_string(), absent(json!({"_sqs_only": 1}))];
    let outcome =
        serde_json::to_value(invoke(app(&sink).await, kinesis(&batch), SHORT).await.unwrap()).unwrap();
    assert_eq!(outcome["batchItemFailures"][0]["itemIdentifier"], format!("{:056}", 1));
}

/// What the bus cannot take is told of without the message; what it cannot take even so is parked.
#[tokio::test]
async fn what_the_bus_refuses_for_good() {
    let batch =
        [absent(json!({"text": "x".repeat(500)})), absent(json!({"messageId": "small", "_offline": "ids"}))];
    for (max_body, expected, parked) in [(200, vec!["m", "small"], 0), (10, vec![], 1)] {
        let sink = sink_with(Plan { max_body, ..plan(1) });
        let outcome = invoke(app(&sink).await, kinesis(&batch), TIME).await.unwrap();
        assert_eq!(serde_json::to_value(outcome).unwrap()["batchItemFailures"], json!([]));
        let told = told(&sink);
        assert_eq!(told.keys().collect::<Vec<_>>(), expected);
        assert!(told.values().flatten().all(|detail| detail.get("message").is_none()));
        let sent = sink.state.record().sent.clone();
        assert_eq!(sent.len(), parked);
        for parked in sent {
            let parked: Value = serde_json::from_str(&parked).unwrap();
            assert_eq!(parked["reason"], "EventBridge refuses the event; the log has the code");
            let events = parked["requestPayload"][FIELD]["events"].as_array().unwrap();
            assert_eq!(events.len(), 2);
            assert!(events.iter().any(|event| event["message"]["text"].is_string()), "the message is lost");
        }
    }
}

/// A lookup that is handed on says nothing about who is there: whoever comes to its end does.
#[tokio::test]
async fn a_lookup_that_is_handed_on() {
    let silent = sink_with(Plan { faults: always("Query"), ..plan(1) });
    let batch = [absent(json!({})), json!({"userId": 9, "messageId": "there", "_offline": 1}).to_string()];
    invoke(app(&silent).await, kinesis(&batch), SHORT).await.unwrap();
    assert!(told(&silent).is_empty());
    let mended = sink_with(plan(1));
    let app = app(&mended).await;
    let handed_on = handed_on(&silent);
    assert_eq!(handed_on.len(), 2, "a lookup each");
    for payload in handed_on {
        invoke(app, payload, SHORT).await.unwrap();
    }
    assert_eq!(told(&mended).into_keys().collect::<Vec<_>>(), ["m"]);
    assert_history_came_first(&mended);
}

/// A user's sessions take several invocations to read: the first ones count in the last.
#[tokio::test]
async fn a_user_with_very_many_sessions() {
    let population = Population { accounts: 8, sessions_per_user: 30, ..Population::of(60) };
    let slow = Some(("Query", Duration::from_millis(200)));
    let sink = sink_with(Plan { population, page_items: Some(1), slow, ..plan(1) });
    let batch = [
        json!({"userId": 1, "messageId": "there", "_offline": 1}).to_string(),
        json!({"userId": 1, "accountId": 900, "messageId": "elsewhere", "_offline": 1}).to_string(),
    ];
    let rounds = dispatch_until_done(&sink, app(&sink).await, &batch, SHORT).await;
    assert!(rounds.depth > 1, "it was read in two invocations");
    let told = told(&sink);
    assert_eq!(told.keys().collect::<Vec<_>>(), ["elsewhere"]);
    assert_eq!(told["elsewhere"].len(), 1);
    assert_history_came_first(&sink);
}

/// docs/PROTOCOL.md: "Without `EventBusName` nobody is told, and `_offline` has no meaning."
#[tokio::test]
async fn without_a_bus_nobody_is_told() {
    let sink = sink_with(plan(1));
    let app = leak(App::new(&clients_without_bus(&sink, DISPATCHER).await));
    invoke(app, kinesis(&[absent(json!({"_type": "listed"}))]), TIME).await.unwrap();
    assert!(told(&sink).is_empty() && handed_on(&sink).is_empty());
    let event = json!({"userId": "absent", "messageId": "m", "created": 1.5});
    let left = json!({FIELD: {"version": 1, "env": "bench", "depth": 1, "events": [event]}});
    let outcome = serde_json::to_value(invoke(app, left.to_string(), TIME).await.unwrap()).unwrap();
    let reason = "EventBusName must be set, or events of messages have nowhere to go";
    assert_eq!(outcome, json!({"success": false, "message": reason}));
    assert_eq!(sink.state.record().sent.len(), 1, "it is parked");
}
