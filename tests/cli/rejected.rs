//! `sbe rejected`: messages that were rejected.

use crate::own::Own;
use aws_sdk_kinesis::primitives::Blob;
use sbe_tests::{eventually, unique};
use serde_json::Value;
use std::sync::LazyLock;
use tokio::sync::{Mutex, MutexGuard};

static OWN: LazyLock<Own> = LazyLock::new(|| Own::start("rejects"));

/// A test has the queue for itself: an entry that one looks at is hidden from the others.
static QUEUE: Mutex<()> = Mutex::const_new(());

async fn waiting() -> usize {
    OWN.waiting(&OWN.system.rejected_queue_url).await
}

/// The queue, with nothing in it but what becomes of these records.
async fn with(records: &[&str]) -> MutexGuard<'static, ()> {
    let guard = QUEUE.lock().await;
    OWN.system
        .sqs()
        .purge_queue()
        .queue_url(&OWN.system.rejected_queue_url)
        .send()
        .await
        .expect("AWS answers");
    for record in records {
        let put = OWN.system.kinesis().put_record().stream_name(&OWN.system.stream).partition_key("1");
        put.data(Blob::new(*record)).send().await.expect("AWS answers");
    }
    eventually("the rejections", || async { (waiting().await == records.len()).then_some(()) }).await;
    guard
}

/// Waits until a user's history has this text.
async fn arrives(user: i64, text: &str) {
    eventually("the message", || async { OWN.history(user).await.contains(text).then_some(()) }).await;
}

async fn ids() -> Vec<String> {
    let list = OWN.sbe(&["rejected", "list", "--json"]).await.success();
    let id = |line: &str| {
        serde_json::from_str::<Value>(line).expect("it is there")["id"]
            .as_str()
            .expect("it is there")
            .to_owned()
    };
    list.lines().map(id).collect()
}

#[tokio::test]
async fn they_are_corrected_in_bulk() {
    let _queue =
        with(&[r#"{"user_id":7,"n":12345678901234567890123}"#, r#"{"user_id":7,"n":2}"#, "no JSON"]).await;
    let text = OWN.sbe(&["rejected", "list", "--summary"]).await.success();
    assert!(text.contains("user_id is not a routing key"), "{text}");
    let user = unique();
    let set = format!("userId={user}");
    let replay = ["rejected", "replay", "--reason", "user_id", "--set", &set, "--unset", "user_id", "--yes"];
    OWN.sbe(&replay).await.success();
    arrives(user, r#""n":12345678901234567890123"#).await;
    arrives(user, r#""n":2"#).await;
    assert_eq!(waiting().await, 1, "the other one stays");
    let error = OWN.sbe(&["rejected", "replay", "--set", "userId=1", "--yes"]).await.failure(1);
    assert!(error.contains("must be a JSON object"), "{error}");
    let ids = ids().await;
    let shown = OWN.sbe(&["rejected", "show", &ids[0]]).await.success();
    assert!(shown.contains("no JSON") && shown.contains("kinesis"), "{shown}");
    OWN.sbe(&["rejected", "drop", &ids[0], "--yes"]).await.success();
    assert_eq!(waiting().await, 0);
}

#[tokio::test]
async fn one_is_edited_and_checked() {
    let _queue = with(&[r#"{"userId":null,"n":1}"#]).await;
    let (user, id) = (unique(), ids().await.remove(0));
    let edit = async |editor: String| {
        let mut command = OWN.command(&["rejected", "replay", &id, "--edit"]);
        sbe_tests::sbe::Run::from(
            command.env_remove("VISUAL").env("EDITOR", editor).output().await.expect("it is there"),
        )
    };
    let error = edit("true".into()).await.failure(1);
    assert!(error.contains("nothing was edited"), "{error}");
    let error = edit("sed -i s/null/1.5/".into()).await.failure(1);
    assert!(error.contains("userId must be") && error.contains("your text is in /"), "{error}");
    let file =
        error.split("your text is in ").nth(1).expect("it is there").lines().next().expect("it is there");
    std::fs::remove_file(file).expect("the text is kept");
    edit("false".into()).await.failure(2);
    assert_eq!(waiting().await, 1, "it stays");
    edit(format!("sed -i s/null/{user}/")).await.success();
    arrives(user, r#""n":1"#).await;
    assert_eq!(waiting().await, 0);
}

#[tokio::test]
async fn nothing_goes_to_everyone_by_mistake_or_unchanged_for_nothing() {
    let _queue = with(&[r#"{"userId":null,"n":1}"#]).await;
    let id = ids().await.remove(0);
    let error = OWN.sbe(&["rejected", "replay", "--unset", "userId", "--yes"]).await.failure(1);
    assert!(error.contains("_everyone must be in a message without"), "{error}");
    let error = OWN.sbe(&["rejected", "replay", "--unchanged", "--yes"]).await.failure(1);
    assert!(error.contains("userId must be"), "{error}");
    OWN.sbe(&["rejected", "replay", "--yes"]).await.failure(2);
    OWN.sbe(&["rejected", "replay", "--stdin"]).await.failure(2);
    let user = unique();
    let message = format!(r#"{{"userId":{user},"n":3}}"#);
    OWN.sbe_with(&["rejected", "replay", &id, "--stdin"], &message).await.success();
    arrives(user, r#""n":3"#).await;
}
