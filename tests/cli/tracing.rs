//! `sbe trace`: planted stories, each with its verdict.

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use sbe_tests::{
    Backend,
    backend::{invoke, system},
    eventually,
    sbe::sbe,
    unique,
};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// What `sbe trace` says when it comes to a verdict of this kind: the log takes a moment.
async fn traced(arguments: &[&str], kind: &str) -> Value {
    let arguments = [&["trace", "--json"], arguments].concat();
    eventually(kind, || async {
        let run = sbe(&arguments).await;
        let traced = run.json();
        let found = traced["verdict"]["kind"].as_str().expect("a verdict");
        assert_eq!(run.code, Some(i32::from(found != "sent")), "{run:?}");
        // For whoever waits in vain.
        eprintln!("{}", traced["text"]);
        (found == kind).then(|| traced.clone())
    })
    .await
}

/// A message's id, an account and a user of a test's own.
fn names() -> (String, i64, i64) {
    let (account, user) = (unique(), unique());
    (format!("order/{user} \"ü\""), account, user)
}

fn story(traced: &Value) -> Vec<&str> {
    let told = traced["story"].as_array().expect("a story");
    told.iter().map(|told| told["text"].as_str().expect("a text")).collect()
}

#[tokio::test]
async fn a_message_waits_in_its_queue_until_it_is_fetched() {
    let (backend, (id, account, user)) = (Backend::new(), names());
    let browser = backend.create(account, "s", Some(user)).await;
    let message = json!({"userId": user, "messageId": id, "text": "private", "flow": user, "n": 1});
    backend.put_record(message.to_string()).await;
    let session = format!("{account}/s");
    let waiting = traced(&[&id, "--session", &session], "sent").await;
    assert_eq!(waiting["verdict"]["queue"], "waiting", "{waiting}");
    let told = story(&waiting);
    for (place, text) in ["was created", "accepted from the stream (shardId-", "dispatched to 1 session"]
        .into_iter()
        .enumerate()
    {
        assert!(
            told.iter().position(|told| told.contains(text)).is_some_and(|found| found >= place),
            "{told:?}"
        );
    }
    assert!(told.contains(&"sent to 1 queue"), "{told:?}");
    assert!(!waiting.to_string().contains("private"));
    assert_eq!(browser.receive(user, 1).await, [1], "looking for it has not hidden it");
    let fetched = traced(&[&id, "--user", &user.to_string()], "sent").await;
    assert_eq!(fetched["verdict"]["queue"], "fetched", "{fetched}");
    let text = sbe(&["trace", &id]).await.success();
    assert!(text.contains("Sent to 1 queue, the last at "), "{text}");
}

#[tokio::test]
async fn the_key_that_differs_is_named() {
    let (backend, (id, account, user)) = (Backend::new(), names());
    let other = unique();
    backend.create(account, "s", Some(user)).await;
    backend.create(account, "t", Some(other)).await;
    let path = format!("/notify/{account}/user/{user}/session/s");
    backend.post(&path, json!({"messageId": id})).await.success();
    let traced_for = async |session: &str| traced(&[&id, "--session", session], "neverMatched").await;
    let of_user = traced_for(&format!("{account}/t")).await;
    assert_eq!(of_user["verdict"]["key"], "userId", "{of_user}");
    let elsewhere = unique();
    backend.create(elsewhere, "s", Some(user)).await;
    assert_eq!(traced_for(&format!("{elsewhere}/s")).await["verdict"]["key"], "accountId");
    backend.create(account, "u", Some(user)).await;
    assert_eq!(traced_for(&format!("{account}/u")).await["verdict"]["key"], "sessionId");
    let of_other = traced(&[&id, "--user", &other.to_string()], "neverMatched").await;
    assert_eq!(of_other["verdict"]["key"], "userId");
}

#[tokio::test]
async fn a_session_has_ended_or_comes_too_late() {
    let (backend, (id, account, user)) = (Backend::new(), names());
    backend.create(account, "s", Some(user)).await;
    backend.post(&format!("/destroy/{account}/s"), "").await.success();
    backend.post("/notify", json!({"accountId": account, "userId": user, "messageId": id})).await.success();
    traced(&[&id, "--session", &format!("{account}/s")], "ended").await;
    let nobody = traced(&[&id], "nobodyThere").await;
    let kept = traced(&[&id], "nobodyThere").await["verdict"]["kept"].clone();
    assert_eq!(kept, true, "{nobody}");
    let published = nobody["story"][0]["at"].as_str().unwrap()[..19].to_owned();
    eventually("the next second", || async {
        let now = sbe(&["trace", "none", "--json"]).await.json()["until"].clone();
        (now.as_str().unwrap()[..19] > *published).then_some(())
    })
    .await;
    backend.create(account, "late", Some(user)).await;
    let late = traced(&[&id, "--session", &format!("{account}/late")], "createdLater").await;
    assert!(late["text"].as_str().unwrap().starts_with("not there yet"), "{late}");
}

#[tokio::test]
async fn the_reason_of_a_rejection_is_told() {
    let (backend, (id, _, user)) = (Backend::new(), names());
    backend.put_record(json!({"userId": null, "messageId": id, "flow": user}).to_string()).await;
    let rejected = traced(&[&id], "rejected").await;
    assert!(rejected["verdict"]["reason"].as_str().unwrap().starts_with("userId must be"), "{rejected}");
    let by_http = format!("http-{user}");
    backend.post("/notify", json!({"user_id": user, "messageId": by_http})).await.failure(400);
    let rejected = traced(&[&by_http], "rejected").await;
    assert!(rejected["verdict"]["reason"].as_str().unwrap().contains("user_id"), "{rejected}");
    assert!(story(&rejected)[0].starts_with("rejected by HTTP"), "{rejected}");
}

#[tokio::test]
async fn what_is_parked_names_the_command_that_replays_it() {
    let (id, ..) = names();
    let delivery =
        json!({"sqsUrl": "https://sqs.us-east-1.amazonaws.com/1/none", "aesKey": "no key", "messages": [0]});
    let payload = json!({"messages": [{"messageId": id}], "deliveries": [delivery]});
    assert_eq!(invoke("sqs-sender", payload).await["parked"], 1);
    let parked = traced(&[&id], "parked").await;
    let item = parked["verdict"]["item"].as_str().expect("it was found in the queue");
    let text = parked["text"].as_str().unwrap();
    assert!(text.ends_with(&format!("sbe failed replay {item}")), "{text}");
    assert!(parked["verdict"]["function"].as_str().unwrap().ends_with("sqs-sender"), "{parked}");
    let again = traced(&[&id], "parked").await;
    assert_eq!(again["verdict"]["item"], item, "looking has taken nothing away");
}

/// The dispatcher says that it has handed a message on, and nobody has told of it since.
#[tokio::test]
async fn what_is_handed_on_is_not_finished() {
    let (id, ..) = names();
    let line = |stage: Value| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let mut line = json!({"timestamp": "2026-01-02T03:04:05.000000Z", "level": "INFO", "requestId": "r"});
        line.as_object_mut().unwrap().extend(stage.as_object().unwrap().clone());
        let event = InputLogEvent::builder().timestamp(i64::try_from(now).unwrap()).message(line.to_string());
        event.build().unwrap()
    };
    let (logs, group) = (system().logs(), format!("/aws/lambda/{}", system().function("event-dispatcher")));
    let stream = format!("planted-{}", unique());
    logs.create_log_stream().log_group_name(&group).log_stream_name(&stream).send().await.unwrap();
    let accepted = json!({"stage": "accepted", "source": "http", "messages": [{"messageId": id}]});
    let dispatched =
        json!({"stage": "dispatched", "messages": [{"messageId": id, "sessions": 0, "workers": 3}]});
    let put = logs.put_log_events().log_group_name(&group).log_stream_name(&stream);
    put.log_events(line(accepted)).log_events(line(dispatched)).send().await.unwrap();
    let handed_on = traced(&[&id], "handedOn").await;
    assert_eq!(handed_on["verdict"]["workers"], 3, "{handed_on}");
}

#[tokio::test]
async fn without_a_trace_the_range_and_the_level_are_told() {
    let run = sbe(&["trace", "never-published", "--since", "90s"]).await;
    assert_eq!(run.code, Some(1), "{run:?}");
    for told in ["No trace of this id in the log from ", "the functions log at info", "--since"] {
        assert!(run.stdout.contains(told), "{run:?}");
    }
    for arguments in [&["trace"][..], &["trace", "m", "--since", "1w"], &["trace", "m", "--session", "1"]] {
        sbe(arguments).await.failure(2);
    }
}
