//! The documented decoders decrypt what the sender sends.

use sbe_core::frame::{AesKey, decrypt};
use sbe_tests::{Backend, Browser, system::root, unique};
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::process::Command;

const TEXT: &str = "Grüße 😀";

async fn recipe(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    let output = command.args(arguments).current_dir(root()).stderr(Stdio::inherit()).output().await;
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[tokio::test]
async fn decoders_read_frames_of_the_sender() {
    let backend = Backend::new();
    let account = unique();
    let browser = backend.create(account, "s", None).await;
    backend.post(&format!("/notify/{account}"), json!({"text": TEXT})).await.success();
    let bodies = bodies(&browser).await;
    let dir = root().join(format!("target/recipes-{account}"));
    std::fs::create_dir_all(&dir).unwrap();
    let file = |name: &str, json: serde_json::Value| {
        let path = dir.join(name);
        std::fs::write(&path, json.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let session = file("session.json", json!({"session": browser.session}));
    let messages = file("messages.json", json!({"Messages": bodies}));
    for (program, script) in [("node", "docs/decrypt.mjs"), (".local/venv/bin/python", "docs/decrypt.py")] {
        let text = recipe(program, &[script, &session, &messages]).await;
        assert!(text.lines().any(is_ours), "{script}: {text}");
    }
    std::fs::remove_dir_all(dir).unwrap();
}

/// Whether a decrypted text is the flow's message; it may spell characters as escapes.
fn is_ours(text: &str) -> bool {
    serde_json::from_str::<Value>(text).unwrap()["text"] == TEXT
}

/// The bodies of the messages in a queue, once the flow's own is there: 10 at most, and other flows
/// publish to everyone.
async fn bodies(browser: &Browser) -> Vec<Value> {
    let mut bodies = Vec::new();
    let key = AesKey::from_base64(browser.session["aesKey"].as_str().unwrap()).unwrap();
    loop {
        let receive = browser.sqs.receive_message().queue_url(browser.queue()).max_number_of_messages(10);
        let messages = receive.wait_time_seconds(20).send().await.unwrap().messages.unwrap();
        bodies.extend(messages.iter().map(|message| json!({"Body": message.body()})));
        if messages.iter().any(|message| is_ours(&decrypt(&key, message.body().unwrap()).unwrap())) {
            return bodies;
        }
    }
}

/// The recipes of docs/PROTOCOL.md, extracted and run on its vector; Rust has that as a doc test.
#[tokio::test]
async fn recipes_of_the_protocol_read_its_vector() {
    sbe_tests::system::stack(); // the virtual environment is made with the system
    let arguments = r#"("LkWUsGQKi8E9QoMJEeY1HLL8rdJNJr3fzDp+F9CpkCY=", "9734675727|nw7xCnVR0m/YrGgG")"#;
    let js = format!("{}console.log(await decrypt{arguments});", code_block("js"));
    assert_eq!(recipe("node", &["--input-type=module", "-e", &js]).await, "this is test\n");
    let python = format!("{}print(decrypt{arguments})", code_block("python"));
    assert_eq!(recipe(".local/venv/bin/python", &["-c", &python]).await, "this is test\n");
}

/// The first code block of a language in docs/PROTOCOL.md.
fn code_block(language: &str) -> &'static str {
    let text = include_str!("../../docs/PROTOCOL.md");
    let (_, rest) = text.split_once(&format!("```{language}\n")).expect("the block is there");
    rest.split_once("```").expect("the block ends").0
}
