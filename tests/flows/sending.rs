//! What the sender does with a payload, and the order of a batch.

use base64::{Engine, engine::general_purpose::STANDARD};
use sbe_tests::{
    Backend,
    backend::{invoke, sqs},
    system::stack,
    unique,
};
use serde_json::{Value, json};

/// docs/PROTOCOL.md: "Order is kept within each session's sends".
#[tokio::test]
async fn one_batch_of_the_stream_keeps_its_order() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let browser = backend.create(account, "s", None).await;
    let record = |n: usize| {
        let keys = if n.is_multiple_of(2) {
            json!({"accountId": account})
        } else {
            json!({"accountId": account, "sessionId": "s"})
        };
        let mut message = keys;
        message["flow"] = json!(flow);
        message["n"] = json!(n);
        json!({
            "eventSource": "aws:kinesis", "eventID": format!("shard:{flow}-{n}"), "eventName": "aws:kinesis:record",
            "eventVersion": "1.0", "awsRegion": stack().region, "eventSourceARN": "arn", "invokeIdentityArn": "arn",
            "kinesis": {
                "kinesisSchemaVersion": "1.0", "partitionKey": "1", "sequenceNumber": n.to_string(),
                "data": STANDARD.encode(message.to_string()), "approximateArrivalTimestamp": 1_763_800_000.5,
            },
        })
    };
    let records: Vec<Value> = (0..50).map(record).collect();
    let reply = invoke("event-dispatcher", json!({"Records": records})).await;
    assert_eq!(reply["batchItemFailures"], json!([]), "{reply}");
    let expected: Vec<Value> = (0..50).map(|n| json!(n)).collect();
    assert_eq!(browser.receive(flow, 50).await, expected);
}

/// A queue that is gone is success, and nobody else's delivery suffers.
#[tokio::test]
async fn a_queue_that_is_gone_is_success() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let (live, gone) = (backend.create(account, "a", None).await, backend.create(account, "b", None).await);
    sqs().delete_queue().queue_url(gone.queue()).send().await.unwrap();
    let delivery = |browser: &sbe_tests::Browser| json!({"sqsUrl": browser.queue(), "aesKey": browser.session["aesKey"], "messages": [0]});
    let payload = json!({
        "messages": [{"flow": flow, "n": 1, "messageId": "m"}],
        "deliveries": [delivery(&gone), delivery(&live)],
    });
    let reply = invoke("sqs-sender", payload).await;
    assert_eq!(reply, json!({"sent": 1, "gone": 1, "handedBack": 0, "parked": 0}));
    assert_eq!(live.receive(flow, 1).await, [json!(1)]);
}
