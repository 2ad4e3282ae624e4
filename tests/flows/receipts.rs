//! Read receipts.

use sbe_tests::{Backend, Browser, eventually, unique};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn publish(backend: &Backend, user: i64, ids: &[&str]) {
    for id in ids {
        backend.post("/notify", json!({"userId": user, "messageId": id, "text": id})).await.success();
    }
    eventually("the history", || async { (backend.history(user).await.len() >= ids.len()).then_some(()) })
        .await;
}

/// The ids that the user has read.
async fn read(backend: &Backend, user: i64) -> Vec<String> {
    let history = backend.history(user).await;
    let read = history.iter().filter(|message| message["is_read"] == 1);
    let mut ids: Vec<String> =
        read.map(|message| message["messageId"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// The ids in the receipts that a session gets, until there are `count` different ones. A call to AWS whose
/// answer is lost is repeated, so that a part of a receipt may be told twice; that none is told twice
/// otherwise is what the fault tests of `crates/bench` show.
pub(crate) async fn receipted(browser: &Browser, count: usize) -> Vec<String> {
    let mut ids = BTreeSet::new();
    while ids.len() < count {
        let told = || async { Some(browser.poll(1).await).filter(|texts| !texts.is_empty()) };
        let texts = eventually(&format!("receipts after {} of {count} ids", ids.len()), told).await;
        ids.extend(texts.iter().filter_map(|text| receipt(browser, text)).flatten());
    }
    ids.into_iter().collect()
}

/// The ids in a message, if it is a receipt.
fn receipt(browser: &Browser, text: &str) -> Option<Vec<String>> {
    let message: Value = serde_json::from_str(text).unwrap();
    if message["_type"] != "message-read-receipt" {
        return None;
    }
    assert_eq!((&message["_sqs_only"], &message["userId"]), (&json!(1), &browser.session["userId"]));
    let listed = message["messages-receipted"].as_array().unwrap();
    Some(listed.iter().map(|id| id.as_str().unwrap().to_owned()).collect())
}

/// docs/PROTOCOL.md: "A list in a body is a JSON array; a number in it stands for its text, as it is written."
#[tokio::test]
async fn a_list_may_hold_numbers() {
    let backend = Backend::new();
    let user = unique();
    publish(&backend, user, &["7", "1.50", "b"]).await;
    let path = format!("/messages/set-read/user/{user}");
    let reply = backend.post(&path, "[7, 1.50, \"b\"]").await.success();
    assert_eq!(reply["messages_receipted"], json!(["7", "1.50", "b"]));
    assert_eq!(read(&backend, user).await, ["1.50", "7", "b"]);
}

/// Two sessions of one user: what one marks read, the other is told.
#[tokio::test]
async fn the_user_s_other_sessions_are_told() {
    let backend = Backend::new();
    let user = unique();
    let one = backend.create(unique(), "a", Some(user)).await;
    let two = backend.create(unique(), "b", Some(user)).await;
    publish(&backend, user, &["a", "b", "c"]).await;
    let reply =
        backend.post(&format!("/messages/set-read/user/{user}/message/a,c,unknown"), "").await.success();
    assert_eq!(reply["messages_receipted"], json!(["a", "c"]));
    for browser in [&one, &two] {
        assert_eq!(receipted(browser, 2).await, ["a", "c"]);
    }
    assert_eq!(read(&backend, user).await, ["a", "c"]);
    let history = backend.history(user).await;
    assert_eq!(history.len(), 3, "neither the receipt nor an unknown id is in the history: {history:?}");

    let again = backend.get(&format!("/messages/set-read/user/{user}/message/a,b")).await.success();
    assert_eq!(again["messages_receipted"], json!(["b"]), "only what changed");
}

#[tokio::test]
async fn everything_up_to_a_time() {
    let backend = Backend::new();
    let user = unique();
    publish(&backend, user, &["a", "b", "c"]).await;
    let history = backend.history(user).await;
    let second = history[1]["created"].to_string();
    let path = format!("/messages/set-read/user/{user}/asof/{second}");
    let reply = backend.post(&path, "").await.success();
    let mut ids: Vec<&str> =
        reply["messages_receipted"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["a", "b"]);
    let message = backend.get(&format!("/messages/set-read/user/{user}/asof/x")).await;
    assert!(message.failure(400).starts_with("timestamp must be epoch seconds"));
}

#[tokio::test]
async fn by_a_list_in_the_body() {
    let backend = Backend::new();
    let user = unique();
    publish(&backend, user, &["a", "with,comma"]).await;
    let path = format!("/messages/set-read/user/{user}");
    let reply = backend.post(&path, json!(["with,comma", "a", "a"])).await.success();
    assert_eq!(reply["messages_receipted"], json!(["with,comma", "a"]));
    for body in ["", "{}", "[true]", "[[1]]", "[\"\"]"] {
        assert!(
            backend.post(&path, body).await.failure(400).starts_with("body must be a JSON array"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn ids_are_checked() {
    let backend = Backend::new();
    for path in ["%0A/message/a", "%0A/asof/1"] {
        let reply = backend.post(&format!("/messages/set-read/user/{path}"), "").await;
        assert!(reply.failure(400).starts_with("userId must be an integer"), "{path}");
    }
    assert!(backend.post("/messages/set-read/user/%0A", "[]").await.failure(400).starts_with("userId"));
    let long = "x".repeat(257);
    let reply = backend.post(&format!("/messages/set-read/user/1/message/a,{long}"), "").await;
    assert_eq!(reply.failure(400), "messageId must be a string of 1 to 256 characters");
}

#[tokio::test]
async fn later() {
    let backend = Backend::new();
    let user = unique();
    let browser = backend.create(unique(), "a", Some(user)).await;
    publish(&backend, user, &["a", "b"]).await;
    let path = format!("/messages/set-read/user/{user}/message/a,b?async");
    assert_eq!(backend.post(&path, "").await.success(), json!({"success": true}));
    assert_eq!(receipted(&browser, 2).await, ["a", "b"]);
    assert_eq!(read(&backend, user).await, ["a", "b"]);
}

/// docs/PROTOCOL.md: "What a call has no time for is marked and told after the reply."
///
/// Listed, or everything up to a time: all are marked, the call answers in time, and every session of the
/// user is told of each id.
#[tokio::test]
async fn eight_thousand_ids_are_all_marked_and_told() {
    let backend = Backend::new();
    let ids: Vec<String> = (0..8000).map(|n| format!("m-{n:05}")).collect();
    for is_listed in [true, false] {
        let user = unique();
        let tabs = [
            backend.create(unique(), "a", Some(user)).await,
            backend.create(unique(), "b", Some(user)).await,
        ];
        write_unread(user, &ids).await;
        let start = std::time::Instant::now();
        let path = format!("/messages/set-read/user/{user}");
        let reply = if is_listed {
            backend.post(&path, json!(ids)).await.success()
        } else {
            backend.post(&format!("{path}/asof/{}", sbe_tests::now() + 1), "").await.success()
        };
        assert!(start.elapsed() < std::time::Duration::from_secs(29), "API Gateway has given up by then");
        let changed = reply["messages_receipted"].as_array().unwrap();
        assert!(!changed.is_empty(), "a call marks as many as it has time for");
        println!("{} of {} ids within the call of {:?}", changed.len(), ids.len(), start.elapsed());
        for tab in &tabs {
            // Not `assert_eq!`, which would print sixteen thousand ids.
            assert!(receipted(tab, ids.len()).await == ids, "each id, and no other");
            for text in tab.poll(1).await {
                let again = receipt(tab, &text).unwrap_or_default();
                assert!(again.iter().all(|id| ids.contains(id)), "and nothing else");
            }
        }
        let again = backend.post(&path, json!(ids)).await.success();
        assert_eq!(again["messages_receipted"], json!([]), "none is left");
    }
}

/// Entries as the history holds them.
async fn write_unread(user: i64, ids: &[String]) {
    use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
    let (table, db) = (&sbe_tests::system::stack().history_table, sbe_tests::backend::dynamodb());
    let put = |id: &String| {
        let put = PutRequest::builder()
            .item("userId", AttributeValue::S(user.to_string()))
            .item("messageId", AttributeValue::S(id.clone()))
            .item("created", AttributeValue::N(format!("{}.5", sbe_tests::now())))
            .item("isRead", AttributeValue::N("0".into()))
            .item("message", AttributeValue::S("{}".into()))
            .item("ttl", AttributeValue::N((sbe_tests::now() + 3600).to_string()));
        WriteRequest::builder().put_request(put.build().unwrap()).build()
    };
    for chunk in ids.chunks(25) {
        let puts: Vec<WriteRequest> = chunk.iter().map(put).collect();
        db.batch_write_item().request_items(table, puts).send().await.unwrap();
    }
}

/// docs/PROTOCOL.md: "a call may list tens of thousands of ids that way."
#[tokio::test]
async fn very_many_ids() {
    let backend = Backend::new();
    let user = unique();
    publish(&backend, user, &["a", "z"]).await;
    let mut ids: Vec<String> = (0..20_000).map(|n| format!("unknown-{n}")).collect();
    ids.insert(0, "a".into());
    ids.push("z".into());
    let path = format!("/messages/set-read/user/{user}");
    backend.post(&format!("{path}?async=1"), json!(ids)).await.success();
    eventually("both to be read", || async { (read(&backend, user).await == ["a", "z"]).then_some(()) })
        .await;
    publish(&backend, user, &["a", "z", "last"]).await;
    ids.push("last".into());
    let reply = backend.post(&path, json!(ids)).await.success();
    assert_eq!(reply["messages_receipted"], json!(["last"]));
    assert_eq!(backend.history(user).await.len(), 3, "no entry is created for an unknown id");
}

/// docs/PROTOCOL.md: "A replayed event neither duplicates a message, nor un-reads a read one, nor
/// moves `created`."
#[tokio::test]
async fn a_replay_changes_nothing() {
    let backend = Backend::new();
    let user = unique();
    publish(&backend, user, &["a"]).await;
    backend.post(&format!("/messages/set-read/user/{user}/message/a"), "").await.success();
    let before = backend.history(user).await;
    let payload = json!({
        "messages": [{"created": 5.0, "message": {"userId": user, "messageId": "a", "text": "other"}}],
        "users": [{"userId": user, "messages": [0]}],
    });
    let reply = sbe_tests::backend::invoke("user-history-adder", payload).await;
    assert_eq!((&reply["changed"], &reply["total"]), (&json!(0), &json!(1)));
    assert_eq!(backend.history(user).await, before);
}
