//! Every call of the HTTP API by `sbe`.

use sbe_tests::{
    Backend, now,
    sbe::{command, interrupted, listens_for_signals, sbe, with_input},
    system::stack_file,
    unique,
};
use serde_json::{Value, json};
use std::process::Stdio;

const SECRETS: [&str; 5] = ["accessKey", "secretKey", "sessionToken", "identityId", "aesKey"];

#[tokio::test]
async fn a_session_is_created_shown_renewed_and_destroyed() {
    let (account, user) = (unique().to_string(), unique().to_string());
    let text = sbe(&["create", &account, "tab-1", "--user", &user, "--retention", "15m"]).await.success();
    assert!(text.contains(&format!("tab-1 of account {account}, user {user}")), "{text}");
    let status = sbe(&["status", &account, "tab-1", "--json"]).await.json();
    assert_eq!(status["session"]["userId"].to_string(), user, "a number keeps its digits");
    let renewed = sbe(&["renew", &account, "tab-1", "--rotate", "--json", "--show-secrets"]).await.json();
    assert!(renewed["session"]["previousAesKey"].is_string(), "{renewed}");
    let there = sbe(&["presence", "--user", &user]).await.success();
    assert!(there.contains("tab-1") && there.contains(&account), "{there}");
    sbe(&["destroy", &account, "tab-1"]).await.success();
    sbe(&["destroy", &account, "tab-1"]).await.failure(5);
    let gone = sbe(&["status", &account, "tab-1", "--json"]).await;
    assert_eq!((gone.code, gone.json()), (Some(5), json!({"success": true, "session": null})));
}

#[tokio::test]
async fn secrets_are_shown_only_when_they_are_asked_for() {
    let account = unique().to_string();
    let shown = sbe(&["create", &account, "s", "--json", "--show-secrets"]).await.json()["session"].clone();
    let secrets: Vec<&str> = SECRETS.iter().map(|name| shown[name].as_str().expect("it is shown")).collect();
    for arguments in [
        ["status", &account, "s", "--json"],
        ["status", &account, "s", "--"],
        ["renew", &account, "s", "--json"],
    ] {
        let run = sbe(&arguments).await;
        let text = format!("{}{}", run.stdout, run.stderr);
        assert_eq!(run.code, Some(0), "{text}");
        for secret in &secrets {
            assert!(!text.contains(secret), "{arguments:?}");
        }
        assert!(SECRETS.iter().all(|name| !text.contains(&format!("\"{name}\""))), "{text}");
    }
    let people = sbe(&["status", &account, "s", "--show-secrets"]).await.success();
    assert!(people.contains(shown["aesKey"].as_str().unwrap()), "{people}");
}

#[tokio::test]
async fn any_id_works() {
    // The local system decodes slashes and percent signs of paths before it routes (docs/LOCAL.md).
    let ids = ["-5", "auth0|5f7c", "b c?&=+#", "émile ☃", "--user"];
    let backend = Backend::new();
    for (index, id) in ids.iter().enumerate() {
        let user = format!("{}-{index}", unique());
        // What begins with - stands behind --.
        sbe(&["create", "--user", &user, "--", id, id]).await.success();
        let status = sbe(&["status", "--json", "--", id, id]).await.json();
        assert_eq!(status["session"]["sessionId"], **id);
        let text = sbe(&["notify", &format!("--account={id}"), &format!("--session={id}"), r#"{"a":1}"#])
            .await
            .success();
        assert!(text.contains(": 1 session"), "{text}");
        sbe(&["destroy", "--", id, id]).await.success();
        sbe_tests::eventually("the message", || async { backend.history(&user).await.pop() }).await;
    }
    for id in [".", ".."] {
        let error = sbe(&["destroy", "1", id]).await.failure(2);
        assert!(error.contains("path"), "{error}");
    }
    sbe(&["create", "", "s"]).await.failure(2);
    sbe(&["presence", "user"]).await.failure(2);
}

#[tokio::test]
async fn messages_are_published_listed_counted_and_marked_read() {
    let user = unique().to_string();
    let list = r#"[{"_type":"news","n":12345678901234567890},{"_type":"mail","price":1.5}]"#;
    let text = sbe(&["notify", "--user", &user, list]).await.success();
    assert!(text.starts_with("2 messages"), "{text}");
    sbe_tests::eventually("both messages", || async {
        let unread = sbe(&["unread", &user, "--json"]).await.json();
        (unread["unread"] == 2).then_some(())
    })
    .await;
    let run =
        sbe(&["messages", &user, "--type", "news", "--unread", "--since", "1h", "--json"]).await.success();
    assert!(run.contains(r#""n":12345678901234567890"#), "numbers keep their digits: {run}");
    let page: Value = serde_json::from_str(&run).unwrap();
    let id = page["messages"][0]["messageId"].as_str().unwrap().to_owned();
    let people = sbe(&["messages", &user]).await.success();
    assert!(people.contains(r#"{"_type":"mail","price":1.5}"#) && people.contains("unread"), "{people}");
    let marked = sbe(&["mark-read", &user, &id, "unknown"]).await.success();
    assert!(marked.contains("1 messages newly"), "{marked}");
    assert!(sbe(&["unread", &user]).await.success().starts_with("1 unread"));
    assert_eq!(
        sbe(&["messages", &user, "--read", "--json"]).await.json()["messages"][0]["messageId"],
        id.as_str()
    );
    sbe(&["mark-read", &user, "--as-of", "now"]).await.success();
    assert!(sbe(&["unread", &user]).await.success().starts_with("0 unread"));
    sbe(&["mark-read", &user]).await.failure(2);
}

#[tokio::test]
async fn ids_to_mark_come_by_standard_input_too() {
    let user = unique().to_string();
    sbe(&["notify", "--user", &user, r#"{"messageId":"-first"}"#]).await.success();
    sbe_tests::eventually("the message", || async {
        (sbe(&["unread", &user, "--json"]).await.json()["unread"] == 1).then_some(())
    })
    .await;
    let run = with_input(&["mark-read", &user, "--stdin", "--json"], "-first\n\nunknown\n").await;
    assert_eq!(run.json()["messages_receipted"], json!(["-first"]));
    let error =
        with_input(&["mark-read", &user, "--stdin"], &format!("a\n{}\n", "x".repeat(257))).await.failure(2);
    assert!(error.contains("line 2"), "{error}");
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let account = unique().to_string();
    for session in ["a", "b", "c"] {
        sbe(&["create", &account, session]).await.success();
    }
    let names = |text: &str| text.lines().filter(|line| line.contains(&account)).count();
    sbe_tests::eventually("three sessions", || async {
        let all = sbe(&["presence", &account, "--all", "--json"]).await.success();
        (names(&all) == 3).then_some(())
    })
    .await;
    let page = sbe(&["presence", &account, "--limit", "2", "--json"]).await.json();
    let next = page["next"].as_str().expect("there are more").to_owned();
    let rest = sbe(&["presence", &account, "--next", &next]).await.success();
    assert_eq!(names(&rest), 1, "{rest}");
    let all = sbe(&["status", "--all", "--json"]).await.success();
    assert_eq!(names(&all), 3);
    for line in all.lines() {
        let session: Value = serde_json::from_str(line).expect("an object a line");
        assert!(SECRETS.iter().all(|name| session.get(name).is_none()), "{line}");
    }
}

#[tokio::test]
async fn a_message_comes_by_a_file_or_standard_input() {
    let user = unique().to_string();
    let run = with_input(&["notify", "--user", &user, "-"], r#"{"by":"stdin"}"#).await;
    run.success();
    let file = stack_file().with_file_name(format!("message-{user}.json"));
    std::fs::write(&file, r#"{"by":"file"}"#).unwrap();
    sbe(&["notify", "--user", &user, "--file", file.to_str().unwrap()]).await.success();
    let both = || async { (Backend::new().history(&user).await.len() == 2).then_some(()) };
    sbe_tests::eventually("both messages", both).await;
    sbe(&["notify", "--file", "/none/message.json"]).await.failure(2);
    sbe(&["notify"]).await.failure(2);
}

#[tokio::test]
async fn what_the_api_refuses_is_told_with_its_reason() {
    let error = sbe(&["notify", r#"{"userId":null}"#]).await.failure(5);
    assert!(error.contains("userId must be"), "{error}");
    sbe(&["notify", "no JSON"]).await.failure(5);
    let run = sbe(&["notify", r#"[{"user_id":1},{"messageId":"m","accountId":"nobody"}]"#]).await;
    let error = run.failure(1);
    assert!(error.contains("message 1 of the list") && error.contains("did you mean userId"), "{error}");
    let error = sbe(&["create", "1", "s", "--retention", "5"]).await.failure(5);
    assert!(error.contains("MessageRetentionPeriod"), "{error}");
    sbe(&["messages", "7", "--since", "soon"]).await.failure(2);
    sbe(&["renew", &unique().to_string(), "none"]).await.failure(5);
}

#[tokio::test]
async fn a_wait_for_standard_input_ends_with_ctrl_c() {
    let mut process = command(&["notify", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let input = process.stdin.take();
    listens_for_signals(&process).await;
    assert_eq!(interrupted(process).await.failure(130), "error: nothing is done\n");
    drop(input);
}

#[tokio::test]
async fn times_are_readable() {
    let account = unique().to_string();
    let text = sbe(&["create", &account, "s"]).await.success();
    assert!(text.contains("(in 59 min)") || text.contains("(in 1 h)"), "{text}");
    assert!(text.lines().nth(2).unwrap().contains(&format!("{}-", 1970 + now() / 31_556_952)), "{text}");
}
