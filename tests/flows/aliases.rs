//! Functions are called by their alias.

use sbe_tests::{Backend, backend::system, eventually, system::stack, unique};
use serde_json::json;
use std::collections::BTreeSet;

/// What the log says of a function's work, if not all that it says.
const WORK: [(&str, &str); 6] = [
    ("session-manager", ""),
    // Another flow invokes it without its alias, with what it does not do.
    ("event-dispatcher", "dispatched"),
    ("sqs-sender", ""),
    ("user-history-adder", ""),
    ("session-update-processor", ""),
    ("messages-api", ""),
];

/// The versions of a function whose logs have lines of this pattern.
async fn versions_that_ran(function: &str, pattern: &str) -> BTreeSet<String> {
    let group = format!("/aws/lambda/{}-sqs-browser-{function}", stack().env);
    let filter = system().logs().filter_log_events().log_group_name(group).filter_pattern(pattern);
    let mut pages = filter.into_paginator().send();
    let mut versions = BTreeSet::new();
    while let Some(page) = pages.next().await {
        let page = page.expect("the operator may see logs");
        let streams = page.events().iter().filter_map(|event| event.log_stream_name()?.split_once('['));
        versions.extend(streams.filter_map(|(_, rest)| Some(rest.split_once(']')?.0.to_owned())));
    }
    versions
}

/// docs/OPERATIONS.md: "Everything calls the functions by their alias `live`"
#[tokio::test]
async fn everything_calls_the_alias() {
    let (backend, account, user) = (Backend::new(), unique(), unique());
    let browser = backend.create(account, "s", Some(user)).await;
    let published = backend.post("/notify", json!({"userId": user, "text": "x"})).await.success();
    browser.message(&published["messageId"]).await;
    let id = unique().to_string();
    backend.put_record(json!({"userId": user, "messageId": id}).to_string()).await;
    browser.message(&json!(id)).await;
    backend.post(&format!("/messages/set-read/user/{user}"), json!([id])).await.success();
    backend.post(&format!("/destroy/{account}/s"), "").await.success();
    for (function, pattern) in WORK {
        let ran = || async { Some(versions_that_ran(function, pattern).await).filter(|ran| !ran.is_empty()) };
        let ran = eventually(function, ran).await;
        assert!(ran.iter().all(|version| version.parse::<u32>().is_ok()), "{function}: {ran:?}");
    }
}
