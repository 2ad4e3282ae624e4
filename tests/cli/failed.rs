//! `sbe failed`: what the functions gave up.

use crate::own::Own;
use aws_sdk_kinesis::{
    primitives::{Blob, DateTime},
    types::PutRecordsRequestEntry,
};
use sbe_tests::{eventually, unique};
use serde_json::{Value, json};
use std::{
    sync::LazyLock,
    time::{Duration, SystemTime},
};
use tokio::sync::{Mutex, MutexGuard};

static OWN: LazyLock<Own> = LazyLock::new(|| Own::start("given-up"));

/// A test has the queue for itself: an entry that one looks at is hidden from the others.
static QUEUE: Mutex<()> = Mutex::const_new(());

/// The queue, with nothing in it.
async fn empty() -> MutexGuard<'static, ()> {
    let guard = QUEUE.lock().await;
    OWN.system.sqs().purge_queue().queue_url(&OWN.system.failed_queue_url).send().await.expect("AWS answers");
    guard
}

async fn park(body: &str) {
    let send = OWN.system.sqs().send_message().queue_url(&OWN.system.failed_queue_url);
    send.message_body(body).send().await.expect("AWS answers");
}

/// A message for the history of a user, that the dispatcher gave up.
async fn park_message(user: i64, n: usize) {
    let function = OWN.system.function("event-dispatcher");
    // As functions park it, or as somebody did by hand; all of it is for the version that is live.
    let function = format!("{function}{}", ["", ":live", ":$LATEST"][n % 3]);
    park(&format!(
        r#"{{"function":"{function}","reason":"AccessDenied: not yet","requestPayload":{{"userId":{user},"messageId":"m-{n}","large":12345678901234567890123}}}}"#
    ))
    .await;
}

async fn waiting() -> usize {
    OWN.waiting(&OWN.system.failed_queue_url).await
}

/// How often a user's history has the number that no double holds.
async fn kept(user: i64) -> usize {
    OWN.history(user).await.matches(r#""large":12345678901234567890123"#).count()
}

#[tokio::test]
async fn entries_are_listed_and_left_there() {
    let _queue = empty().await;
    for n in 0..12 {
        park_message(1, n).await;
    }
    let sender = OWN.system.function("sqs-sender");
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{sender}:live");
    park(
        &json!({"requestContext": {"functionArn": arn, "condition": "EventAgeExceeded"},
        "requestPayload": {"deliveries": [{"aesKey": "c2VjcmV0"}]}})
        .to_string(),
    )
    .await;
    let groups = OWN.sbe(&["failed", "list", "--summary", "--json"]).await.json();
    assert_eq!((&groups[0]["entries"], &groups[0]["reason"]), (&json!(12), &json!("AccessDenied: not yet")));
    assert_eq!((&groups[1]["entries"], &groups[1]["origin"]), (&json!(1), &json!(sender)));
    let list = OWN.sbe(&["failed", "list", "--function", "sqs-sender", "--json"]).await.success();
    let row: Value = serde_json::from_str(&list).expect("it is there");
    assert_eq!(row["reason"], "EventAgeExceeded");
    assert_eq!(waiting().await, 13, "all are given back");
    let text = OWN.sbe(&["failed", "list", "--reason", "ACCESSDENIED", "--limit", "2"]).await.success();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert_eq!(OWN.sbe(&["failed", "list", "--older-than", "1h"]).await.success(), "");

    let id = row["id"].as_str().expect("it is there");
    let shown = OWN.sbe(&["failed", "show", &id[..20]]).await.success();
    assert!(shown.contains("deliveries") && !shown.contains("c2VjcmV0"), "{shown}");
    assert!(OWN.sbe(&["failed", "show", id, "--show-secrets"]).await.success().contains("c2VjcmV0"));
    OWN.sbe(&["failed", "show", "none"]).await.failure(5);
}

#[tokio::test]
async fn what_is_replayed_is_done_and_gone() {
    let _queue = empty().await;
    let user = unique();
    for n in 0..12 {
        park_message(user, n).await;
    }
    park(r#"{"function":"somebody-s","reason":"r","requestPayload":{}}"#).await;
    let run = OWN.sbe(&["failed", "replay", "--yes", "--json"]).await;
    assert_eq!(run.json()["replayed"], 12);
    assert!(
        run.json()["kept"][0]["reason"]
            .as_str()
            .expect("it is there")
            .contains("somebody-s is no function of environment")
    );
    run.failure(1);
    eventually("the messages", || async { (kept(user).await == 12).then_some(()) }).await;
    assert_eq!(waiting().await, 1, "what is not of this environment stays");
    OWN.sbe(&["failed", "drop", "--yes"]).await.success();
    assert_eq!(waiting().await, 0);
}

#[tokio::test]
async fn stopped_half_way_the_rest_is_left_and_nothing_is_done_twice() {
    let _queue = empty().await;
    let user = unique();
    for n in 0..8 {
        park_message(user, n).await;
    }
    let begun = || async { (kept(user).await > 0).then_some(()) };
    let run = OWN.interrupted(&["failed", "replay", "--yes", "--rate", "1/s", "--json"], begun).await;
    let replayed =
        usize::try_from(run.json()["replayed"].as_u64().expect("it is there")).expect("it is there");
    assert!((1..8).contains(&replayed), "{run:?}");
    assert_eq!(waiting().await, 8 - replayed);
    assert!(run.failure(130).contains("the same command goes on"));
    let rest = OWN.sbe(&["failed", "replay", "--yes", "--json"]).await;
    assert_eq!(rest.json()["replayed"], 8 - replayed);
    eventually("the messages", || async { (kept(user).await == 8).then_some(()) }).await;
}

#[tokio::test]
async fn nothing_is_deleted_without_a_yes() {
    let _queue = empty().await;
    park_message(1, 1).await;
    let error = OWN.sbe(&["failed", "drop"]).await.failure(2);
    assert!(error.contains("These 1 entries") && error.contains("--yes"), "{error}");
    OWN.sbe_with(&["failed", "drop"], "no\n").await.failure(2);
    assert_eq!(waiting().await, 1);
    OWN.sbe_with(&["failed", "drop"], "yes\n").await.success();
    assert_eq!(waiting().await, 0);
}

/// Records are read from the stream again, and their messages have the ids that they had.
#[tokio::test]
async fn records_of_the_stream_are_dispatched_again() {
    let _queue = empty().await;
    let user = unique();
    let put = OWN.system.kinesis().put_record().stream_name(&OWN.system.stream).partition_key("1");
    let put =
        put.data(Blob::new(json!({"userId": user, "n": 1}).to_string())).send().await.expect("AWS answers");
    let first = eventually("the message", || async { id(&OWN.history(user).await) }).await;
    // Whoever comes now has it only if it is dispatched again.
    let session = OWN.post(&format!("/create/{user}/s/{user}"), "").await["session"].clone();
    let queue = session["sqsUrl"].as_str().expect("it is there");
    park(&pointers("KinesisBatchInfo", &put.shard_id, &put.sequence_number)).await;
    OWN.sbe(&["failed", "replay", "--yes"]).await.success();
    eventually("the delivery", || async { (OWN.waiting(queue).await == 1).then_some(()) }).await;
    assert_eq!(id(&OWN.history(user).await), Some(first), "it has the same id");

    park(&pointers("KinesisBatchInfo", &put.shard_id, "0")).await;
    park(&pointers("KinesisBatchInfo", "shardId-000000000099", &put.sequence_number)).await;
    park(&pointers("DDBStreamBatchInfo", "shardId-0", "1")).await;
    let error = OWN.sbe(&["failed", "replay", "--yes"]).await.failure(1);
    assert_eq!(error.matches("does not have all of its 1 records any more").count(), 2, "{error}");
    assert!(error.contains("sbe cleanup"), "{error}");
    assert_eq!(waiting().await, 3);
}

/// A reader that was far behind parks the places of records that the stream is about to forget, or has forgotten.
#[tokio::test]
async fn an_entry_tells_how_long_its_record_is_kept() {
    let _queue = empty().await;
    let hour = Duration::from_hours(1);
    let retention =
        OWN.system.kinesis().describe_stream_summary().stream_name(&OWN.system.stream).send().await;
    let hours = retention
        .expect("AWS answers")
        .stream_description_summary
        .expect("it is there")
        .retention_period_hours;
    let hours = u32::try_from(hours).expect("a number of hours");
    let parked = async |age: Duration, number: &str| {
        let arrived = DateTime::from(SystemTime::now() - age).to_string();
        let entry = pointers("KinesisBatchInfo", "shardId-000000000000", number);
        park(&entry.replace(
            "\"batchSize\"",
            &format!("\"approximateArrivalOfFirstRecord\":\"{arrived}\",\"batchSize\""),
        ))
        .await;
    };
    parked((hours - 2) * hour, "1").await;
    parked((hours + 1) * hour, "2").await;
    park_message(1, 0).await;
    let list = OWN.sbe(&["failed", "list"]).await;
    let lines = list.stdout.lines().collect::<Vec<_>>().join("\n");
    assert!(lines.contains("FUNCTION") && lines.contains("  RECORD "), "{lines}");
    assert_eq!(
        (lines.matches("  kept 1 h 59 min  ").count(), lines.matches("  gone  ").count()),
        (1, 1),
        "{lines}"
    );
    assert!(list.stderr.contains("does not have the records of 1 of them any more"), "{list:?}");
    let json = OWN.sbe(&["failed", "list", "--json"]).await.success();
    let rows: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |gone: bool| rows.iter().filter(|row| row["recordIsGone"] == gone).collect::<Vec<_>>();
    assert_eq!((of(true).len(), of(false).len(), rows.len()), (1, 1, 3), "a payload has no record: {json}");
    assert!(of(false)[0]["recordUntil"].as_i64() > of(false)[0]["parked"].as_i64(), "{json}");
    let id = of(true)[0]["id"].as_str().expect("it is there");
    let shown = OWN.sbe(&["failed", "show", id]).await.success();
    assert!(shown.contains("\nrecord    gone\n"), "{shown}");
    let summary = OWN.sbe(&["failed", "list", "--summary"]).await;
    assert!(summary.stderr.contains("records of 1 of them"), "{summary:?}");
    OWN.sbe(&["failed", "drop", "--yes"]).await.success();
}

/// The id of the first message of a history.
fn id(history: &str) -> Option<String> {
    let history: Value = serde_json::from_str(history).ok()?;
    assert!(history["messages"].as_array()?.len() < 2, "{history}");
    Some(history["messages"][0]["messageId"].as_str()?.to_owned())
}

fn pointers(kind: &str, shard: &str, number: &str) -> String {
    let function = OWN.system.function("event-dispatcher");
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{function}");
    let info = json!({"shardId": shard, "startSequenceNumber": number, "endSequenceNumber": number, "batchSize": 1,
        "streamArn": format!("arn:aws:kinesis:us-east-1:000000000000:stream/{}", OWN.system.stream)});
    json!({"requestContext": {"functionArn": arn, "condition": "RetryAttemptsExhausted"}, kind: info})
        .to_string()
}

/// docs/OPERATIONS.md: "A record that the rejected queue does not take is in the failed queue".
#[tokio::test]
async fn what_the_rejected_queue_does_not_take_is_there_once_it_does() {
    let _queue = empty().await;
    let user = unique();
    let session = OWN.post(&format!("/create/{user}/s/{user}"), "").await["session"].clone();
    let queue = session["sqsUrl"].as_str().expect("it is there");
    let iam = OWN.system.iam();
    let roles = iam.list_roles().send().await.expect("roles can be listed").roles;
    let is_it = |name: &str| name.contains("EventDispatcherRole") && name.contains(OWN.system.env.as_str());
    let role = roles.iter().find(|role| is_it(role.role_name())).expect("there is the role").role_name();
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sqs:SendMessage",
        "Resource": format!("arn:aws:sqs:*:*:{}-sqs-browser-rejected", OWN.system.env)}]});
    let put = iam.put_role_policy().role_name(role).policy_name("deny").policy_document(deny.to_string());
    put.send().await.expect("a policy can be put");
    let record = |data: String| {
        let entry = PutRecordsRequestEntry::builder().partition_key("1").data(Blob::new(data));
        entry.build().expect("data and key are given")
    };
    let bad = json!({"userId": null, "messageId": format!("bad-{user}")}).to_string();
    let good = json!({"userId": user, "n": 1}).to_string();
    let put = OWN.system.kinesis().put_records().stream_name(&OWN.system.stream);
    put.records(record(bad)).records(record(good)).send().await.expect("AWS answers");
    eventually("the place", || async { (waiting().await == 1).then_some(()) }).await;
    eventually("the good message", || async { (OWN.waiting(queue).await == 1).then_some(()) }).await;
    let list = OWN.sbe(&["failed", "list", "--function", "event-dispatcher", "--json"]).await.success();
    assert!(list.contains("the rejected queue does not take it"), "{list}");
    assert!(list.contains(r#""recordIsGone":false"#), "the dispatcher says when the record came: {list}");

    iam.delete_role_policy().role_name(role).policy_name("deny").send().await.expect("it can be deleted");
    OWN.sbe(&["failed", "replay", "--yes"]).await.success();
    let rejected = OWN.sbe(&["rejected", "list", "--json"]).await.success();
    assert!(rejected.contains("userId must be"), "{rejected}");
    assert_eq!((waiting().await, OWN.waiting(queue).await), (0, 1), "nothing else was done again");
}
