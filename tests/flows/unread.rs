//! How many messages of a history are unread.

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::{StreamExt, stream};
use sbe_tests::{Backend, backend::dynamodb, eventually, now, system::stack, unique};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

async fn unread(backend: &Backend, user: i64, query: &str) -> Value {
    backend.get(&format!("/messages/user/{user}/unread?{query}")).await.success()
}

/// The count once it is this: it is read eventually consistently.
async fn counted(backend: &Backend, user: i64, query: &str, expected: Value) {
    let mut expected = expected;
    expected["success"] = json!(true);
    let mut last = Value::Null;
    for _ in 0..100 {
        last = unread(backend, user, query).await;
        if last == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(last, expected, "{query}");
}

/// docs/PROTOCOL.md: "`/messages/user/{userId}/unread` says how many messages of a history are unread, in all
/// and by type, without reading them."
///
/// docs/PROTOCOL.md: "The key `""` of `by_type` counts messages that have no `_type`, or one that histories
/// cannot be filtered by."
#[tokio::test]
async fn counts_by_type_time_and_receipts() {
    let (backend, user) = (Backend::new(), unique());
    counted(&backend, user, "", json!({"unread": 0, "by_type": {}})).await;
    for (id, kind) in [("a", json!("news")), ("b", json!("news")), ("c", json!("mail")), ("d", json!(7))] {
        let message = json!({"userId": user, "messageId": id, "_type": kind});
        backend.post("/notify", message).await.success();
    }
    backend.post("/notify", json!({"userId": user, "messageId": "e"})).await.success();
    counted(&backend, user, "", json!({"unread": 5, "by_type": {"": 2, "mail": 1, "news": 2}})).await;
    counted(&backend, user, "_type=news,other", json!({"unread": 2, "by_type": {"news": 2}})).await;

    let history = backend.history(user).await;
    let created =
        |id: &str| history.iter().find(|entry| entry["messageId"] == id).unwrap()["created"].to_string();
    let period = format!("start={}&end={}", created("b"), created("c"));
    counted(&backend, user, &period, json!({"unread": 2, "by_type": {"mail": 1, "news": 1}})).await;

    backend.post(&format!("/messages/set-read/user/{user}/message/a,e"), "").await.success();
    counted(&backend, user, "", json!({"unread": 3, "by_type": {"": 1, "mail": 1, "news": 1}})).await;
}

/// docs/PROTOCOL.md: "`is_read=0` shows only what is unread, `is_read=1` only what is read."
#[tokio::test]
async fn a_history_of_what_is_unread() {
    let (backend, user) = (Backend::new(), unique());
    for n in 0..6 {
        let kind = if n % 2 == 0 { "a" } else { "b" };
        let message = json!({"userId": user, "messageId": format!("m-{n}"), "_type": kind});
        backend.post("/notify", message).await.success();
    }
    eventually("the history", || async { (backend.history(user).await.len() == 6).then_some(()) }).await;
    backend.post(&format!("/messages/set-read/user/{user}/message/m-1,m-4"), "").await.success();
    for (query, expected) in [
        ("is_read=0", vec!["m-5", "m-3", "m-2", "m-0"]),
        ("is_read=1", vec!["m-4", "m-1"]),
        ("is_read=0&_type=b", vec!["m-5", "m-3"]),
        ("is_read=1&limit=1", vec!["m-4"]),
    ] {
        let page = backend.get(&format!("/messages/user/{user}?{query}")).await.success();
        let messages = page["messages"].as_array().unwrap();
        let ids: Vec<&str> = messages.iter().map(|entry| entry["messageId"].as_str().unwrap()).collect();
        assert_eq!(ids, expected, "{query}");
        let wanted = i32::from(query.starts_with("is_read=1"));
        assert!(messages.iter().all(|entry| entry["is_read"] == wanted), "{query}");
        assert_eq!(page["next"].is_string(), query.contains("limit"), "{query}");
    }
}

#[tokio::test]
async fn parameters_are_checked() {
    let (backend, user) = (Backend::new(), unique());
    for (path, message) in [
        ("?is_read=2", "is_read must be 0 or 1"),
        ("?is_read=", "is_read must be 0 or 1"),
        ("/unread?start=x", "start must be epoch seconds, such as 1763800000 or 1763800000.25"),
        ("/unread?start=2&end=1", "start must not be after end"),
        ("/unread?_type=a,,b", "_type must be a type, or several separated by commas"),
    ] {
        let reply = backend.get(&format!("/messages/user/{user}{path}")).await;
        assert_eq!(reply.failure(400), message, "{path}");
    }
    let text = "x".repeat(129);
    assert!(
        backend
            .get(&format!("/messages/user/{text}/unread"))
            .await
            .failure(400)
            .starts_with("userId must be")
    );
}

type Item = HashMap<String, AttributeValue>;

/// An entry as the history's function writes it; every fifth is read.
fn entry(user: i64, n: usize, ttl: i64) -> Item {
    let number = |number: String| AttributeValue::N(number);
    HashMap::from([
        ("userId".into(), AttributeValue::S(user.to_string())),
        ("messageId".into(), AttributeValue::S(format!("{n:043}"))),
        ("created".into(), number(format!("{}.{n:06}", now() - 100))),
        ("isRead".into(), number(u8::from(n % 5 == 4).to_string())),
        ("type".into(), AttributeValue::S(["news", "mail"][n % 2].into())),
        ("message".into(), AttributeValue::S("{}".into())),
        ("ttl".into(), number(ttl.to_string())),
    ])
}

async fn write(items: impl Iterator<Item = Item>) {
    let put = |item| {
        let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let puts: Vec<WriteRequest> = items.map(put).collect();
    let db = dynamodb();
    let batch = |puts: &[WriteRequest]| {
        db.batch_write_item().request_items(&stack().history_table, puts.to_vec()).send()
    };
    let written = stream::iter(puts.chunks(25).map(batch)).buffer_unordered(8);
    written
        .for_each(async |reply| assert!(reply.unwrap().unprocessed_items.unwrap_or_default().is_empty()))
        .await;
}

/// docs/PROTOCOL.md: "The numbers are exact up to 10,000. Where more are unread, or the time ends before all
/// are counted, `"at_least":true` says so, and there are at least as many as the numbers say."
#[tokio::test]
async fn ten_thousand_entries_are_counted_exactly() {
    let (backend, user) = (Backend::new(), unique());
    let living = now() + 600;
    write((0..10_000).map(|n| entry(user, n, living))).await;
    counted(&backend, user, "", json!({"unread": 8000, "by_type": {"mail": 4000, "news": 4000}})).await;
    // Two seconds on a machine that does nothing else, which other work adds to.
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        unread(&backend, user, "").await;
        fastest = fastest.min(start.elapsed());
    }
    println!("10,000 entries were counted in {fastest:?}");
    assert!(fastest < Duration::from_secs(10), "{fastest:?}");

    write((10_100..13_000).map(|n| entry(user, n, living))).await;
    let more = unread(&backend, user, "").await;
    assert_eq!((&more["unread"], &more["at_least"]), (&json!(10_000), &json!(true)), "{more}");
}

/// docs/PROTOCOL.md: "Expired entries do not count." They do not from the second on in which they expire,
/// before anything removes them.
#[tokio::test]
async fn expired_entries_do_not_count() {
    let (backend, user) = (Backend::new(), unique());
    write((0..4).map(|n| entry(user, n, now()))).await;
    let count = unread(&backend, user, "").await;
    assert_eq!(count, json!({"success": true, "unread": 0, "by_type": {}}));
}
