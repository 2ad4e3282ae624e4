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
    let orphan = new_queue(queue_name("young", unique(), 0)).await;
    let reply = backend.post("/cleanup", "").await.success();
    assert_eq!(reply["complete"], true, "{reply}");
    assert!(reply["queues_removed"].is_u64());
    live.poll(0).await;
    sqs().delete_queue().queue_url(orphan).send().await.expect("the young orphan is still there");
}

/// The schedule's event does the same, and so does the event by which a cleanup carries on.
#[tokio::test]
async fn on_schedule() {
    let schedule = json!({"version": 1, "action": "cleanup"});
    for event in [schedule, json!({"version": 1, "action": "cleanup", "next": "-z", "depth": 12})] {
        let reply = invoke("session-manager", event).await;
        assert_eq!((&reply["success"], &reply["complete"]), (&json!(true), &json!(true)), "{reply}");
    }
}

/// docs/PROTOCOL.md: "`/cleanup?next=` with the reply's `next` goes on".
#[tokio::test]
async fn from_a_place_on() {
    let backend = Backend::new();
    let queue = new_queue(queue_name("b", unique(), 0)).await;
    age(&queue).await;
    let reply = backend.post("/cleanup?next=a", "").await.success();
    assert_eq!(reply["complete"], true, "{reply}");
    assert!(!exists(&queue).await, "what comes after the place is gone");
    let wrong = backend.post("/cleanup?next=%3F", "").await;
    assert_eq!(wrong.failure(400), "next must be the value of `next` in the reply before");
}

async fn exists(url: &str) -> bool {
    sqs().get_queue_attributes().queue_url(url).send().await.is_ok()
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
    let name = |kind: &str, n: usize| queue_name(kind, run, n);
    let live = stream::iter((0..500).map(|n| live_queue(&template, n, name("live", n)))).buffered(AT_ONCE);
    assert_eq!(live.count().await, 500);
    let orphans = stream::iter((0..3000).map(|n| orphan_queue(name("orphan", n)))).buffered(AT_ONCE);
    assert_eq!(orphans.count().await, 3000);

    // Other flows clean up too, so the count is not this call's alone.
    let mut path = "/cleanup".to_owned();
    loop {
        let reply = backend.post(&path, "").await.success();
        if reply["complete"] == true {
            break;
        }
        path = reply["next"].as_str().map_or("/cleanup".into(), |next| format!("/cleanup?next={next}"));
    }
    assert_eq!(queues(&prefix("orphan", run)).await, 0);
    assert_eq!(queues(&prefix("live", run)).await, 500);
}

/// A name of the form that session queues have: 43 characters of base64url after the prefix.
fn queue_name(kind: &str, run: i64, n: usize) -> String {
    let prefix = prefix(kind, run);
    let digits = stack().env.len() + "-brws-".len() + 43 - prefix.len();
    // The last character of 32 bytes in base64url is one of sixteen, of which 0 is one.
    format!("{prefix}{n:0>width$}0", width = digits - 1)
}

fn prefix(kind: &str, run: i64) -> String {
    format!("{}-brws-{kind}-{run}-", stack().env)
}

/// An old queue without a session.
async fn orphan_queue(name: String) {
    age(&new_queue(name).await).await;
}

/// An old queue of a session like `template`, with an id of its own. The session is stored first, for
/// other flows clean up at the same time: whoever lists the queue then finds its owner.
async fn live_queue(template: &HashMap<String, AttributeValue>, n: usize, name: String) {
    let (base, _) = template["sqsUrl"].as_s().unwrap().rsplit_once('/').expect("a URL has a path");
    let url = format!("{base}/{name}");
    let mut item = template.clone();
    item.insert("sessionId".into(), AttributeValue::S(n.to_string()));
    item.insert("sqsUrl".into(), AttributeValue::S(url.clone()));
    let put = dynamodb().put_item().table_name(&stack().session_table).set_item(Some(item));
    put.send().await.expect("the operator may write");
    assert_eq!(new_queue(name).await, url);
    age(&url).await;
}

async fn new_queue(name: String) -> String {
    let created = sqs().create_queue().queue_name(name).send().await.expect("the queue is made");
    created.queue_url.expect("a queue has a URL")
}

/// Makes a queue look older than an hour, which the local endpoint lets one do.
async fn age(url: &str) {
    let (name, created) = (QueueAttributeName::CreatedTimestamp, (now() - 3601).to_string());
    let set = sqs().set_queue_attributes().queue_url(url).attributes(name, created);
    set.send().await.expect("its age can be set");
}

async fn stored_session(account: i64, id: &str) -> HashMap<String, AttributeValue> {
    let get = dynamodb()
        .get_item()
        .table_name(&stack().session_table)
        .key("accountId", AttributeValue::S(account.to_string()))
        .key("sessionId", AttributeValue::S(id.into()));
    get.send().await.expect("the operator may read").item.expect("the session is stored")
}

/// How many queues have names with this prefix.
async fn queues(prefix: &str) -> usize {
    let pages =
        sqs().list_queues().queue_name_prefix(prefix).max_results(1000).into_paginator().items().send();
    pages.collect::<Result<Vec<_>, _>>().await.expect("the operator may list").len()
}
