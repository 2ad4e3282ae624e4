//! A user's history.

use aws_sdk_dynamodb::types::AttributeValue;
use sbe_tests::{Backend, backend::dynamodb, eventually, now, system::stack, unique};
use serde_json::{Value, json};

/// docs/PROTOCOL.md: "Each distinct user reached keeps the message once, however many sessions; a
/// message addressed to a userId is kept even with no session."
#[tokio::test]
async fn each_user_keeps_each_message_once() {
    let backend = Backend::new();
    let (account, one, two, absent) = (unique(), unique(), unique(), unique());
    for (session, user) in [("a", Some(one)), ("b", Some(one)), ("c", Some(two)), ("d", None)] {
        backend.create(account, session, user).await;
    }
    backend.post("/notify", json!({"accountId": account, "text": "all"})).await.success();
    backend.post("/notify", json!({"accountId": account, "text": "hidden", "_sqs_only": 1})).await.success();
    let kept = backend.post("/notify", json!({"userId": absent, "text": "absent"})).await.success();
    assert_eq!(kept["sessions"], 0);
    for (user, text) in [(one, "all"), (two, "all"), (absent, "absent")] {
        let history = kept_messages(&backend, user, 1).await;
        assert_eq!(history.len(), 1, "{history:?}");
        assert_eq!((&history[0]["text"], &history[0]["is_read"]), (&json!(text), &json!(0)));
        assert_eq!(history[0]["userId"], user);
    }
}

/// The history once it has `count` messages.
async fn kept_messages(backend: &Backend, user: i64, count: usize) -> Vec<Value> {
    eventually("the history", || async {
        let history = backend.history(user).await;
        (history.len() >= count).then_some(history)
    })
    .await
}

#[tokio::test]
async fn pages_times_and_types() {
    let backend = Backend::new();
    let user = unique();
    for n in 0..5 {
        let kind = if n % 2 == 0 { "even" } else { "odd" };
        backend.post("/notify", json!({"userId": user, "n": n, "_type": kind})).await.success();
    }
    let all = kept_messages(&backend, user, 5).await;
    let numbers = |messages: &Value| -> Vec<i64> {
        messages.as_array().unwrap().iter().map(|message| message["n"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbers(&json!(all)), [4, 3, 2, 1, 0], "newest first");

    let get = async |query: &str| backend.get(&format!("/messages/user/{user}?{query}")).await.success();
    assert_eq!(numbers(&get("_type=odd").await["messages"]), [3, 1]);
    assert_eq!(numbers(&get("_type=odd,even&limit=2").await["messages"]), [4, 3]);
    let created = |n: usize| all[4 - n]["created"].to_string();
    let between = format!("start={}&end={}", created(1), created(3));
    assert_eq!(numbers(&get(&between).await["messages"]), [3, 2, 1], "both ends belong to it");

    let mut pages = Vec::new();
    let mut next = String::new();
    loop {
        let page = get(&format!("limit=2{next}")).await;
        pages.push(numbers(&page["messages"]));
        match page["next"].as_str() {
            Some(token) => next = format!("&next={token}"),
            None => break,
        }
    }
    assert_eq!(pages, [vec![4, 3], vec![2, 1], vec![0]]);
}

/// docs/PROTOCOL.md: "An entry is shown for the deployment's `UserMessageTtl`": not longer, though
/// DynamoDB may keep it for days.
#[tokio::test]
async fn expired_entries_are_not_shown() {
    let (backend, user) = (Backend::new(), unique());
    let entry = |id: &str, ttl: i64| {
        dynamodb()
            .put_item()
            .table_name(&stack().history_table)
            .item("userId", AttributeValue::S(user.to_string()))
            .item("messageId", AttributeValue::S(id.into()))
            .item("created", AttributeValue::N(format!("{}.5", now() - 100)))
            .item("isRead", AttributeValue::N("0".into()))
            .item("message", AttributeValue::S("{}".into()))
            .item("ttl", AttributeValue::N(ttl.to_string()))
    };
    entry("living", now() + 100).send().await.unwrap();
    entry("expired", now() - 1).send().await.unwrap();
    let ids: Vec<Value> =
        backend.history(user).await.iter().map(|entry| entry["messageId"].clone()).collect();
    assert_eq!(ids, [json!("living")]);
}

/// docs/PROTOCOL.md: "A message is a JSON object of at most 256,000 bytes in UTF-8."
#[tokio::test]
async fn the_largest_message_is_kept() {
    let (backend, user) = (Backend::new(), unique());
    let with = |text: &str| json!({"userId": user, "messageId": "large", "text": text}).to_string();
    let text = "x".repeat(256_000 - with("").len());
    let message = with(&text);
    assert_eq!(message.len(), 256_000);
    backend.put_record(&message).await;
    let kept = sbe_tests::eventually("the large message", || async {
        let history = backend.history(user).await;
        (!history.is_empty()).then_some(history)
    });
    assert_eq!(kept.await[0]["text"], text);
    let size = dynamodb().describe_table().table_name(&stack().history_table).send().await.unwrap();
    let index = &size.table.unwrap().local_secondary_indexes.unwrap()[0];
    let projected = index.projection.as_ref().unwrap().non_key_attributes();
    assert_eq!(projected, ["isRead", "type", "ttl"], "DynamoDB counts item and index together");
}

/// docs/PROTOCOL.md: "`?_type=a, b` names several, and blanks around them do not count".
#[tokio::test]
async fn blanks_around_types_do_not_count() {
    let backend = Backend::new();
    let user = unique();
    for kind in ["a", "b", "c"] {
        let message = json!({"userId": user, "_type": kind, "messageId": kind});
        backend.post("/notify", message).await.success();
    }
    eventually("the history", || async { (backend.history(user).await.len() == 3).then_some(()) }).await;
    let page = backend.get(&format!("/messages/user/{user}?_type=%20a%20,%20b")).await.success();
    let mut kinds: Vec<_> =
        page["messages"].as_array().unwrap().iter().map(|m| m["_type"].as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [Some("a"), Some("b")]);
}
