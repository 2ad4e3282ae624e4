//! Who is there: active sessions of users and accounts.

use aws_sdk_dynamodb::types::AttributeValue;
use sbe_tests::{
    Backend,
    backend::{dynamodb, in_path},
    eventually, now,
    system::stack,
    unique,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The sessions of a reply, as account and session id.
fn shown(reply: &Value) -> BTreeSet<(String, String)> {
    let sessions = reply["sessions"].as_array().unwrap();
    assert_eq!(reply["count"], sessions.len());
    let name = |session: &Value| {
        (session["accountId"].to_string(), session["sessionId"].as_str().unwrap().to_owned())
    };
    sessions.iter().map(name).collect()
}

/// The presence at a path once it shows so many sessions: other lookups than by key are eventually consistent.
async fn presence(backend: &Backend, path: &str, count: usize) -> Value {
    eventually("presence", || async {
        let reply = backend.get(path).await.success();
        (reply["count"] == count).then_some(reply)
    })
    .await
}

/// docs/PROTOCOL.md: "`/presence/user/{userId}` shows the sessions of a user, in all accounts, and
/// `/presence/{accountId}` those of an account".
///
/// docs/PROTOCOL.md: "Keys, queues and identities are neither shown nor read."
#[tokio::test]
async fn users_and_accounts_of_all_kinds() {
    let backend = Backend::new();
    let number = unique();
    let user = format!("auth0|{number}");
    let accounts = [number.to_string(), format!("acme|{number}")];
    for account in &accounts {
        backend.create_for(account, "tab-1", &user).await;
        backend.post(&format!("/create/{}/guest", in_path(account)), "").await.success();
    }
    let of_user = presence(&backend, &format!("/presence/user/{}", in_path(&user)), 2).await;
    assert_eq!(of_user["online"], true);
    let (integer, text) = (accounts[0].clone(), json!(accounts[1]).to_string());
    assert_eq!(shown(&of_user), [(integer.clone(), "tab-1".into()), (text, "tab-1".into())].into());

    let of_account = presence(&backend, &format!("/presence/{number}"), 2).await;
    assert_eq!(shown(&of_account), [(integer.clone(), "guest".into()), (integer, "tab-1".into())].into());
    let session =
        of_account["sessions"].as_array().unwrap().iter().find(|session| session["sessionId"] == "tab-1");
    let session = session.unwrap().as_object().unwrap();
    assert_eq!(session["userId"], json!(user));
    let names: Vec<&str> = session.keys().map(String::as_str).collect();
    assert_eq!(
        names.into_iter().collect::<BTreeSet<_>>(),
        ["accountId", "created", "renewed", "sessionId", "ttl", "userId"].into()
    );
}

/// docs/PROTOCOL.md: "`created` says since when the session is there, `renewed` when it was last created or
/// renewed, `ttl` when it ends".
#[tokio::test]
async fn a_session_comes_is_renewed_and_goes() {
    let backend = Backend::new();
    let (account, user) = (unique(), unique());
    let path = format!("/presence/user/{user}");
    let nobody = json!({"success": true, "online": false, "count": 0, "sessions": []});
    assert_eq!(backend.get(&path).await.success(), nobody);

    let start = now();
    let browser = backend.create(account, "s", Some(user)).await;
    let session = presence(&backend, &path, 1).await["sessions"][0].clone();
    let created = session["created"].as_i64().unwrap();
    assert!((start..=now()).contains(&created), "{session}");
    assert_eq!((&session["renewed"], &session["ttl"]), (&session["created"], &browser.session["ttl"]));

    // As if it had been made a minute ago.
    set_times(account, "s", created - 60, session["ttl"].as_i64().unwrap()).await;
    backend.post(&format!("/renew/{account}/s"), "").await.success();
    let renewed = eventually("the renewal", || async {
        let session = backend.get(&path).await.success()["sessions"][0].clone();
        (session["renewed"].as_i64() > session["created"].as_i64()).then_some(session)
    });
    let renewed = renewed.await;
    assert_eq!(renewed["created"], created - 60);
    assert!(
        renewed["renewed"].as_i64().unwrap() >= created && renewed["ttl"].as_i64() >= session["ttl"].as_i64()
    );

    backend.post(&format!("/destroy/{account}/s"), "").await.success();
    assert_eq!(presence(&backend, &path, 0).await, nobody);
}

async fn set_times(account: i64, session: &str, created: i64, ttl: i64) {
    let update = dynamodb().update_item().table_name(&stack().session_table);
    update
        .key("accountId", AttributeValue::S(account.to_string()))
        .key("sessionId", AttributeValue::S(session.into()))
        .update_expression("SET created = :created, renewed = :created, #ttl = :ttl")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":created", AttributeValue::N(created.to_string()))
        .expression_attribute_values(":ttl", AttributeValue::N(ttl.to_string()))
        .send()
        .await
        .unwrap();
}

/// A session that has ended is not there, though its item may be for days.
#[tokio::test]
async fn ended_sessions_are_not_there() {
    let backend = Backend::new();
    let (account, user) = (unique(), unique());
    for session in ["a-ended", "b-living"] {
        backend.create(account, session, Some(user)).await;
    }
    for path in [format!("/presence/{account}"), format!("/presence/user/{user}")] {
        presence(&backend, &path, 2).await;
    }
    set_times(account, "a-ended", now() - 100, now() - 1).await;
    for path in [format!("/presence/{account}"), format!("/presence/user/{user}")] {
        let reply = presence(&backend, &path, 1).await;
        assert_eq!((&reply["sessions"][0]["sessionId"], &reply["next"]), (&json!("b-living"), &Value::Null));
    }
}

/// docs/PROTOCOL.md: "A page costs what it shows, whatever the size of the account."
#[tokio::test]
async fn pages_hold_every_session_once() {
    let backend = Backend::new();
    let (account, user) = (unique(), unique());
    for n in 0..4 {
        backend.create(account, &format!("s-{n}"), Some(user)).await;
    }
    for path in [format!("/presence/{account}"), format!("/presence/user/{user}")] {
        let all = shown(&presence(&backend, &path, 4).await);
        let (mut found, mut sizes, mut next) = (BTreeSet::new(), Vec::new(), String::new());
        loop {
            let page = backend.get(&format!("{path}?limit=2{next}")).await.success();
            assert_eq!(page["online"], true);
            sizes.push(page["count"].clone());
            found.extend(shown(&page));
            match page["next"].as_str() {
                Some(token) => next = format!("&next={token}"),
                None => break,
            }
        }
        assert_eq!((&found, sizes), (&all, vec![json!(2), json!(2)]), "{path}: no page is empty");
    }
}

#[tokio::test]
async fn an_unreadable_row_hides_nobody() {
    let backend = Backend::new();
    let account = unique();
    backend.create(account, "s", None).await;
    let put = dynamodb().put_item().table_name(&stack().session_table);
    let put = put.item("accountId", AttributeValue::S(account.to_string()));
    put.item("sessionId", AttributeValue::S("no session".into())).send().await.unwrap();
    assert_eq!(presence(&backend, &format!("/presence/{account}"), 1).await["online"], true);
}

#[tokio::test]
async fn parameters_are_checked() {
    let backend = Backend::new();
    let (account, other) = (unique(), unique());
    for session in ["a", "b"] {
        backend.create(account, session, None).await;
    }
    presence(&backend, &format!("/presence/{account}"), 2).await;
    let page = backend.get(&format!("/presence/{account}?limit=1")).await.success();
    let next = page["next"].as_str().unwrap();
    let text = "x".repeat(129);
    for (path, message) in [
        (format!("/presence/{account}?limit=0"), "limit must be an integer from 1 to 1000"),
        (format!("/presence/user/{account}?limit=1001"), "limit must be an integer from 1 to 1000"),
        (format!("/presence/user/{account}?next=x"), "next must be the value of `next` in the page before"),
        (format!("/presence/{other}?next={next}"), "next must be used with the accountId that it came with"),
        (format!("/presence/{text}"), "accountId must be an integer"),
        (format!("/presence/user/{text}"), "userId must be an integer"),
    ] {
        let reply = backend.get(&path).await;
        assert!(reply.failure(400).starts_with(message), "{path}: {}", reply.text);
    }
}
