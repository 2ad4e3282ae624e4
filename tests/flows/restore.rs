//! Going back to an earlier state of the histories, as docs/OPERATIONS.md says.

use aws_sdk_dynamodb::types::AttributeValue;
use sbe_tests::{
    Backend,
    backend::dynamodb,
    eventually,
    system::{root, stack},
    unique,
};
use serde_json::{Value, json};
use tokio::process::Command;

/// What was lost is back; what was written and marked since stays. Copied twice, it is there once.
#[tokio::test]
async fn a_history_comes_back_and_what_was_written_since_stays() {
    let backend = Backend::new();
    let user = unique();
    for id in ["lost", "marked"] {
        publish(&backend, user, id).await;
    }
    history_of(&backend, user, &["lost", "marked"]).await;
    let restored = format!("{}-restored-{user}", stack().history_table);
    let source = &stack().history_table;
    dynamodb()
        .restore_table_to_point_in_time()
        .source_table_name(source)
        .target_table_name(&restored)
        .use_latest_restorable_time(true)
        .send()
        .await
        .expect("the table is restored beside the one in use");

    backend.post(&format!("/messages/set-read/user/{user}"), json!(["marked"])).await.success();
    publish(&backend, user, "since").await;
    history_of(&backend, user, &["lost", "marked", "since"]).await;
    delete(user, "lost").await;
    history_of(&backend, user, &["marked", "since"]).await;

    copy(&restored).await;
    copy(&restored).await;
    let history = history_of(&backend, user, &["lost", "marked", "since"]).await;
    let read = |id: &str| &history.iter().find(|message| message["messageId"] == id).unwrap()["is_read"];
    assert_eq!((read("lost"), read("marked"), read("since")), (&json!(0), &json!(1), &json!(0)));
    dynamodb().delete_table().table_name(&restored).send().await.expect("nothing protects it");
}

async fn publish(backend: &Backend, user: i64, id: &str) {
    backend.post("/notify", json!({"userId": user, "messageId": id, "text": id})).await.success();
}

/// The user's history once it has exactly these messages.
async fn history_of(backend: &Backend, user: i64, ids: &[&str]) -> Vec<Value> {
    eventually("the history", || async {
        let history = backend.history(user).await;
        let mut there: Vec<_> = history.iter().filter_map(|message| message["messageId"].as_str()).collect();
        there.sort_unstable();
        (there == ids).then(|| history.clone())
    })
    .await
}

async fn delete(user: i64, id: &str) {
    dynamodb()
        .delete_item()
        .table_name(&stack().history_table)
        .key("userId", AttributeValue::S(user.to_string()))
        .key("messageId", AttributeValue::S(id.to_owned()))
        .send()
        .await
        .expect("the entry is deleted");
}

/// Runs docs/restore.py, as an operator does.
async fn copy(restored: &str) {
    let stack = stack();
    let output = Command::new(root().join(".local/venv/bin/python"))
        .arg(root().join("docs/restore.py"))
        .args([restored, &stack.history_table])
        .env("AWS_ENDPOINT_URL", &stack.endpoint)
        .env("AWS_DEFAULT_REGION", &stack.region)
        .env("AWS_ACCESS_KEY_ID", &stack.keys.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &stack.keys.secret_key)
        .output()
        .await
        .expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
