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
        (0, "Records", json!([])),
        (1, "Records", json!("text")),
        (2, "Records", json!([{"eventSource": "mine"}])),
        (3, "requestContext", json!({})),
    ] {
        let mut message = json!({"accountId": account, "flow": flow, "n": n, "httpMethod": "GET"});
        message[field] = value;
        let reply = invoke("event-dispatcher", message).await;
        assert_eq!((&reply["success"], &reply["sessions"]), (&json!(true), &json!(1)), "{field}: {reply}");
    }
    assert_eq!(browser.receive(flow, 4).await.len(), 4);
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
