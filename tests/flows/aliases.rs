//! Functions are called by their alias, and lose nothing that they give up.

use aws_sdk_lambda::{primitives::Blob, types::InvocationType};
use sbe_tests::{
    backend::{lambda, sqs},
    eventually,
    system::stack,
    unique,
};
use serde_json::{Value, json};

/// Hands a function what it fails at, and does not wait for it.
async fn hand(function: &str, event: &Value) {
    let invoke = lambda().invoke().function_name(format!("{}-sqs-browser-{function}", stack().env));
    let invoke = invoke.invocation_type(InvocationType::Event).payload(Blob::new(event.to_string()));
    assert_eq!(invoke.send().await.expect("the operator may invoke").status_code, 202);
}

/// The entry of the failed queue with this payload, taken from it; others' are left there.
async fn given_up(event: &Value) -> Option<Value> {
    let (sqs, queue) = (sqs(), &stack().failed_queue_url);
    let receive = sqs.receive_message().queue_url(queue).max_number_of_messages(10).visibility_timeout(1);
    for message in receive.wait_time_seconds(1).send().await.expect("the queue answers").messages? {
        let entry: Value = serde_json::from_str(message.body()?).expect("JSON");
        if entry["requestPayload"] == *event {
            let delete = sqs.delete_message().queue_url(queue).receipt_handle(message.receipt_handle()?);
            delete.send().await.expect("the operator may delete");
            return Some(entry);
        }
    }
    None
}

/// Lambda tries three times, and then parks it.
#[tokio::test]
async fn what_fails_at_the_alias_is_parked() {
    let malformed = json!(format!("no payload {}", unique()));
    hand("sqs-sender:live", &malformed).await;
    let entry = eventually("the entry", || given_up(&malformed)).await;
    let function = entry["requestContext"]["functionArn"].as_str().expect("it names the function");
    assert!(function.contains("-sqs-browser-sqs-sender"), "{entry}");
}
