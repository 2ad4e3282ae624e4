//! `sbe decrypt`.

use sbe_tests::{
    sbe::{Run, command, sbe},
    system::stack_file,
    unique,
};
use serde_json::Value;

const KEY: &str = "LkWUsGQKi8E9QoMJEeY1HLL8rdJNJr3fzDp+F9CpkCY=";
const BODY: &str = "9734675727|nw7xCnVR0m/YrGgG";

async fn without_system(arguments: &[&str], key: Option<&str>) -> Run {
    let mut decrypt = command(arguments);
    decrypt.env_remove("SBE_STACK").env_remove("SBE_AES_KEY").current_dir(std::env::temp_dir());
    if let Some(key) = key {
        decrypt.env("SBE_AES_KEY", key);
    }
    decrypt.output().await.expect("sbe starts").into()
}

/// `docs/PROTOCOL.md`: "Vector: key `LkWUsGQKi8E9QoMJEeY1HLL8rdJNJr3fzDp+F9CpkCY=`, body `9734675727|nw7xCnVR0m/YrGgG`,
/// text `this is test`."
#[tokio::test]
async fn the_vector_decrypts_without_a_system() {
    let text = without_system(&["decrypt", BODY, "--any-text"], Some(KEY)).await.success();
    assert_eq!(text, "this is test\n");
    let text = without_system(&["decrypt", BODY, "--any-text", "--key", KEY], None).await.success();
    assert_eq!(text, "this is test\n");
    let file = stack_file().with_file_name("key.txt");
    std::fs::write(&file, format!("{KEY}\n")).unwrap();
    let text =
        without_system(&["decrypt", BODY, "--any-text", "--key-file", file.to_str().unwrap()], None).await;
    assert_eq!(text.success(), "this is test\n");
}

#[tokio::test]
async fn wrong_keys_and_bodies_have_exit_codes_of_their_own() {
    let other = "A".repeat(43) + "=";
    let error = without_system(&["decrypt", BODY], Some(&other)).await.failure(1);
    assert!(error.contains("another key"), "{error}");
    for (body, key) in [(BODY, Some("short")), ("no frame", Some(KEY)), (BODY, None)] {
        let error = without_system(&["decrypt", body], key).await.failure(2);
        assert!(!error.contains(KEY), "{error}");
    }
    assert!(
        !without_system(&["decrypt", "--help"], Some(KEY)).await.success().contains(KEY),
        "a help shows no key"
    );
}

#[tokio::test]
async fn a_session_gives_its_keys() {
    let account = unique();
    let browser = sbe_tests::Backend::new().create(account, "s", None).await;
    let account = account.to_string();
    sbe(&["notify", "--account", &account, r#"{"n":1}"#]).await.success();
    let receive = browser.sqs.receive_message().queue_url(browser.queue()).wait_time_seconds(20);
    let body = receive.send().await.unwrap().messages.unwrap().remove(0).body.unwrap();
    let text = sbe(&["decrypt", "--session", &account, "s", &body]).await.success();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["n"], 1);
    sbe(&["decrypt", "--session", &account, "none", &body]).await.failure(5);
}
