//! `sbe purge`: the messages that wait in session queues.

use aws_sdk_sqs::types::QueueAttributeName;
use sbe_tests::{Backend, Browser, backend::sqs, eventually, sbe::sbe, unique};

async fn waiting(browser: &Browser) -> usize {
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    let get = sqs().get_queue_attributes().queue_url(browser.queue()).attribute_names(name.clone());
    get.send().await.expect("AWS answers").attributes.expect("it is there")[&name]
        .parse()
        .expect("it is there")
}

async fn all_have_one(browsers: &[&Browser]) {
    for browser in browsers {
        eventually("the message", || async { (waiting(browser).await > 0).then_some(()) }).await;
    }
}

#[tokio::test]
async fn a_session_s_queue_or_an_account_s_and_no_other() {
    let backend = Backend::new();
    let (account, other) = (unique(), unique());
    let [a, b] = [backend.create(account, "a", None).await, backend.create(account, "b", None).await];
    let c = backend.create(other, "a", None).await;
    for account in [account, other] {
        backend.post(&format!("/notify/{account}"), "{}").await.success();
    }
    all_have_one(&[&a, &b, &c]).await;
    let of = account.to_string();
    sbe(&["purge", &of, "a"]).await.failure(2);
    assert_eq!(waiting(&a).await, 1, "nobody said yes");
    let run = sbe(&["purge", &of, "a", "--yes", "--json"]).await;
    assert_eq!(run.json()["purged"], 1, "{run:?}");
    assert_eq!((waiting(&a).await, waiting(&b).await, waiting(&c).await), (0, 1, 1));
    assert_eq!(sbe(&["purge", &of, "--yes", "--json"]).await.json()["purged"], 2);
    assert_eq!((waiting(&b).await, waiting(&c).await), (0, 1));
    backend.post(&format!("/notify/{account}"), r#"{"flow":1,"n":1}"#).await.success();
    assert_eq!(a.receive(1, 1).await, [1], "the session lives");
}

#[tokio::test]
async fn what_is_not_there_and_what_is_missing() {
    sbe(&["purge", &unique().to_string(), "none", "--yes"]).await.failure(5);
    sbe(&["purge", "--yes"]).await.failure(2);
    sbe(&["purge", "1", "--all", "--yes"]).await.failure(2);
    assert!(sbe(&["purge", &unique().to_string(), "--yes"]).await.success().starts_with("0 of 0"));
}
