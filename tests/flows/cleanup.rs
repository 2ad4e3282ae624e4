//! Queues that no session owns are deleted; no other is touched.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use futures::{StreamExt, stream};
use sbe_tests::{
    Backend,
    backend::{dynamodb, invoke, sqs},
    now,
    system::stack,
    unique,
};
use serde_json::json;
use std::collections::HashMap;

const AT_ONCE: usize = 32;

/// docs/PROTOCOL.md: "a queue younger than an hour is spared".
#[tokio::test]
async fn young_orphans_and_live_queues_are_spared() {
    let backend = Backend::new();
    let live = backend.create(unique(), "s", None).await;
    let name = format!("{}-brws-young-{}", stack().env, unique());
    let orphan = sqs().create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap();
    let reply = backend.post("/cleanup", "").await.success();
    assert_eq!(reply["complete"], true, "{reply}");
    assert!(reply["queues_removed"].is_u64());
    live.poll(0).await;
    sqs().delete_queue().queue_url(orphan).send().await.expect("the young orphan is still there");
}

/// The schedule's event does the same.
#[tokio::test]
async fn on_schedule() {
    let reply = invoke("session-manager", json!({"action": "cleanup"})).await;
    assert_eq!(reply["success"], true, "{reply}");
}

/// 3,000 orphans among 500 queues that sessions own, all of them old.
#[tokio::test]
async fn many_old_orphans_go_and_no_live_queue() {
    if !stack().endpoint.contains("localhost") {
        return; // On AWS nobody can make a queue look old.
    }
    let (backend, run) = (Backend::new(), unique());
    backend.create(run, "template", None).await;
    let template = stored_session(run, "template").await;
    let name = |kind: &str, n: usize| format!("{}-brws-{kind}-{run}-{n}", stack().env);
    let live: Vec<String> =
        stream::iter((0..500).map(|n| old_queue(name("live", n)))).buffered(AT_ONCE).collect().await;
    stream::iter(live.iter().enumerate().map(|(n, url)| own(&template, n, url)))
        .buffered(AT_ONCE)
        .collect::<Vec<()>>()
        .await;
    let orphans = stream::iter((0..3000).map(|n| old_queue(name("orphan", n)))).buffered(AT_ONCE);
    assert_eq!(orphans.collect::<Vec<_>>().await.len(), 3000);

    // Other flows clean up too, so the count is not this call's alone.
    while backend.post("/cleanup", "").await.success()["complete"] != true {}
    assert_eq!(queues(&name("orphan", 0)[..name("orphan", 0).len() - 1]).await, 0);
    assert_eq!(queues(&name("live", 0)[..name("live", 0).len() - 1]).await, live.len());
}

async fn old_queue(name: String) -> String {
    let sqs = sqs();
    let created = sqs.create_queue().queue_name(name).send().await.expect("the queue is made");
    let url = created.queue_url.expect("a queue has a URL");
    let age = (QueueAttributeName::CreatedTimestamp, (now() - 3601).to_string());
    sqs.set_queue_attributes()
        .queue_url(&url)
        .attributes(age.0, age.1)
        .send()
        .await
        .expect("its age can be set");
    url
}

/// A session like `template`, with an id and a queue of its own.
async fn own(template: &HashMap<String, AttributeValue>, n: usize, url: &str) {
    let mut item = template.clone();
    item.insert("sessionId".into(), AttributeValue::S(n.to_string()));
    item.insert("sqsUrl".into(), AttributeValue::S(url.into()));
    let put = dynamodb().put_item().table_name(&stack().session_table).set_item(Some(item));
    put.send().await.expect("the operator may write");
}

async fn stored_session(account: i64, id: &str) -> HashMap<String, AttributeValue> {
    let get = dynamodb()
        .get_item()
        .table_name(&stack().session_table)
        .key("accountId", AttributeValue::N(account.to_string()))
        .key("sessionId", AttributeValue::S(id.into()));
    get.send().await.expect("the operator may read").item.expect("the session is stored")
}

/// How many queues have names with this prefix.
async fn queues(prefix: &str) -> usize {
    let pages =
        sqs().list_queues().queue_name_prefix(prefix).max_results(1000).into_paginator().items().send();
    pages.collect::<Result<Vec<_>, _>>().await.expect("the operator may list").len()
}
