//! Messages that are handed to the dispatcher by invoking it.

use sbe_tests::{
    Backend,
    backend::{invoke, parked},
    unique,
};
use serde_json::json;

#[tokio::test]
async fn one_message_or_a_list() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let browser = backend.create(account, "s", None).await;
    let message = |n: &str| json!({"accountId": account, "flow": flow, "n": n});
    let one = invoke("event-dispatcher", message("one")).await;
    assert_eq!((&one["success"], &one["sessions"]), (&json!(true), &json!(1)));
    let list = invoke("event-dispatcher", json!([message("two"), message("three")])).await;
    assert_eq!((&list["success"], &list["messages"][1]["sessions"]), (&json!(true), &json!(1)));
    let mut received = browser.receive(flow, 3).await;
    received.sort_by_key(ToString::to_string);
    assert_eq!(received, [json!("one"), json!("three"), json!("two")]);
}

/// A message may have fields that events of AWS have, too.
#[tokio::test]
async fn a_message_that_looks_like_an_event_is_a_message() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let browser = backend.create(account, "s", None).await;
    for (n, field, value) in [
        (0, "Records", json!("text")),
        (1, "Records", json!({"eventSource": "mine"})),
        (2, "requestContext", json!({})),
    ] {
        let mut message = json!({"accountId": account, "flow": flow, "n": n, "httpMethod": "GET"});
        message[field] = value;
        let reply = invoke("event-dispatcher", message).await;
        assert_eq!((&reply["success"], &reply["sessions"]), (&json!(true), &json!(1)), "{field}: {reply}");
    }
    let message = json!({"accountId": account, "flow": flow, "n": 3, "Records": [{"eventSource": "mine"}]});
    let reply = invoke("event-dispatcher", json!([message])).await;
    assert_eq!(reply["success"], true, "in an array all are messages: {reply}");
    assert_eq!(browser.receive(flow, 4).await.len(), 4);
}

/// docs/PROTOCOL.md: "`{"Records":[message, …]}` is a list of messages too, as in the original system."
#[tokio::test]
async fn a_list_under_records_is_a_list_of_messages() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let browser = backend.create(account, "s", None).await;
    let message = |n: i64| json!({"accountId": account, "flow": flow, "n": n});
    let reply =
        invoke("event-dispatcher", json!({"Records": [message(0), {"userId": null}, message(2)]})).await;
    assert_eq!(reply["success"], false);
    let fates: Vec<_> = reply["messages"].as_array().unwrap().iter().map(|fate| &fate["success"]).collect();
    assert_eq!(fates, [true, false, true]);
    assert_eq!(browser.receive(flow, 2).await, [json!(0), json!(2)]);
}

/// docs/PROTOCOL.md: "Events of other sources than the stream (SQS, SNS, S3, EventBridge), incomplete records
/// of Kinesis, and a list with fields beside `Records` are rejected and parked, and published to nobody."
#[tokio::test]
async fn events_that_are_not_supported_reach_nobody() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let browser = backend.create(account, "s", None).await;
    for event in [
        json!({"Records": [{"eventSource": "aws:sqs", "body": "{}", "flow": flow}]}),
        json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "{}"}, "flow": flow}]}),
        json!({"Records": [{"kinesis": {"data": "e30=", "flow": flow}}]}),
        json!({"Records": [{"eventSource": "aws:kinesis", "flow": flow}]}),
        json!({"Records": [{"accountId": account, "flow": flow}], "flow": flow}),
        json!({"detail-type": "Scheduled Event", "detail": {}, "flow": flow}),
    ] {
        let reply = invoke("event-dispatcher", event.clone()).await;
        assert_eq!(reply["success"], false, "{event}");
        let rejected = sbe_tests::eventually("the parked event", || parked(flow)).await;
        assert_eq!((&rejected["source"], &rejected["reason"]), (&json!("invocation"), &reply["message"]));
    }
    backend.post("/notify", json!({"accountId": account, "flow": flow, "n": "last"})).await.success();
    assert_eq!(browser.receive(flow, 1).await, [json!("last")]);
}

#[tokio::test]
async fn what_is_malformed_is_reported_and_parked() {
    let flow = unique();
    let reply = invoke("event-dispatcher", json!({"userId": null, "flow": flow})).await;
    assert_eq!(reply["success"], false);
    assert!(reply["message"].as_str().unwrap().starts_with("userId must be an integer"));
    let rejected = sbe_tests::eventually("the parked message", || parked(flow)).await;
    assert_eq!((&rejected["source"], &rejected["reason"]), (&json!("invocation"), &reply["message"]));
}
