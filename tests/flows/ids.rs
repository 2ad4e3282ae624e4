//! Ids as applications have them: UUIDs, names with a prefix, e-mail addresses and integers, side by side.

use crate::receipts::receipted;
use aws_sdk_dynamodb::types::AttributeValue;
use sbe_core::id::UserId;
use sbe_tests::{
    Backend, Browser,
    backend::{dynamodb, in_path},
    eventually, now,
    system::stack,
    unique,
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

/// Users of one account, some of whom look much like others.
struct User {
    /// As a message and replies name the user.
    id: Value,
    browser: Browser,
}

impl User {
    /// As a path names the user.
    fn text(&self) -> String {
        self.id.as_str().map_or_else(|| self.id.to_string(), str::to_owned)
    }
}

async fn users(backend: &Backend, account: &str) -> Vec<User> {
    let number = unique();
    let ids = [
        json!(number),
        json!(format!("0{number}")),
        json!(format!("{number}.0")),
        json!(format!("f47ac10b-58cc-4372-a567-{number}")),
        json!(format!("auth0|{number}")),
        json!(format!("ann+{number}@example.com")),
        json!(format!("Ann+{number}@example.com")),
        json!(format!("{account}:7 é")),
    ];
    let mut users = Vec::new();
    for (index, id) in ids.into_iter().enumerate() {
        let text = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        let browser = backend.create_for(account, &format!("tab-{index}"), &text).await;
        users.push(User { id, browser });
    }
    users
}

/// docs/PROTOCOL.md: "Replies show an integer as a number and a string as a string, however it was given."
#[tokio::test]
async fn users_of_all_kinds_side_by_side() {
    let backend = Backend::new();
    let (account, flow) = (format!("acme|{}", unique()), unique());
    let users = users(&backend, &account).await;
    for (n, user) in users.iter().enumerate() {
        assert_eq!(user.browser.session["accountId"], json!(account));
        assert_eq!(user.browser.session["userId"], user.id);
        let message = json!({"accountId": account, "userId": user.id, "flow": flow, "n": [n, "body"]});
        assert_eq!(backend.post("/notify", message).await.success()["sessions"], 1);
        let path = format!("/notify/{}/user/{}", in_path(&account), in_path(&user.text()));
        let reply = backend.post(&path, json!({"flow": flow, "n": [n, "path"]})).await.success();
        assert_eq!(reply["sessions"], 1, "{path}");
        let record = json!({"userId": user.text(), "flow": flow, "n": [n, "stream"], "messageId": "m"});
        backend.put_record(record.to_string()).await;
    }
    for (n, user) in users.iter().enumerate() {
        let mut received = user.browser.receive(flow, 3).await;
        received.sort_by_key(ToString::to_string);
        assert_eq!(received, [json!([n, "body"]), json!([n, "path"]), json!([n, "stream"])], "{}", user.id);
        the_history_is_the_user_s_own(&backend, user, n).await;
    }
}

async fn the_history_is_the_user_s_own(backend: &Backend, user: &User, n: usize) {
    let history = eventually("the history", || async {
        let history = backend.history(user.text()).await;
        (history.len() >= 3).then_some(history)
    });
    let history = history.await;
    assert_eq!(history.len(), 3, "{history:?}");
    assert!(history.iter().all(|entry| entry["userId"] == user.id && entry["n"][0] == n), "{history:?}");
    let path = format!("/messages/set-read/user/{}/message/m", in_path(&user.text()));
    let reply = backend.post(&path, "").await.success();
    assert_eq!(reply["messages_receipted"], json!(["m"]), "every user has a message m");
    assert_eq!(receipted(&user.browser, 1).await, ["m"]);
}

/// docs/PROTOCOL.md: "Over HTTP, ids of the path are added to the message as typed fields".
#[tokio::test]
async fn ids_of_a_path_are_typed() {
    let backend = Backend::new();
    let number = unique();
    for (account, id) in
        [(number.to_string(), json!(number)), (format!("0{number}"), json!(format!("0{number}")))]
    {
        let browser = backend.create_for(&account, "s", &account).await;
        let path = format!("/notify/{account}/user/{account}");
        let sent = backend.post(&path, "{}").await.success();
        let message = browser.message(&sent["messageId"]).await;
        assert_eq!((&message["accountId"], &message["userId"]), (&id, &id));
    }
}

/// docs/PROTOCOL.md: "A string that is exactly the decimal text of such an integer is that integer."
#[tokio::test]
async fn an_integer_and_its_text_are_one_user() {
    let backend = Backend::new();
    let user = unique();
    let put = dynamodb().put_item().table_name(&stack().history_table);
    put.item("userId", AttributeValue::S(user.to_string()))
        .item("messageId", AttributeValue::S("by hand".into()))
        .item("created", AttributeValue::N(format!("{}.5", now() - 100)))
        .item("isRead", AttributeValue::N("0".into()))
        .item("message", AttributeValue::S(json!({"userId": user}).to_string()))
        .item("ttl", AttributeValue::N((now() + 100).to_string()))
        .send()
        .await
        .unwrap();
    backend.post("/notify", json!({"userId": user, "messageId": "number"})).await.success();
    backend.post("/notify", json!({"userId": user.to_string(), "messageId": "text"})).await.success();
    let history = eventually("all three", || async {
        let history = backend.history(user).await;
        (history.len() >= 3).then_some(history)
    });
    assert!(history.await.iter().all(|entry| entry["userId"] == user));
    assert!(backend.history(format!("0{user}")).await.is_empty(), "that is another user");
}

/// docs/PROTOCOL.md: "user `7` of one account is user `7` of every other, and sees what is kept
/// for it in any of them."
#[tokio::test]
async fn a_history_belongs_to_its_user_alone() {
    let backend = Backend::new();
    let (one, other, user) = (unique(), unique(), unique());
    for account in [one, other] {
        backend.create(account, "s", Some(user)).await;
        let reply = backend.post(&format!("/notify/{account}/user/{user}"), "{}").await.success();
        assert_eq!(reply["sessions"], 1, "sessions of the other account are not reached");
    }
    let history = eventually("both", || async {
        let history = backend.history(user).await;
        (history.len() >= 2).then_some(history)
    });
    let mut accounts: Vec<Value> = history.await.iter().map(|entry| entry["accountId"].clone()).collect();
    accounts.sort_by_key(ToString::to_string);
    assert_eq!(accounts, [json!(one), json!(other)]);
}

#[derive(Deserialize)]
struct Vector {
    /// The JSON text of an id.
    given: String,
    /// What it is; nothing if it is refused.
    id: Option<Box<RawValue>>,
}

/// The vectors of ids, in messages and in paths.
#[tokio::test]
async fn vectors() {
    let backend = Backend::new();
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../vectors/ids.json")).unwrap();
    // An account that has no session: nobody else's are reached.
    let account = unique();
    for Vector { given, id } in vectors {
        let read = UserId::from_json(&RawValue::from_string(given.clone()).unwrap());
        let message = format!(r#"{{"accountId":{account},"userId":{given},"_sqs_only":1}}"#);
        let reply = backend.post("/notify", message).await;
        let Some(id) = id else {
            assert!(
                reply.failure(400).starts_with("userId must be") || reply.failure(400).starts_with("message"),
                "{given}"
            );
            assert_eq!(read.unwrap_err().field(), "userId", "{given}");
            continue;
        };
        assert_eq!(reply.success()["sessions"], 0, "{given}");
        let read = read.unwrap();
        assert_eq!(
            (read.to_json(), &UserId::parse(&read.to_string()).unwrap()),
            (id.get().to_owned(), &read)
        );
    }
}
