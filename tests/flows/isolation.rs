//! A session's keys open its own queue, for reading only.

use aws_sdk_sqs::{
    error::ProvideErrorMetadata,
    types::{ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry},
};
use sbe_client::Keys;
use sbe_tests::{Backend, system::stack, unique};

/// Whether SQS refused a call for lack of permission.
macro_rules! denied {
    ($call:expr) => {{
        let error = $call.send().await.expect_err("the call must be refused");
        let code = error.code().unwrap_or_default().to_owned();
        assert!(code.contains("AccessDenied"), "refused, but with {code}");
    }};
}

#[tokio::test]
async fn keys_open_no_other_queue() {
    let backend = Backend::new();
    let account = unique();
    let own = backend.create(account, "own", None).await;
    let other = backend.create(account, "other", None).await;
    own.poll(0).await;
    denied!(own.sqs.receive_message().queue_url(other.queue()));
    denied!(own.sqs.delete_message().queue_url(other.queue()).receipt_handle("x"));
    denied!(own.sqs.receive_message().queue_url(&stack().rejected_queue_url));
}

/// docs/SECURITY.md: "Its role may receive and delete messages, change their visibility and read attributes".
#[tokio::test]
async fn keys_take_give_back_and_delete_what_is_theirs_one_by_one_and_in_batches() {
    let backend = Backend::new();
    let account = unique();
    let own = backend.create(account, "own", None).await;
    let (sqs, queue) = (&own.sqs, own.queue());
    backend.get(&format!("/notify/{account}?text=mine")).await.success();
    let take = async || {
        let receive = sqs.receive_message().queue_url(&queue).wait_time_seconds(20).visibility_timeout(600);
        let reply = receive.send().await.expect("the queue is open");
        reply.messages.expect("the message is there").remove(0).receipt_handle.expect("it has a handle")
    };
    let hide = sqs.change_message_visibility().queue_url(&queue).receipt_handle(take().await);
    hide.visibility_timeout(0).send().await.expect("a message is given back");
    let hide = ChangeMessageVisibilityBatchRequestEntry::builder().id("0").receipt_handle(take().await);
    let hide = hide.visibility_timeout(0).build().expect("id and handle are given");
    let hide = sqs.change_message_visibility_batch().queue_url(&queue).entries(hide).send().await;
    assert!(hide.expect("messages are given back").failed.is_empty());
    let delete = DeleteMessageBatchRequestEntry::builder().id("0").receipt_handle(take().await);
    let delete = delete.build().expect("id and handle are given");
    let delete = sqs.delete_message_batch().queue_url(&queue).entries(delete).send().await;
    assert!(delete.expect("messages are deleted").failed.is_empty());
}

#[tokio::test]
async fn keys_do_not_write_list_or_destroy() {
    let backend = Backend::new();
    let own = backend.create(unique(), "own", None).await;
    let (sqs, queue) = (&own.sqs, own.queue());
    denied!(sqs.send_message().queue_url(&queue).message_body("x"));
    denied!(sqs.purge_queue().queue_url(&queue));
    denied!(sqs.delete_queue().queue_url(&queue));
    denied!(sqs.tag_queue().queue_url(&queue).tags("identityId", "x"));
    denied!(sqs.list_queues());
    denied!(sqs.create_queue().queue_name(format!("{}-brws-mine", stack().env)));
}

/// docs/PROTOCOL.md: "Every route needs an IAM signature".
#[tokio::test]
async fn unsigned_and_wrongly_signed_calls_are_refused() {
    let keys = &stack().keys;
    let wrong_secret = Backend::with_keys(&Keys { secret_key: "wrong".into(), ..keys.clone() });
    let unknown = Backend::with_keys(&Keys { access_key: "AKIAUNKNOWNUNKNOWN12".into(), ..keys.clone() });
    let routes = event_dispatcher::ROUTES
        .iter()
        .map(|route| (route.methods, route.resource))
        .chain(session_manager::ROUTES.iter().map(|route| (route.methods, route.resource)))
        .chain(messages_api::ROUTES.iter().map(|route| (route.methods, route.resource)));
    for (methods, resource) in routes {
        let path = resource.replace(['{', '}'], "");
        for method in methods {
            assert_eq!(Backend::new().unsigned(method.name(), &path).await.status, 403, "{method:?} {path}");
            for backend in [&wrong_secret, &unknown] {
                let reply = backend.call(method.name(), &path, String::new()).await;
                assert_eq!(reply.status, 403, "{method:?} {path}: {}", reply.text);
            }
        }
    }
}
