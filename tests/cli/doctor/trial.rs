//! What the doctor makes, and that nothing of it remains.

use super::patient;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sbe_tests::sbe::{Run, command_on};
use std::{
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::test]
async fn nothing_of_a_run_remains() {
    let patient = patient().await;
    let seen = patient.examine(&[]).await;
    let account = seen.detail("sessions").rsplit(' ').next().expect("it names its account").to_owned();
    assert!(account.starts_with("sbe-doctor-"), "{seen:?}");
    assert_eq!(left(&patient.system, &account).await, (0, 0));
}

/// Ctrl-C in the middle of the trials: it ends within a second, and nothing of them remains unsaid.
#[tokio::test]
async fn ctrl_c_removes_what_was_made() {
    let patient = patient().await;
    let mut command = command_on(&patient.running.file, &["doctor"]);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sbe starts");
    let mut lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
    while let Some(line) = lines.next_line().await.expect("it prints") {
        if line.contains("own-queue") {
            break;
        }
    }
    let asked = Instant::now();
    let pid = process.id().expect("it runs").try_into().expect("a process id");
    kill(Pid::from_raw(pid), Signal::SIGINT).expect("it can be asked to stop");
    let run = Run::from(process.wait_with_output().await.expect("it ends"));
    let took = asked.elapsed();
    let told = run.failure(130);
    assert!(told.contains("interrupted"), "{told}");
    assert!(took < Duration::from_secs(2), "a second, and a busy machine's: {took:?}");
    assert!(told.contains("nothing that it made remains") || told.contains("it may have left"), "{told}");
    if !told.contains("session ") {
        assert_eq!(left(&patient.system, "sbe-doctor-").await.0, 0, "{told}");
    }
}

/// How many sessions and how many entries of histories there are of users with this prefix.
async fn left(system: &sbe_client::System, prefix: &str) -> (usize, usize) {
    let count = async |table: &str| {
        let scan = system.dynamodb().scan().table_name(table).send().await.expect("a table can be read");
        let user = |item: &std::collections::HashMap<_, aws_sdk_dynamodb::types::AttributeValue>| {
            item.get("userId").and_then(|user| user.as_s().ok()).is_some_and(|user| user.starts_with(prefix))
        };
        scan.items().iter().filter(|item| user(item)).count()
    };
    (count(&system.session_table).await, count(&system.history_table).await)
}
