//! Sessions end: destroyed, expired, replaced. What they leave behind is removed.

use aws_sdk_dynamodb::types::AttributeValue;
use sbe_tests::{
    Backend, Browser,
    backend::{dynamodb, invoke, sqs},
    eventually, now,
    system::stack,
    unique,
};
use serde_json::{Value, json};

async fn queue_exists(url: &str) -> bool {
    sqs().get_queue_attributes().queue_url(url).send().await.is_ok()
}

async fn queue_goes(url: &str) {
    eventually("the queue to go", || async { (!queue_exists(url).await).then_some(()) }).await;
}

/// Whether the session's keys still mean anything: they do not once the identity is deleted.
async fn keys_die(browser: &Browser) {
    eventually("the identity to go", || async {
        let poll = browser.sqs.receive_message().queue_url(browser.queue()).send().await;
        poll.is_err().then_some(())
    })
    .await;
}

#[tokio::test]
async fn destroyed() {
    let backend = Backend::new();
    let account = unique();
    let browser = backend.create(account, "s", None).await;
    backend.post(&format!("/destroy/{account}/s"), "").await.success();
    assert!(!queue_exists(&browser.queue()).await, "the queue goes with the call");
    keys_die(&browser).await;
    let status = backend.get(&format!("/status/{account}/s")).await.success();
    assert!(status["session"].is_null());
    let again = backend.get(&format!("/destroy/{account}/s")).await;
    assert_eq!(again.failure(404), "session not found");
    assert!(backend.get("/destroy/%00/s").await.failure(400).starts_with("accountId"));
}

async fn set_ttl(account: i64, session: &str, ttl: i64) {
    let update = dynamodb()
        .update_item()
        .table_name(&stack().session_table)
        .key("accountId", AttributeValue::S(account.to_string()))
        .key("sessionId", AttributeValue::S(session.into()))
        .update_expression("SET #ttl = :ttl")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":ttl", AttributeValue::N(ttl.to_string()));
    update.send().await.expect("the operator may change the table");
}

/// docs/PROTOCOL.md: "An abandoned session disappears by itself".
#[tokio::test]
async fn abandoned() {
    let backend = Backend::new();
    let account = unique();
    let browser = backend.create(account, "s", None).await;
    set_ttl(account, "s", now() - 1).await;
    let status = backend.get(&format!("/status/{account}/s")).await.success();
    assert!(status["session"].is_null(), "an ended session is not shown, removed or not");
    queue_goes(&browser.queue()).await;
    keys_die(&browser).await;
}

/// docs/PROTOCOL.md: "It receives messages until `ttl`" and docs/PROTOCOL.md: "After `ttl` it is made anew."
#[tokio::test]
async fn ended_but_not_yet_removed() {
    let backend = Backend::new();
    let account = unique();
    let old = backend.create(account, "s", None).await;
    // The local system removes expired items within seconds: far from zero is long gone.
    set_ttl(account, "s", now()).await;
    let reply = backend.post(&format!("/notify/{account}"), json!({"n": 1})).await.success();
    assert_eq!(reply["sessions"], 0);
    let new = backend.create(account, "s", None).await;
    assert_ne!(old.session["sqsUrl"], new.session["sqsUrl"]);
    queue_goes(&old.queue()).await;
    assert!(queue_exists(&new.queue()).await);
}

/// A replaced session's old queue goes by way of the table's stream.
#[tokio::test]
async fn replaced_by_another_user() {
    let backend = Backend::new();
    let (account, user) = (unique(), unique());
    let first = backend.create(account, "s", Some(user)).await;
    let second = backend.create(account, "s", Some(user + 1)).await;
    queue_goes(&first.queue()).await;
    assert!(queue_exists(&second.queue()).await);
    second.poll(0).await; // the new keys work
}

fn record(number: usize, name: &str, old: Value, new: Value) -> Value {
    json!({
        "awsRegion": stack().region, "eventID": number.to_string(), "eventName": name, "eventVersion": "1.1",
        "eventSource": "aws:dynamodb", "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/s",
        "dynamodb": {
            "ApproximateCreationDateTime": 1, "SequenceNumber": number.to_string(), "SizeBytes": 1,
            "StreamViewType": "NEW_AND_OLD_IMAGES", "Keys": {}, "OldImage": old, "NewImage": new,
        },
    })
}

fn image(url: &str, identity: &str) -> Value {
    json!({"sqsUrl": {"S": url}, "identityId": {"S": identity}})
}

/// A record that cannot be handled is reported, and blocks no other.
#[tokio::test]
async fn a_record_that_fails_is_reported_by_itself() {
    let backend = Backend::new();
    let account = unique();
    let (gone, kept) = (backend.create(account, "a", None).await, backend.create(account, "b", None).await);
    let identity = |browser: &Browser| browser.session["identityId"].as_str().unwrap().to_owned();
    // The function's role opens session queues only: this one it may not delete.
    let foreign = &stack().failed_queue_url;
    let records = json!([
        record(1, "REMOVE", image(foreign, "us-east-1:unknown"), json!({})),
        record(2, "REMOVE", image(&gone.queue(), &identity(&gone)), json!({})),
        record(3, "MODIFY", image(&kept.queue(), &identity(&kept)), image(&kept.queue(), &identity(&kept))),
        record(4, "REMOVE", image(&format!("{}-gone-already", gone.queue()), "us-east-1:unknown"), json!({})),
    ]);
    let reply = invoke("session-update-processor", json!({"Records": records})).await;
    assert_eq!(reply["batchItemFailures"], json!([{"itemIdentifier": "1"}]), "{reply}");
    assert!(!queue_exists(&gone.queue()).await);
    assert!(queue_exists(&kept.queue()).await && queue_exists(foreign).await);
    kept.poll(0).await; // an unchanged session keeps its identity
}
