//! `sbe listen`: a consumer that polls, decrypts, prints, and deletes.

use aws_sdk_dynamodb::types::AttributeValue;
use sbe_tests::{
    Backend,
    backend::{dynamodb, sqs},
    eventually, now,
    sbe::{command, interrupted, sbe},
    system::stack,
    unique,
};
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout},
};

struct Listening {
    process: Child,
    messages: Lines<BufReader<ChildStdout>>,
    told: Lines<BufReader<ChildStderr>>,
}

impl Listening {
    fn start(arguments: &[&str]) -> Self {
        let mut listen = command(&[&["listen"], arguments].concat());
        let mut process = listen.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sbe starts");
        let messages = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let told = BufReader::new(process.stderr.take().expect("it is piped")).lines();
        Self { process, messages, told }
    }

    async fn next(&mut self) -> Value {
        let line = self.messages.next_line().await.expect("it prints UTF-8").expect("a message comes");
        serde_json::from_str(&line).expect("JSON")
    }

    /// Reads what it tells until a line has `text`.
    async fn tells(&mut self, text: &str) {
        while let Some(line) = self.told.next_line().await.expect("it tells UTF-8") {
            if line.contains(text) {
                return;
            }
        }
        panic!("it never told: {text}");
    }

    /// Ends it by Ctrl-C: the exit code and what it told.
    async fn interrupted(mut self) -> (Option<i32>, String) {
        let run = interrupted(self.process).await;
        let mut told = String::new();
        while let Some(line) = self.told.next_line().await.expect("it tells UTF-8") {
            told.extend([&line, "\n"]);
        }
        (run.code, told)
    }
}

#[tokio::test]
async fn messages_are_printed_and_deleted_and_the_session_goes_at_the_end() {
    let (account, user) = (unique().to_string(), unique().to_string());
    let mut listening = Listening::start(&[&account, "s", "--user", &user, "--destroy"]);
    listening.tells("listening to session s of account").await;
    sbe(&["notify", "--user", &user, r#"{"n":12345678901234567,"é":{"a":[1]}}"#]).await.success();
    let message = listening.next().await;
    assert_eq!((&message["n"], &message["é"]), (&json!(12_345_678_901_234_567_u64), &json!({"a": [1]})));
    let (code, told) = listening.interrupted().await;
    assert_eq!(code, Some(130));
    assert!(
        told.contains("1 messages printed and deleted") && told.contains("the session is destroyed"),
        "{told}"
    );
    sbe(&["status", &account, "s"]).await.failure(5);
}

#[tokio::test]
async fn a_session_that_is_there_keeps_its_other_keys_unless_it_is_taken_over() {
    let account = unique();
    let browser = Backend::new().create(account, "s", None).await;
    let account = account.to_string();
    let told = sbe(&["listen", &account, "s", "--for", "1s", "--destroy"]).await;
    assert!(told.stderr.contains("there already") && told.stderr.contains("and stays"), "{told:?}");
    assert_eq!(told.code, Some(0));
    browser.poll(0).await;
    let error = sbe(&["listen", &account, "s", "--user", "5"]).await.failure(5);
    assert!(error.contains("--take-over"), "{error}");
    sbe(&["listen", &account, "s", "--for", "1s", "--take-over"]).await.success();
    let refused = || async { browser.sqs.receive_message().queue_url(browser.queue()).send().await.err() };
    eventually("the former keys to be shut out", refused).await;
}

#[tokio::test]
async fn it_ends_after_a_count_and_leaves_the_rest_to_the_next() {
    let account = unique().to_string();
    sbe(&["create", &account, "s"]).await.success();
    let list: Vec<Value> = (1..=3).map(|n| json!({"n": n})).collect();
    sbe(&["notify", "--account", &account, &json!(list).to_string()]).await.success();
    let mut numbers = Vec::new();
    for count in ["1", "2"] {
        let lines = sbe(&["listen", &account, "s", "--count", count, "--for", "60s"]).await.success();
        numbers.extend(
            lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["n"].as_i64().unwrap()),
        );
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3]);
    let error = sbe(&["listen", &account, "s", "--count", "1", "--for", "1s"]).await.failure(1);
    assert!(error.contains("0 of 1 messages came"), "{error}");
}

#[tokio::test]
async fn a_message_that_comes_twice_is_printed_once_and_both_are_deleted() {
    let account = unique().to_string();
    let message = r#"{"messageId":"same","n":1}"#;
    sbe(&["create", &account, "s"]).await.success();
    sbe(&["notify", "--account", &account, message]).await.success();
    sbe(&["notify", "--account", &account, message]).await.success();
    sbe(&["notify", "--account", &account, r#"{"messageId":"last"}"#]).await.success();
    let lines = sbe(&["listen", &account, "s", "--count", "2", "--for", "60s"]).await.success();
    let ids: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["messageId"].clone()).collect();
    assert!(ids.contains(&json!("same")) && ids.contains(&json!("last")), "{ids:?}");
}

#[tokio::test]
async fn what_does_not_decrypt_is_told_and_left() {
    let account = unique().to_string();
    let session = sbe(&["create", &account, "s", "--json", "--show-secrets"]).await.json();
    let queue = session["session"]["sqsUrl"].as_str().unwrap();
    sqs().send_message().queue_url(queue).message_body("1|AAAA").send().await.unwrap();
    let mut listening = Listening::start(&[&account, "s"]);
    listening.tells("does not decrypt").await;
    listening.interrupted().await;
    let attributes =
        sqs().get_queue_attributes().queue_url(queue).attribute_names("All".into()).send().await.unwrap();
    let of = |name: &str| attributes.attributes.as_ref().unwrap()[&name.into()].parse::<u32>().unwrap();
    assert_eq!(of("ApproximateNumberOfMessages") + of("ApproximateNumberOfMessagesNotVisible"), 1);
}

#[tokio::test]
async fn kept_messages_stay_in_the_queue() {
    let account = unique().to_string();
    let session = sbe(&["create", &account, "s", "--json"]).await.json();
    sbe(&["notify", "--account", &account, "{}"]).await.success();
    let run = sbe(&["listen", &account, "s", "--keep", "--count", "1", "--for", "60s"]).await;
    assert!(run.stderr.contains("left in the queue"), "{run:?}");
    run.success();
    let queue = session["session"]["sqsUrl"].as_str().unwrap();
    let hidden = "ApproximateNumberOfMessagesNotVisible";
    let attributes =
        sqs().get_queue_attributes().queue_url(queue).attribute_names(hidden.into()).send().await.unwrap();
    assert_eq!(attributes.attributes.unwrap()[&hidden.into()], "1");
}

#[tokio::test]
async fn others_that_take_the_session_over_do_not_end_it() {
    let account = unique().to_string();
    let mut listening = Listening::start(&[&account, "s"]);
    listening.tells("listening").await;
    // The next poll is refused.
    sbe(&["create", &account, "s"]).await.success();
    sbe(&["notify", "--account", &account, r#"{"n":1}"#]).await.success();
    assert_eq!(listening.next().await["n"], 1);
    let poll_again = sbe(&["notify", "--account", &account, r#"{"n":2}"#]).await;
    poll_again.success();
    assert_eq!(listening.next().await["n"], 2);
    listening.tells("has other keys now").await;
    assert_eq!(listening.interrupted().await.0, Some(130));
}

#[tokio::test]
async fn keys_are_renewed_before_they_end() {
    let account = unique().to_string();
    sbe(&["create", &account, "s"]).await.success();
    let update = dynamodb().update_item().table_name(&stack().session_table);
    let update = update
        .key("accountId", AttributeValue::S(account.clone()))
        .key("sessionId", AttributeValue::S("s".into()))
        .update_expression("SET #ttl = :soon")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":soon", AttributeValue::N((now() + 60).to_string()));
    update.send().await.unwrap();
    let ends =
        async || sbe(&["status", &account, "s", "--json"]).await.json()["session"]["ttl"].as_i64().unwrap();
    assert!(ends().await < now() + 61);
    sbe(&["listen", &account, "s", "--for", "1s"]).await.success();
    assert!(ends().await > now() + 3000);
}

#[tokio::test]
async fn a_session_that_has_ended_is_told() {
    let account = unique().to_string();
    let mut listening = Listening::start(&[&account, "s"]);
    listening.tells("listening").await;
    sbe(&["destroy", &account, "s"]).await.success();
    let status = listening.process.wait().await.unwrap();
    assert_eq!(status.code(), Some(5));
    listening.tells("the session has ended").await;
}
