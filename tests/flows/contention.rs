//! Calls on one session that collide, and what calls that died have left behind.

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use sbe_tests::{Backend, Browser, backend, system::stack, unique};
use serde_json::json;
use std::collections::{HashMap, HashSet};

type Item = HashMap<String, AttributeValue>;

async fn stored(account: i64) -> Item {
    let get = backend::dynamodb().get_item().table_name(&stack().session_table).consistent_read(true);
    let get = get.key("accountId", AttributeValue::S(account.to_string()));
    get.key("sessionId", AttributeValue::S("s".into())).send().await.unwrap().item.unwrap()
}

async fn queues() -> Vec<String> {
    let list = backend::sqs().list_queues().queue_name_prefix(format!("{}-brws-", stack().env));
    list.max_results(1000).into_paginator().items().send().collect::<Result<_, _>>().await.unwrap()
}

async fn owned_queues() -> HashSet<String> {
    let scan = backend::dynamodb().scan().table_name(&stack().session_table).consistent_read(true);
    let items: Vec<Item> = scan.into_paginator().items().send().collect::<Result<_, _>>().await.unwrap();
    items.iter().filter_map(|item| Some(item.get("sqsUrl")?.as_s().ok()?.clone())).collect()
}

/// What is stored opens its queue, whoever won.
#[tokio::test]
async fn sixteen_calls_at_once_leave_a_session_that_works() {
    let backend = Backend::new();
    for round in 0..20 {
        let account = unique();
        let (create, renew) = (format!("/create/{account}/s"), format!("/renew/{account}/s"));
        if round % 2 == 1 {
            backend.post(&create, "").await.success();
        }
        let calls = (0..16).map(|n| backend.post(if n % 2 == 0 { &create } else { &renew }, ""));
        for reply in join_all(calls).await {
            let expected: &[u16] = if round % 2 == 1 { &[200, 503] } else { &[200, 404, 503] };
            assert!(expected.contains(&reply.status), "{}: {}", reply.status, reply.text);
        }
        let browser = Browser::new(&backend.get(&format!("/status/{account}/s")).await.success());
        browser.poll(0).await;
        let item = stored(account).await;
        assert_eq!(browser.session["identityId"], *item["identityId"].as_s().unwrap());
        let tags = backend::sqs().list_queue_tags().queue_url(browser.queue()).send().await.unwrap();
        assert_eq!(tags.tags().unwrap()["identityId"], *item["identityId"].as_s().unwrap());
    }
}

/// Of all the queues that calls at once have made, only the session's is left.
#[tokio::test]
async fn calls_at_once_leave_one_queue() {
    let backend = Backend::new();
    let account = unique();
    let create = format!("/create/{account}/s");
    let before: HashSet<String> = queues().await.into_iter().collect();
    let replies = join_all((0..16).map(|_| backend.post(&create, ""))).await;
    let mut urls: Vec<String> = replies
        .iter()
        .filter_map(|reply| Some(reply.json["session"]["sqsUrl"].as_str()?.to_owned()))
        .collect();
    urls.sort_unstable();
    urls.dedup();
    assert_eq!(urls.len(), 1, "all who succeeded have the same queue");
    let item = stored(account).await;
    assert_eq!(*item["sqsUrl"].as_s().unwrap(), urls[0]);
    sbe_tests::eventually("no queue without a session", || async {
        let (queues, owned) = (queues().await, owned_queues().await);
        let unowned = queues.iter().filter(|url| !before.contains(*url) && !owned.contains(*url));
        let sqs = backend::sqs();
        // Those that other flows make by hand have no tag.
        for url in unowned {
            let tags = sqs.list_queue_tags().queue_url(url).send().await.ok()?;
            if tags.tags().is_some_and(|tags| tags.contains_key("identityId")) {
                return None;
            }
        }
        Some(())
    })
    .await;
}

/// docs/PROTOCOL.md: "Access keys are never stored."
#[tokio::test]
async fn what_is_stored_holds_no_access_keys() {
    let backend = Backend::new();
    let account = unique();
    let session = backend.create(account, "s", None).await.session;
    let item = format!("{:?}", stored(account).await);
    for field in ["accessKey", "secretKey", "sessionToken"] {
        assert!(!item.contains(field), "{field}");
        assert!(!item.contains(session[field].as_str().unwrap()), "the value of {field}");
    }
    assert!(item.len() < 2000, "{}", item.len());
}

/// A call that died between the table and the tag.
#[tokio::test]
async fn a_tag_that_was_never_moved_is_moved_by_the_next_call() {
    for call in ["create", "renew"] {
        let backend = Backend::new();
        let account = unique();
        let old = backend.create(account, "s", None).await;
        let tag = backend::sqs().tag_queue().queue_url(old.queue()).tags("identityId", "us-east-1:gone");
        tag.send().await.unwrap();
        let new = Browser::new(&backend.post(&format!("/{call}/{account}/s"), "").await.success());
        assert_eq!(new.queue(), old.queue(), "{call}");
        new.poll(0).await;
    }
}

/// A row that nobody can read takes no other from the list.
#[tokio::test]
async fn an_unreadable_row_is_passed_over() {
    let backend = Backend::new();
    let (account, bad) = (unique(), unique());
    backend.create(account, "s", None).await;
    let put = backend::dynamodb().put_item().table_name(&stack().session_table);
    let put = put.item("accountId", AttributeValue::S(bad.to_string()));
    put.item("sessionId", AttributeValue::S("s".into())).send().await.unwrap();
    let mut found = false;
    let mut next = String::new();
    loop {
        let page = backend.get(&format!("/status?limit=1000{next}")).await.success();
        for session in page["sessions"].as_array().unwrap() {
            found |= session["accountId"] == json!(account);
            assert_ne!(session["accountId"], json!(bad));
            for secret in ["accessKey", "secretKey", "sessionToken", "aesKey", "identityId"] {
                assert!(session.get(secret).is_none(), "{secret}");
            }
        }
        match page["next"].as_str() {
            Some(token) => next = format!("&next={token}"),
            None => break,
        }
    }
    assert!(found);
    let delete = backend::dynamodb().delete_item().table_name(&stack().session_table);
    let delete = delete.key("accountId", AttributeValue::S(bad.to_string()));
    delete.key("sessionId", AttributeValue::S("s".into())).send().await.unwrap();
}
