//! Sessions: created, shown, refreshed.

use sbe_tests::{Backend, now, system::stack, unique};
use serde_json::json;

#[tokio::test]
async fn a_session_has_what_a_browser_needs() {
    let backend = Backend::new();
    let (account, user) = (unique(), unique());
    let session = backend.create(account, "tab-1", Some(user)).await.session;
    assert_eq!((&session["accountId"], &session["userId"]), (&json!(account), &json!(user)));
    let expires = session["expires"].as_i64().unwrap();
    assert!((now() + 3500..=now() + 3700).contains(&expires));
    let ttl = session["ttl"].as_i64().unwrap();
    assert!((expires + 3590..=expires + 3600).contains(&ttl), "{ttl}");
    let name = session["sqsQueueName"].as_str().unwrap();
    assert!(session["sqsUrl"].as_str().unwrap().ends_with(name));
    for field in ["identityId", "accessKey", "secretKey", "sessionToken", "aesKey", "region"] {
        assert!(session[field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
    }
    let shown = backend.get(&format!("/status/{account}/tab-1")).await.success()["session"].clone();
    for field in ["identityId", "sqsUrl", "aesKey", "ttl", "userId"] {
        assert_eq!(shown[field], session[field], "{field}");
    }
    assert_ne!(shown["secretKey"], session["secretKey"], "keys are fresh each time");
    sbe_tests::Browser::new(&json!({"session": shown})).poll(0).await;
    let without_user = backend.create(account, "tab-2", None).await.session;
    assert!(without_user.get("userId").is_none());
}

#[tokio::test]
async fn no_session_is_null() {
    let backend = Backend::new();
    let reply = backend.get(&format!("/status/{}/none", unique())).await.success();
    assert!(reply["session"].is_null());
}

#[tokio::test]
async fn ids_are_percent_decoded() {
    let backend = Backend::new();
    let account = unique();
    let browser = backend.create(account, "tab%20%C3%A9", None).await;
    assert_eq!(browser.session["sessionId"], "tab é");
}

/// docs/PROTOCOL.md: "A refresh keeps queue, waiting messages and AES key."
#[tokio::test]
async fn a_refresh_keeps_messages_and_shuts_the_old_keys_out() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let old = backend.create(account, "s", None).await;
    backend.post(&format!("/notify/{account}"), json!({"flow": flow, "n": 1})).await.success();
    let new = backend.create(account, "s", None).await;
    for field in ["sqsUrl", "aesKey"] {
        assert_eq!(old.session[field], new.session[field], "{field} stays");
    }
    for field in ["identityId", "accessKey", "secretKey"] {
        assert_ne!(old.session[field], new.session[field], "{field} is new");
    }
    assert_eq!(new.receive(flow, 1).await, [json!(1)]);
    let refused = old.sqs.receive_message().queue_url(old.queue()).send().await;
    assert!(refused.is_err(), "the old keys no longer open the queue");
    let tags = sbe_tests::backend::sqs().list_queue_tags().queue_url(new.queue()).send().await.unwrap();
    let tag = |key: &str| tags.tags().and_then(|tags| tags.get(key)).map(String::as_str);
    assert_eq!(tag("identityId"), new.session["identityId"].as_str());
    let by_cost = [tag("application"), tag("environment")];
    assert_eq!(by_cost, [Some("sqs-browser-events"), Some(stack().env.as_str())], "they stay");
}

/// docs/PROTOCOL.md: "A session that is created again for another user is made anew".
#[tokio::test]
async fn another_user_gets_another_queue() {
    let backend = Backend::new();
    let (account, user) = (unique(), unique());
    let first = backend.create(account, "s", Some(user)).await.session;
    let second = backend.create(account, "s", Some(user + 1)).await.session;
    assert_ne!(first["sqsUrl"], second["sqsUrl"]);
    assert_ne!(first["aesKey"], second["aesKey"]);
}

#[tokio::test]
async fn retention_is_that_of_the_call() {
    let backend = Backend::new();
    let account = unique();
    for (query, seconds) in [("", "3600"), ("?MessageRetentionPeriod=60", "60"), ("", "60")] {
        let reply = backend.post(&format!("/create/{account}/s{query}"), "").await.success();
        let queue = reply["session"]["sqsUrl"].as_str().unwrap();
        let name = aws_sdk_sqs::types::QueueAttributeName::MessageRetentionPeriod;
        let get =
            sbe_tests::backend::sqs().get_queue_attributes().queue_url(queue).attribute_names(name.clone());
        let attributes = get.send().await.unwrap().attributes.unwrap();
        assert_eq!(attributes[&name], seconds, "{query:?}");
    }
}
