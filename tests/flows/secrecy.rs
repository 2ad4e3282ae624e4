//! No log holds a key, a token, an AES key, a message, a session's id or a queue's URL.

use sbe_core::stages::Line;
use sbe_tests::{Backend, backend::logs, unique};
use serde_json::json;

#[tokio::test]
async fn logs_hold_no_secret() {
    let backend = Backend::new();
    let (account, user) = (unique(), unique());
    let text = format!("private-{user}");
    let id = format!("login-{}", unique());
    let session = backend.create(account, &id, Some(user)).await.session;
    let renewed = backend.post(&format!("/renew/{account}/{id}"), "").await.success();
    backend.post("/notify", json!({"userId": user, "text": text, "messageId": "m"})).await.success();
    let path = format!("/notify/{account}/session/{id}");
    backend.post(&path, json!([{"text": text}, {"text": text, "userId": []}])).await;
    let away = json!({"userId": format!("away-{user}"), "text": text, "_offline": 1});
    backend.post("/notify", away).await.success();
    backend.put_record(json!({"userId": user, "text": text}).to_string()).await;
    backend.put_record(json!({"userId": [], "text": text}).to_string()).await;
    backend.post("/notify", json!({"userId": null, "text": text})).await.failure(400);
    backend.post(&format!("/messages/set-read/user/{user}/message/m"), "").await.success();
    sbe_tests::eventually("the history", || async { (backend.history(user).await.len() >= 2).then_some(()) })
        .await;
    backend.post(&format!("/destroy/{account}/{id}"), "").await.success();
    backend.get("/status").await.success();
    backend.get("/cleanup").await.success();

    let logs = logs().await;
    for function in sbe_client::FUNCTIONS {
        assert!(logs.iter().any(|(name, _)| name.ends_with(function)), "{function} has logged");
    }
    let secrets = ["accessKey", "secretKey", "sessionToken", "aesKey"].into_iter().flat_map(|field| {
        [&session, &renewed["session"]].map(|session| session[field].as_str().expect("a secret").to_owned())
    });
    let stages: Vec<Line> = logs.iter().filter_map(|(_, line)| Line::parse(line.trim())).collect();
    for stage in ["accepted", "rejected", "dispatched", "sent", "kept"] {
        let told = |line: &Line| line.to_json().contains(&format!(r#""stage":"{stage}""#));
        assert!(stages.iter().any(told), "{stage} is told of");
    }
    for secret in secrets.chain([text, id, session["sqsUrl"].as_str().unwrap().to_owned()]) {
        let found = logs.iter().find(|(_, line)| line.contains(&secret));
        assert!(found.is_none(), "{found:?}");
    }
}
