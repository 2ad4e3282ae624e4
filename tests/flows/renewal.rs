//! New access keys for a session.

use sbe_tests::{Backend, Browser, unique};
use serde_json::json;

/// docs/PROTOCOL.md: "`/renew` gives new access keys for the same identity, and a later end."
#[tokio::test]
async fn a_renewal_keeps_identity_queue_messages_and_key() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let old = backend.create(account, "s", None).await;
    backend.post(&format!("/notify/{account}"), json!({"flow": flow, "n": 1})).await.success();
    let new = Browser::new(&backend.post(&format!("/renew/{account}/s"), "").await.success());
    for field in ["identityId", "sqsUrl", "aesKey"] {
        assert_eq!(old.session[field], new.session[field], "{field} stays");
    }
    assert_ne!(old.session["secretKey"], new.session["secretKey"]);
    assert!(new.session["expires"].as_i64() >= old.session["expires"].as_i64());
    assert_eq!(new.receive(flow, 1).await, [json!(1)]);
}

#[tokio::test]
async fn a_session_that_is_not_there_cannot_be_renewed() {
    let backend = Backend::new();
    let reply = backend.get(&format!("/renew/{}/none", unique())).await;
    assert_eq!(reply.failure(404), "session not found");
    assert!(backend.get("/renew/%00/s").await.failure(400).starts_with("accountId"));
}

/// docs/PROTOCOL.md: "As long as they do, a further rotation changes nothing, so that a repeated call is
/// harmless and two keys are always enough."
#[tokio::test]
async fn a_rotation_changes_the_key_and_loses_nothing() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let old = backend.create(account, "s", None).await;
    let publish = async |n: i64| {
        let message = json!({"sessionId": "s", "flow": flow, "n": n});
        backend.post(&format!("/notify/{account}"), message).await.success();
    };
    publish(1).await;
    let rotate = format!("/renew/{account}/s?rotate=1");
    let new = Browser::new(&backend.post(&rotate, "").await.success());
    assert_ne!(old.session["aesKey"], new.session["aesKey"]);
    assert_eq!(old.session["aesKey"], new.session["previousAesKey"]);
    for field in ["identityId", "sqsUrl"] {
        assert_eq!(old.session[field], new.session[field], "{field} stays");
    }
    for path in [rotate, format!("/renew/{account}/s"), format!("/create/{account}/s")] {
        let again = backend.post(&path, "").await.success();
        for field in ["aesKey", "previousAesKey"] {
            assert_eq!(again["session"][field], new.session[field], "{field} after {path}");
        }
    }
    publish(2).await;
    let status = Browser::new(&backend.get(&format!("/status/{account}/s")).await.success());
    let mut received = status.receive(flow, 2).await;
    received.sort_by_key(serde_json::Value::as_u64);
    assert_eq!(received, [json!(1), json!(2)]);
    let listed = backend.get("/status?limit=1000").await.text;
    assert!(!listed.contains("revious"), "a list shows no keys");
    let reply = backend.get(&format!("/renew/{account}/s?rotate=yes")).await;
    assert_eq!(reply.failure(400), "rotate must be 0 or 1");
}

/// docs/PROTOCOL.md: "If the identity is gone, `/renew` gives the session a new one".
#[tokio::test]
async fn a_lost_identity_is_replaced() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let old = backend.create(account, "s", None).await;
    backend.post(&format!("/notify/{account}"), json!({"flow": flow, "n": 1})).await.success();
    lose_identity(&old).await;
    let new = Browser::new(&backend.post(&format!("/renew/{account}/s"), "").await.success());
    assert_ne!(old.session["identityId"], new.session["identityId"]);
    assert_eq!(old.session["sqsUrl"], new.session["sqsUrl"]);
    assert_eq!(new.receive(flow, 1).await, [json!(1)]);
}

/// Lets the session's identity be deleted, as the system itself deletes identities: by a record of
/// the sessions table's stream.
async fn lose_identity(browser: &Browser) {
    let stack = sbe_tests::system::stack();
    let identity = browser.session["identityId"].as_str().unwrap();
    let record = json!({
        "awsRegion": stack.region, "eventID": "1", "eventName": "REMOVE", "eventVersion": "1.1",
        "eventSource": "aws:dynamodb", "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/s",
        "dynamodb": {
            "ApproximateCreationDateTime": 1, "SequenceNumber": "1", "SizeBytes": 1,
            "StreamViewType": "NEW_AND_OLD_IMAGES", "Keys": {},
            "OldImage": {"identityId": {"S": identity}},
        },
    });
    let reply = sbe_tests::backend::invoke("session-update-processor", json!({"Records": [record]})).await;
    assert_eq!(reply["batchItemFailures"], json!([]), "{reply}");
}

/// A queue that somebody deleted: `/create` makes the session anew instead of refreshing it.
#[tokio::test]
async fn a_lost_queue_is_replaced() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let old = backend.create(account, "s", None).await;
    sbe_tests::backend::sqs().delete_queue().queue_url(old.queue()).send().await.unwrap();
    let new = backend.create(account, "s", None).await;
    assert_ne!(old.session["sqsUrl"], new.session["sqsUrl"]);
    backend.post(&format!("/notify/{account}"), json!({"flow": flow, "n": 1})).await.success();
    assert_eq!(new.receive(flow, 1).await, [json!(1)]);
}
