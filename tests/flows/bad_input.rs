//! Bad input gets a clear error, blocks nothing, and widens no audience.

use base64::{Engine, engine::general_purpose::STANDARD};
use sbe_tests::{Backend, backend, eventually, unique};
use serde_json::{Value, json};

const ID: &str = "must be an integer from -9223372036854775808 to 9223372036854775807, \
                  or a string of 1 to 128 characters without control characters";

#[tokio::test]
async fn malformed_ids_in_paths_are_named() {
    let backend = Backend::new();
    let long = "x".repeat(257);
    for (path, message) in [
        ("/create/%00/s".to_owned(), format!("accountId {ID}")),
        (format!("/create/{}/s", "9".repeat(129)), format!("accountId {ID}")),
        ("/create/1/s/a%0Ab".into(), format!("userId {ID}")),
        (format!("/create/1/s/{}", "%C3%A9".repeat(129)), format!("userId {ID}")),
        (format!("/create/1/{long}"), "sessionId must be a string of 1 to 256 characters".into()),
        ("/create/1/s?MessageRetentionPeriod=59".into(), retention()),
        ("/create/1/s?MessageRetentionPeriod=x".into(), retention()),
        ("/status/%7F/s".into(), format!("accountId {ID}")),
        ("/notify/%09".into(), format!("accountId {ID}")),
        ("/notify/1/user/%C2%85".into(), format!("userId {ID}")),
        ("/messages/user/%1F".into(), format!("userId {ID}")),
        ("/messages/user/1?start=x".into(), time("start")),
        ("/messages/user/1?end=-1".into(), time("end")),
        ("/messages/user/1?limit=0".into(), "limit must be an integer from 1 to 1000".into()),
        ("/messages/user/1?next=x".into(), "next must be the value of `next` in the page before".into()),
    ] {
        assert_eq!(backend.get(&path).await.failure(400), message, "{path}");
    }
}

fn retention() -> String {
    "MessageRetentionPeriod must be an integer from 60 to 1209600 (seconds)".into()
}

fn time(field: &str) -> String {
    format!("{field} must be epoch seconds, such as 1763800000 or 1763800000.25")
}

#[tokio::test]
async fn malformed_messages_are_refused_and_reach_nobody() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let browser = backend.create(account, "s", None).await;
    for (body, message) in [
        (String::new(), "message must be a JSON object in UTF-8"),
        ("no JSON".into(), "message must be a JSON object in UTF-8"),
        ("7".into(), "message must be a JSON object in UTF-8"),
        ("[".into(), "body must be a JSON object, or a JSON array of objects, in UTF-8"),
        ("[]".into(), "body must hold 1 to 500 messages"),
        (json!({"flow": flow, "userId": null}).to_string(), &format!("userId {ID}")),
        (json!({"flow": flow, "userId": true}).to_string(), &format!("userId {ID}")),
        (json!({"flow": flow, "userId": "a\u{0}"}).to_string(), &format!("userId {ID}")),
        (json!({"flow": flow, "accountId": [account]}).to_string(), &format!("accountId {ID}")),
        (
            json!({"flow": flow, "sessionId": 5}).to_string(),
            "sessionId must be a string of 1 to 256 characters",
        ),
        (
            json!({"flow": flow, "messageId": 5}).to_string(),
            "messageId must be a string of 1 to 256 characters",
        ),
    ] {
        assert_eq!(backend.post("/notify", &body).await.failure(400), message, "{body}");
    }
    let large = json!({"flow": flow, "text": "x".repeat(256_000)});
    assert_eq!(
        backend.post("/notify", large).await.failure(413),
        "message must be at most 256000 bytes of JSON"
    );
    assert_eq!(backend.get("/notify?userId=").await.failure(400), format!("userId {ID}"));

    let last = json!({"accountId": account, "flow": flow, "n": "last"});
    backend.post("/notify", last).await.success();
    assert_eq!(browser.receive(flow, 1).await, [json!("last")]);
}

/// docs/PROTOCOL.md: "Rejected Kinesis records go to the rejected queue with the reason and
/// sequence number, and never block the shard."
#[tokio::test]
async fn malformed_records_are_parked_and_do_not_block_the_shard() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let browser = backend.create(account, "s", None).await;
    let marked = |json: &Value| json.to_string();
    let records = [
        (format!("no JSON {flow}"), "message must be a JSON object in UTF-8"),
        (format!("[\"{flow}\"]"), "message must be a JSON object in UTF-8"),
        (marked(&json!({"flow": flow, "userId": null})), &*format!("userId {ID}")),
        (format!(r#"{{"flow":{flow},"userId":1,"userId":2}}"#), "userId must be given only once"),
        (
            marked(&json!({"flow": flow, "text": "x".repeat(256_000)})),
            "message must be at most 256000 bytes of JSON",
        ),
    ];
    for (record, _) in &records {
        backend.put_record(record).await;
    }
    backend.put_record(json!({"accountId": account, "flow": flow, "n": 1}).to_string()).await;
    assert_eq!(browser.receive(flow, 1).await, [json!(1)]);

    let mut parked: Vec<Value> = Vec::new();
    while parked.len() < records.len() {
        parked.push(eventually("a parked record", || backend::parked(flow)).await);
    }
    for (record, reason) in &records {
        let data = STANDARD.encode(record);
        let found = parked.iter().find(|rejected| rejected["data"] == data).expect("the record is parked");
        assert_eq!(found["reason"], *reason);
        assert_eq!((&found["source"], &found["partitionKey"]), (&json!("kinesis"), &json!("1")));
        assert!(found["sequenceNumber"].as_str().is_some_and(|number| !number.is_empty()));
    }
}
