//! Which system a command talks to, and what it says when there is none.

use sbe_tests::{
    sbe::{command, sbe},
    system::stack_file,
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_command_reaches_the_system_of_the_stack_file() {
    let reply = sbe(&["cleanup", "--json"]).await;
    assert!(reply.json()["queues_removed"].is_u64(), "{reply:?}");
    sbe(&["--stack-file", stack_file().to_str().unwrap(), "cleanup"]).await.success();
}

#[tokio::test]
async fn without_a_system_it_says_how_to_name_one() {
    let mut nowhere = command(&["cleanup"]);
    let run = nowhere.env_remove("SBE_STACK").current_dir(std::env::temp_dir()).output().await.unwrap();
    let error = sbe_tests::sbe::Run::from(run).failure(3);
    assert!(error.contains("--stack-file") && error.contains("--env"), "{error}");
    let error = sbe(&["--stack-file", "/none/stack.json", "cleanup"]).await.failure(3);
    assert!(error.contains("/none/stack.json"), "{error}");
}

#[tokio::test]
async fn wrong_keys_and_another_release_have_exit_codes_of_their_own() {
    let wrong_secret = with("secretKey", json!("wrong"));
    sbe(&["--stack-file", &wrong_secret, "cleanup"]).await.failure(4);
    let other_release = with("release", json!("9.9.9"));
    let error = sbe(&["--stack-file", &other_release, "cleanup"]).await.failure(7);
    assert!(error.contains("9.9.9"), "{error}");
    let nobody_there = with("apiUrl", json!("http://127.0.0.1:1"));
    sbe(&["--stack-file", &nobody_there, "cleanup"]).await.failure(6);
}

#[tokio::test]
async fn a_wrong_flag_is_told_from_what_the_system_says() {
    sbe(&["cleanup", "--everything"]).await.failure(2);
    sbe(&["no-such-command"]).await.failure(2);
}

/// A stack file with one field changed: its path.
fn with(field: &str, value: Value) -> String {
    let text = std::fs::read_to_string(stack_file()).expect("the system has a stack file");
    let mut stack: Value = serde_json::from_str(&text).expect("JSON");
    stack[field] = value;
    let file = stack_file().with_file_name(format!("stack-{field}.json"));
    std::fs::write(&file, stack.to_string()).expect("its directory is writable");
    file.to_str().expect("a path in UTF-8").to_owned()
}
