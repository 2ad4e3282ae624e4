//! Lookups that are shared out or go on: time that ends in the middle, and what cannot be handed on.

use crate::{
    dispatcher::{DISPATCHER, FIELD, broadcasts, check, dispatch_until_done, invoke, narrowcasts, plan},
    trial::{TIME, clients, clients_with, faults, leak, silence, sink_with},
};
use event_dispatcher::App;
use futures::future::{Either, select};
use sbe_bench::{
    events::{kinesis, message_json},
    sink::{
        Plan,
        faults::{Class, Faults},
        server::Sink,
    },
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Less than what is kept aside at the end of an invocation, and a second and a half for reading.
const SHORT: Duration = Duration::from_secs(4);

async fn app(sink: &Sink) -> &'static App {
    leak(App::new(&clients(sink, DISPATCHER).await))
}

fn always(operation: &'static str) -> Faults {
    Faults { percent: 100, ..silence(operation) }
}

/// A table that says it has twenty million sessions is shared out in two steps.
#[tokio::test]
async fn everyone_is_shared_out() {
    let sink = sink_with(Plan { claimed_sessions: Some(20_000_000), ..plan(1) });
    let rounds = dispatch_until_done(&sink, app(&sink).await, &broadcasts(), TIME).await;
    assert_eq!((rounds.repeats, rounds.depth), (0, 2));
    check(&sink, &broadcasts(), &rounds);
}

/// The time ends in the middle of a segment, of an account and of a user's sessions, with every class of
/// faults: what was read is not read again.
#[tokio::test]
async fn time_that_ends_in_the_middle() {
    let trials = Class::ALL.map(async |class| {
        let faults = Faults { stall: 2 * SHORT, ..faults(class, 10) };
        let latency = "100".parse().unwrap();
        let sink = sink_with(Plan { page_items: Some(16), latency, faults, ..plan(1) });
        let app = app(&sink).await;
        for messages in [broadcasts(), narrowcasts()] {
            sink.state.record().invocations.clear();
            let rounds = dispatch_until_done(&sink, app, &messages, SHORT).await;
            assert!(rounds.handed_on > 0, "{class:?}: all was read in place");
            check(&sink, &messages, &rounds);
        }
    });
    futures::future::join_all(trials).await;
}

/// One lookup is not answered: it is handed on (as the broadcast beside it is anyway), and nobody else
/// waits for it or is repeated.
#[tokio::test]
async fn a_silent_lookup_is_handed_on_alone() {
    let sink = sink_with(Plan { faults: always("Query"), ..plan(1) });
    let session = sbe_bench::population::session_id(205);
    let key = format!(r#""accountId":5,"sessionId":"{}","#, session.as_str());
    let messages =
        [message_json(0, 300, r#""accountId":7,"#), message_json(1, 300, &key), message_json(2, 300, "")];
    let outcome = invoke(app(&sink).await, kinesis(&messages), SHORT).await.unwrap();
    assert_eq!(serde_json::to_value(outcome).unwrap()["batchItemFailures"], json!([]));
    let record = sink.state.record();
    let mut handed_on: Vec<Value> = record
        .invocations
        .iter()
        .filter(|invoked| invoked.function.ends_with(DISPATCHER))
        .map(|invoked| serde_json::from_str(&invoked.payload).unwrap())
        .collect();
    handed_on.retain(|event| event[FIELD]["part"]["lookup"] != "all");
    assert_eq!(handed_on.len(), 1);
    assert_eq!(handed_on[0][FIELD]["part"], json!({"lookup": {"account": 7}}));
    assert_eq!(handed_on[0][FIELD]["messages"].as_array().unwrap().len(), 1);
}

/// The reply to POST `/notify`, to everyone.
async fn notify(app: &'static App, time: Duration) -> Value {
    let context = json!({"requestId": "r", "stage": "s", "httpMethod": "POST"});
    let call = json!({
        "httpMethod": "POST", "resource": "/notify", "path": "/notify", "body": "{}",
        "headers": {}, "multiValueHeaders": {}, "requestContext": context,
    });
    serde_json::to_value(invoke(app, call.to_string(), time).await.unwrap()).unwrap()
}

/// docs/PROTOCOL.md: "It is absent when the rest of a wide audience, an account or everyone, is reached
/// after the reply".
#[tokio::test]
async fn a_caller_does_not_wait_for_everyone() {
    for (claimed, faults) in
        [(None, Faults::none()), (Some(20_000_000), Faults::none()), (None, always("Scan"))]
    {
        let sink = sink_with(Plan { claimed_sessions: claimed, faults, ..plan(1) });
        let app = app(&sink).await;
        let start = Instant::now();
        let reply = notify(app, TIME).await;
        assert!(start.elapsed() < TIME / 4, "the caller waited");
        let body: Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
        let is_read_in_place = claimed.is_none() && faults.percent == 0;
        let sessions = is_read_in_place.then(|| json!(sink.state.plan.population.sessions));
        assert_eq!((&body["success"], body.get("sessions")), (&json!(true), sessions.as_ref()), "{body}");
    }
}

/// What cannot be handed on is reported to the event's source: Kinesis, a caller, Lambda.
#[tokio::test]
async fn a_hand_on_that_cannot_be_made_is_reported() {
    let sink = sink_with(Plan { claimed_sessions: Some(20_000_000), faults: always("Invoke"), ..plan(1) });
    let app = app(&sink).await;
    let batch = [message_json(0, 300, r#""accountId":900,"#), message_json(1, 300, "")];
    let outcome = serde_json::to_value(invoke(app, kinesis(&batch), SHORT).await.unwrap()).unwrap();
    assert_eq!(outcome["batchItemFailures"][0]["itemIdentifier"], format!("{:056}", 1));

    assert_eq!(notify(app, SHORT).await["statusCode"], 503);
    assert!(invoke(app, handed_on("bench", 1), SHORT).await.is_err());
}

fn handed_on(env: &str, depth: u32) -> String {
    json!({FIELD: {
        "version": 1, "env": env, "depth": depth, "lookups": ["all"],
        "part": {"lookup": "all", "segments": {"from": 0, "to": 20, "total": 20}},
        "messages": [{"created": 1.5, "message": {"messageId": "m"}}],
    }})
    .to_string()
}

/// An event of another environment, or one that no dispatcher has made, is refused and parked.
#[tokio::test]
async fn what_is_foreign_or_malformed_is_parked() {
    let sink = sink_with(plan(1));
    let app = app(&sink).await;
    let malformed = json!({FIELD: {"text": "hello"}}).to_string();
    for (event, reason) in [
        (handed_on("other", 1), "must be of this environment"),
        (handed_on("bench", 13), "must be consistent in itself"),
        (malformed, "must be an event that a dispatcher has handed on"),
    ] {
        sink.state.record().sent.clear();
        let outcome = serde_json::to_value(invoke(app, event, TIME).await.unwrap()).unwrap();
        assert_eq!(outcome, json!({"success": false, "message": format!("{FIELD} {reason}")}));
        let parked: Value = serde_json::from_str(&sink.state.record().sent[0]).unwrap();
        assert_eq!(parked["reason"], format!("{FIELD} {reason}"));
    }
    assert!(sink.state.record().invocations.is_empty(), "somebody was reached");
}

/// What a later release handed on, before it was rolled back, fails: Lambda tries it again and keeps it for that release.
#[tokio::test]
async fn what_a_later_release_handed_on_is_left_for_it() {
    let sink = sink_with(plan(1));
    let later = handed_on("bench", 1).replace(r#""version":1"#, r#""version":2"#);
    let error = invoke(app(&sink).await, later, TIME).await.err().expect("it fails").to_string();
    assert!(error.starts_with("the payload has version 2"), "{error}");
    let record = sink.state.record();
    assert!(record.sent.is_empty() && record.invocations.is_empty(), "it is neither parked nor carried out");
}

/// What was handed on as often as may be and is still not done waits for a person, who lets it start anew.
#[tokio::test]
async fn what_does_not_come_to_an_end_is_parked() {
    let sink = sink_with(Plan { faults: always("Scan"), ..plan(1) });
    let deepest = handed_on("bench", 12).replace("20", "2");
    invoke(app(&sink).await, deepest, SHORT).await.unwrap();
    let record = sink.state.record();
    assert!(record.invocations.is_empty());
    assert_eq!(record.sent.len(), 2, "a lane each");
    let parked: Value = serde_json::from_str(&record.sent[0]).unwrap();
    assert_eq!(parked["function"], "bench-sqs-browser-event-dispatcher");
    assert_eq!(parked["requestPayload"][FIELD]["depth"], 0);
}

/// While the queue of rejected records cannot be reached the good ones leave at once.
#[tokio::test]
async fn a_record_that_cannot_be_parked_holds_up_nobody() {
    let sink = sink_with(Plan { faults: always("SendMessage"), ..plan(1) });
    let app = app(&sink).await;
    let good = message_json(0, 300, r#""accountId":7,"#);
    let batch = [good, "no JSON".to_owned()];
    let left = async {
        while sink.state.record().invocations.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let invocation = Box::pin(invoke(app, kinesis(&batch), SHORT));
    let Either::Right(((), invocation)) = select(invocation, Box::pin(left)).await else {
        panic!("the good record waited for the other");
    };
    let outcome = serde_json::to_value(invocation.await.unwrap()).unwrap();
    assert_eq!(outcome["batchItemFailures"][0]["itemIdentifier"], format!("{:056}", 1));
}

/// The good records behind one that the rejected queue does not take are not dispatched again.
#[tokio::test]
async fn a_record_that_the_rejected_queue_does_not_take_is_parked_by_its_place() {
    let sink = sink_with(Plan { refused_queue: Some("-rejected"), ..plan(1) });
    let urls = [
        ("REJECTED_QUEUE_URL", "http://sqs/1/bench-rejected"),
        ("FAILED_QUEUE_URL", "http://sqs/1/bench-failed"),
    ];
    let app = leak(App::new(&clients_with(&sink, DISPATCHER, &urls).await));
    let batch = ["no JSON".to_owned(), message_json(0, 300, r#""accountId":7,"#)];
    let outcome = invoke(app, kinesis(&batch), TIME).await.unwrap();
    assert_eq!(serde_json::to_value(outcome).unwrap()["batchItemFailures"], json!([]));
    let record = sink.state.record();
    assert_eq!(record.sent.len(), 1);
    let parked: Value = serde_json::from_str(&record.sent[0]).unwrap();
    let number = format!("{:056}", 0);
    let arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/bench-sqs-browser-event-dispatcher";
    let batch = json!({"shardId": "shardId-000000000000", "startSequenceNumber": number, "endSequenceNumber": number,
        "approximateArrivalOfFirstRecord": "2025-11-22T08:26:40.123Z", "batchSize": 1, "streamArn": arn});
    assert_eq!(
        (&parked["function"], &parked["KinesisBatchInfo"]),
        (&json!(format!("bench-sqs-browser-{DISPATCHER}")), &batch)
    );
    let reason = parked["reason"].as_str().unwrap();
    assert!(reason.starts_with("the rejected queue does not take it: "), "{reason}");
}

/// docs/PROTOCOL.md: "With the deployment's parameter `Broadcasts=marked` every message without routing
/// keys is rejected unless it has `_everyone`."
#[tokio::test]
async fn broadcasts_are_made_on_purpose_where_they_must_be_marked() {
    let sink = sink_with(plan(1));
    let clients = clients_with(&sink, DISPATCHER, &[("BROADCASTS", "marked")]).await;
    let app = leak(App::new(&clients));
    let batch = [message_json(0, 300, ""), message_json(1, 300, r#""_everyone":1,"#)];
    let outcome = invoke(app, kinesis(&batch), TIME).await.unwrap();
    assert_eq!(serde_json::to_value(outcome).unwrap()["batchItemFailures"], json!([]));
    let record = sink.state.record();
    let parked: Value = serde_json::from_str(&record.sent[0]).unwrap();
    let reason = "_everyone must be in a message without accountId, userId and sessionId";
    assert_eq!((record.sent.len(), &parked["reason"]), (1, &json!(reason)));
    let reached = |invoked: &&sbe_bench::sink::record::Invocation| invoked.payload.contains("\"number\":1");
    assert_eq!(record.invocations.iter().filter(reached).count(), record.invocations.len());
    assert!(!record.invocations.is_empty());
}
