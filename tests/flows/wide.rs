//! Messages to an account or to everyone: shared out, handed on, and not held up by one bad row.

use aws_sdk_dynamodb::types::AttributeValue;
use sbe_tests::{
    Backend,
    backend::{dynamodb, invoke},
    system::stack,
    unique,
};
use serde_json::{Value, json};

/// What another invocation has handed on, as the dispatcher writes it.
fn handed_on(lookup: &Value, part: Value, message: &Value) -> Value {
    json!({"sqs-browser-events/handed-on": {
        "version": 1, "env": stack().env, "depth": 1, "lookups": [lookup], "part": part,
        "messages": [{"created": 1_763_800_000.5, "message": message}],
    }})
}

/// docs/PROTOCOL.md: "Broadcasts travel by themselves".
///
/// Twenty segments are more than one reader takes: they are handed on, three times.
#[tokio::test]
async fn a_scan_that_is_shared_out_reaches_each_session_once() {
    let backend = Backend::new();
    let flow = unique();
    let browsers =
        [backend.create(unique(), "s", Some(unique())).await, backend.create(unique(), "s", None).await];
    let all = json!("all");
    let part = json!({"lookup": all, "segments": {"from": 0, "to": 20, "total": 20}});
    let message = json!({"messageId": format!("m-{flow}"), "_sqs_only": 1, "flow": flow, "n": 1});
    assert_eq!(invoke("event-dispatcher", handed_on(&all, part, &message)).await, json!({"success": true}));
    for browser in &browsers {
        assert_eq!(browser.receive(flow, 1).await, [json!(1)]);
    }
}

/// The rest of an account, from where another invocation stood: the sessions before it are not reached.
#[tokio::test]
async fn the_rest_of_an_account_is_reached_from_where_it_stands() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let (before, after) =
        (backend.create(account, "a", None).await, backend.create(account, "b", None).await);
    let lookup = json!({"account": account});
    let part = json!({"lookup": lookup, "after": {"a": account, "s": "a"}, "upTo": "b"});
    let message = json!({"messageId": format!("m-{flow}"), "accountId": account, "flow": flow, "n": 1});
    assert_eq!(
        invoke("event-dispatcher", handed_on(&lookup, part, &message)).await,
        json!({"success": true})
    );
    assert_eq!(after.receive(flow, 1).await, [json!(1)]);
    // Broadcasts of other flows may come.
    let ours = |text: &String| text.contains(&flow.to_string());
    assert!(!before.poll(0).await.iter().any(ours));
}

#[tokio::test]
async fn an_unreadable_row_takes_nothing_from_the_others() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let browser = backend.create(account, "s", None).await;
    let put = dynamodb().put_item().table_name(&stack().session_table);
    let put = put.item("accountId", AttributeValue::S(account.to_string()));
    put.item("sessionId", AttributeValue::S("no session".into())).send().await.unwrap();
    let reply = backend.post(&format!("/notify/{account}"), json!({"flow": flow, "n": 1})).await.success();
    assert_eq!(reply["sessions"], 1);
    backend.post("/notify", json!({"_sqs_only": 1, "flow": flow, "n": 2})).await.success();
    let mut received = browser.receive(flow, 2).await;
    received.sort_by_key(Value::as_u64);
    assert_eq!(received, [json!(1), json!(2)]);
    let status = backend.get("/status?limit=1000").await.success();
    assert!(status["sessions"].is_array(), "{status}");
}
