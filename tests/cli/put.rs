//! `sbe put`: messages by the stream.

use sbe_tests::{
    Backend,
    backend::system,
    eventually,
    sbe::{command, interrupted, sbe, with_input},
    system::stack_file,
    unique,
};
use serde_json::{Value, json};
use std::{path::PathBuf, process::Stdio};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn a_message_reaches_its_user_with_its_digits() {
    let user = unique().to_string();
    let told = sbe(&["put", &format!(r#"{{"userId":{user},"n":12345678901234567}}"#)]).await.success();
    assert_eq!(told, "1 accepted, 0 refused\n");
    let message = eventually("the message", || async { Backend::new().history(&user).await.pop() }).await;
    assert_eq!(message["n"], 12_345_678_901_234_567_u64);
    assert!(message["messageId"].as_str().unwrap().ends_with("-1"), "the line it had: {message}");
}

#[tokio::test]
async fn lines_that_would_be_rejected_are_refused_and_the_others_put() {
    let user = unique().to_string();
    let lines = format!(
        "{{\"userId\":{user},\"n\":1}}\nno JSON\n\n{{\"user_id\":{user}}}\r\n{{\"userId\":{user},\"n\":2}}"
    );
    let run = with_input(&["put", "-", "--json"], &lines).await;
    let summary = run.json();
    let error = run.failure(1);
    assert!(error.contains("line 2: message must be a JSON object"), "{error}");
    assert!(error.contains("line 4: user_id is not a routing key: did you mean userId?"), "{error}");
    assert_eq!((&summary["accepted"], &summary["refused"]), (&json!(2), &json!(2)));
    let history = || async { (Backend::new().history(&user).await.len() == 2).then_some(()) };
    eventually("both messages", history).await;
}

#[tokio::test]
async fn a_put_that_is_repeated_with_its_prefix_is_the_same_messages() {
    let user = unique().to_string();
    let lines = (1..=5).map(|n| format!("{{\"userId\":{user},\"n\":{n}}}\n")).collect::<Vec<_>>().concat();
    let file = file("again", &lines);
    let path = file.to_str().unwrap();
    let prefix = format!("p{user}");
    sbe(&["put", "--file", path, "--id-prefix", &prefix]).await.success();
    let told = sbe(&["put", "--file", path, "--id-prefix", &prefix, "--from-line", "4"]).await.success();
    assert_eq!(told, "2 accepted, 0 refused\n");
    // What comes later on the same shard is there when the lines before it are.
    sbe(&["put", &format!(r#"{{"userId":{user},"n":"last"}}"#)]).await.success();
    let history = eventually("the last message", || async {
        let history = Backend::new().history(&user).await;
        history.iter().any(|message| message["n"] == "last").then_some(history)
    })
    .await;
    assert_eq!(history.len(), 6, "{history:?}");
}

#[tokio::test]
async fn unchecked_lines_are_put_as_they_are_and_the_dispatcher_rejects_them() {
    let flow = unique();
    let told = sbe(&["put", "--unchecked", &format!(r#"{{"userId":null,"flow":{flow}}}"#)]).await.success();
    assert_eq!(told, "1 accepted, 0 refused\n");
    let parked = eventually("the rejected record", || sbe_tests::backend::parked(flow)).await;
    assert!(parked["reason"].as_str().unwrap().starts_with("userId must be"), "{parked}");
}

fn many(lines: usize) -> String {
    let pad = "x".repeat(40);
    let line = |n| format!("{{\"accountId\":1,\"n\":{n},\"pad\":\"{pad}\"}}\n");
    (0..lines).map(line).collect::<Vec<_>>().concat()
}

#[tokio::test]
async fn memory_does_not_grow_with_the_input() {
    // A stream that nobody reads: dispatching so many would keep other tests waiting.
    let stream = format!("unread-{}", unique());
    let kinesis = system().kinesis();
    kinesis.create_stream().stream_name(&stream).shard_count(1).send().await.unwrap();
    eventually("the stream", || async {
        let summary = kinesis.describe_stream_summary().stream_name(&stream).send().await.ok()?;
        let status = summary.stream_description_summary?.stream_status;
        (status.as_str() == "ACTIVE").then_some(())
    })
    .await;
    let file = changed_stack("stream", &stream);
    let small = peak(&file, &many(5_000)).await;
    let large = peak(&file, &many(50_000)).await;
    kinesis.delete_stream().stream_name(&stream).send().await.unwrap();
    assert!(large < small + 8_000, "{small} kB for 5,000 lines, {large} kB for 50,000");
}

/// The most memory that a put of these lines had, in kB.
async fn peak(stack: &str, lines: &str) -> u64 {
    let mut process = command(&["put", "-", "--stack-file", stack]);
    process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut process = process.spawn().expect("sbe reads and puts");
    let status = format!("/proc/{}/status", process.id().expect("sbe reads and puts"));
    let mut input = process.stdin.take().expect("sbe reads and puts");
    input.write_all(lines.as_bytes()).await.expect("sbe reads and puts");
    // While the end of its input does not come, it is there to be looked at.
    let peak = std::fs::read_to_string(status).expect("sbe reads and puts");
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("sbe reads and puts");
    let peak = peak.trim().trim_end_matches(" kB").parse().expect("sbe reads and puts");
    drop(input);
    let mut told = String::new();
    process
        .stdout
        .take()
        .expect("sbe reads and puts")
        .read_to_string(&mut told)
        .await
        .expect("sbe reads and puts");
    assert_eq!(told, format!("{} accepted, 0 refused\n", lines.lines().count()));
    peak
}

#[tokio::test]
async fn ctrl_c_says_what_was_put_and_where_to_carry_on() {
    let mut process = command(&["put", "-", "--json"]);
    process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = process.spawn().unwrap();
    let mut input = process.stdin.take().unwrap();
    let user = unique();
    input
        .write_all(
            format!("{{\"userId\":{user},\"n\":1}}\nno JSON\n{{\"userId\":{user},\"n\":2}}\n").as_bytes(),
        )
        .await
        .unwrap();
    // A batch that is not full does not wait for its end.
    let history = || async { (Backend::new().history(user).await.len() == 2).then_some(()) };
    eventually("both messages", history).await;
    let run = interrupted(process).await;
    let summary: Value = run.json();
    assert_eq!(
        (&summary["accepted"], &summary["refused"], &summary["next_line"]),
        (&json!(2), &json!(1), &json!(4))
    );
    let error = run.failure(130);
    let prefix = summary["id_prefix"].as_str().unwrap();
    assert!(error.contains(&format!("--from-line 4 --id-prefix {prefix}")), "{error}");
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_told() {
    let error = with_stack("stream", "none", &["put", "{}"]).await.failure(5);
    assert!(error.contains("putting records") && error.contains("--from-line 1"), "{error}");
    let error = with_stack("secretKey", "wrong", &["put", "{}", "--unchecked"]).await.failure(4);
    assert!(error.contains("putting records"), "{error}");
}

#[tokio::test]
async fn wrong_input_is_told_before_anything_is_put() {
    sbe(&["put"]).await.failure(2);
    sbe(&["put", "{}", "--file", "x"]).await.failure(2);
    let error = sbe(&["put", "--file", "/none/events.jsonl"]).await.failure(2);
    assert!(error.contains("/none/events.jsonl"), "{error}");
    sbe(&["put", "{}", "--from-line", "0"]).await.failure(2);
    sbe(&["put", "{}", "--partition-key", ""]).await.failure(2);
}

#[tokio::test]
async fn the_same_receiver_has_the_same_partition_key() {
    // The local stream has one shard: the key is looked at in the records themselves.
    let user = unique();
    sbe(&["put", &format!(r#"{{"userId":{user},"accountId":1}}"#)]).await.success();
    let kinesis = system().kinesis();
    let stream = &sbe_tests::system::stack().stream;
    let shard = kinesis.list_shards().stream_name(stream).send().await.unwrap().shards.unwrap().remove(0);
    let iterator = kinesis.get_shard_iterator().stream_name(stream).shard_id(shard.shard_id);
    let iterator = iterator.shard_iterator_type("TRIM_HORIZON".into()).send().await.unwrap();
    let mut next = iterator.shard_iterator;
    let record = loop {
        let page = kinesis.get_records().set_shard_iterator(next).send().await.unwrap();
        let mut records = page.records.into_iter();
        if let Some(record) =
            records.find(|record| String::from_utf8_lossy(record.data.as_ref()).contains(&user.to_string()))
        {
            break record;
        }
        next = page.next_shard_iterator;
    };
    assert_eq!(record.partition_key, Some(user.to_string()));
}

fn file(name: &str, text: &str) -> PathBuf {
    let file = stack_file().with_file_name(format!("{name}-{}.jsonl", unique()));
    std::fs::write(&file, text).expect("the directory of the stack file is writable");
    file
}

/// A stack file with one field changed: its path.
fn changed_stack(field: &str, value: &str) -> String {
    let mut stack: Value = serde_json::from_str(
        &std::fs::read_to_string(stack_file()).expect("the directory of the stack file is writable"),
    )
    .expect("the directory of the stack file is writable");
    stack[field] = json!(value);
    let file = stack_file().with_file_name(format!("stack-{}.json", unique()));
    std::fs::write(&file, stack.to_string()).expect("the directory of the stack file is writable");
    file.to_str().expect("the directory of the stack file is writable").to_owned()
}

async fn with_stack(field: &str, value: &str, arguments: &[&str]) -> sbe_tests::sbe::Run {
    let file = changed_stack(field, value);
    sbe(&[&["--stack-file", &file], arguments].concat()).await
}
