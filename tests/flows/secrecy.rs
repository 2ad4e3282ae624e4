//! No log holds a key, a token, an AES key or a message.

use sbe_tests::{Backend, backend::logs, unique};
use serde_json::json;

#[tokio::test]
async fn logs_hold_no_secret() {
    let backend = Backend::new();
    let (account, user) = (unique(), unique());
    let text = format!("private-{user}");
    let session = backend.create(account, "s", Some(user)).await.session;
    let renewed = backend.post(&format!("/renew/{account}/s"), "").await.success();
    backend.post("/notify", json!({"userId": user, "text": text, "messageId": "m"})).await.success();
    let away = json!({"userId": format!("away-{user}"), "text": text, "_offline": 1});
    backend.post("/notify", away).await.success();
    backend.put_record(json!({"userId": user, "text": text}).to_string()).await;
    backend.put_record(json!({"userId": [], "text": text}).to_string()).await;
    backend.post("/notify", json!({"userId": null, "text": text})).await.failure(400);
    backend.post(&format!("/messages/set-read/user/{user}/message/m"), "").await.success();
    sbe_tests::eventually("the history", || async { (backend.history(user).await.len() >= 2).then_some(()) })
        .await;
    backend.post(&format!("/destroy/{account}/s"), "").await.success();
    backend.get("/status").await.success();
    backend.get("/cleanup").await.success();

    let logs = logs().await;
    for function in [
        "session-manager",
        "event-dispatcher",
        "sqs-sender",
        "user-history-adder",
        "session-update-processor",
        "messages-api",
    ] {
        assert!(logs.iter().any(|(name, _)| name.ends_with(function)), "{function} has logged");
    }
    let secrets = ["accessKey", "secretKey", "sessionToken", "aesKey"].into_iter().flat_map(|field| {
        [&session, &renewed["session"]].map(|session| session[field].as_str().expect("a secret").to_owned())
    });
    for secret in secrets.chain([text]) {
        let found = logs.iter().find(|(_, line)| line.contains(&secret));
        assert!(found.is_none(), "{found:?}");
    }
}
