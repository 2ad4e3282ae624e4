//! All active sessions, by page.

use sbe_tests::{Backend, unique};
use std::collections::HashSet;

#[tokio::test]
async fn pages_hold_every_active_session_once() {
    let backend = Backend::new();
    let account = unique();
    let mut expected = HashSet::new();
    for n in 0..5 {
        let session = backend.create(account, &format!("s-{n}"), None).await.session;
        expected.insert(session["sessionId"].as_str().unwrap().to_owned());
    }
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let page = backend.get(&format!("/status?limit=2{next}")).await.success();
        let sessions = page["sessions"].as_array().unwrap().clone();
        assert!(sessions.len() <= 2);
        let ours = sessions.iter().filter(|session| session["accountId"] == account);
        found.extend(ours.map(|session| session["sessionId"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(token) => next = format!("&next={token}"),
            None => break,
        }
    }
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert_eq!(found.into_iter().collect::<HashSet<_>>(), expected);
}

#[tokio::test]
async fn parameters_are_checked() {
    let backend = Backend::new();
    for (query, message) in [
        ("limit=0", "limit must be an integer from 1 to 1000"),
        ("limit=x", "limit must be an integer from 1 to 1000"),
        ("next=x", "next must be the value of `next` in the page before"),
    ] {
        assert_eq!(backend.get(&format!("/status?{query}")).await.failure(400), message);
    }
}
