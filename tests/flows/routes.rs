//! Routes, their parameters, and what is no route.

use sbe_tests::{Backend, unique};
use serde_json::json;

/// docs/PROTOCOL.md: "All keys present in a message must match the values that the session was created with."
#[tokio::test]
async fn a_session_is_reached_by_path_with_and_without_a_user() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let guest = backend.create(account, "guest", None).await;
    let user = backend.create(account, "known", Some(unique())).await;
    for (browser, session) in [(&guest, "guest"), (&user, "known")] {
        let path = format!("/notify/{account}/session/{session}");
        let reply = backend.post(&path, json!({"flow": flow, "n": session})).await.success();
        assert_eq!(reply["sessions"], 1);
        assert_eq!(browser.receive(flow, 1).await, [json!(session)]);
    }
    let nobody = backend.get(&format!("/notify/{account}/session/other?n=1")).await.success();
    assert_eq!(nobody["sessions"], 0);
}

/// docs/PROTOCOL.md: "Query parameters that a route does not have are refused with 400, which names those
/// that it has; so is one that is given twice."
#[tokio::test]
async fn unknown_query_parameters_are_refused_with_those_that_exist() {
    let backend = Backend::new();
    for (path, message) in [
        (
            "/create/1/s?messageRetentionPeriod=60",
            "messageRetentionPeriod is not a query parameter of this route, which takes MessageRetentionPeriod",
        ),
        ("/status/1/s?x", "x is not a query parameter of this route, which takes none"),
        ("/destroy/1/s?x=1", "x is not a query parameter of this route, which takes none"),
        ("/status?Limit=1", "Limit is not a query parameter of this route, which takes limit, next"),
        ("/cleanup?limit=1", "limit is not a query parameter of this route, which takes next"),
        (
            "/messages/set-read/user/1/message/a?sync",
            "sync is not a query parameter of this route, which takes async",
        ),
        ("/messages/user/1?limit=1&limit=2", "limit must be given only once"),
    ] {
        assert_eq!(backend.get(path).await.failure(400), message, "{path}");
    }
    let history = backend.get("/messages/user/1?since=1").await;
    assert!(
        history
            .failure(400)
            .starts_with("since is not a query parameter of this route, which takes start, end")
    );
    let renewal = backend.get("/renew/1/s?ttl=1").await;
    assert!(renewal.failure(400).starts_with("ttl is not a query parameter of this route, which takes"));
    // Passed over, it would let the message go to everyone.
    let publication = backend.post("/notify?userId=7", json!({"text": 1})).await;
    assert_eq!(publication.failure(400), "userId is not a query parameter of this route, which takes none");
}

/// docs/PROTOCOL.md: "403: there is no such route and method, or the signature is missing, wrong or not
/// allowed to make this call."
#[tokio::test]
async fn what_is_no_route_answers_in_the_form_of_all_errors() {
    let backend = Backend::new();
    let neither = "there is no such route and method, or the call is not signed";
    for (method, path) in
        [("GET", "/nothing"), ("GET", "/notify/1/user"), ("POST", "/status"), ("DELETE", "/notify")]
    {
        let reply = backend.call(method, path, String::new()).await;
        assert_eq!(reply.failure(403), neither, "{method} {path}");
    }
    assert_eq!(backend.unsigned("GET", "/status").await.failure(403), neither);
}
