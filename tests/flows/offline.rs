//! Messages to users who are not there become events on the deployment's bus.

use aws_sdk_dynamodb::types::AttributeValue;
use sbe_tests::{
    Backend,
    backend::{dynamodb, in_path, sqs},
    eventually, now,
    system::stack,
    unique,
};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// The events that the flows of this process have taken from the queue behind the bus.
static SEEN: Mutex<Vec<Value>> = Mutex::const_new(Vec::new());

/// The event of a message, when it has come.
async fn event(id: &str) -> Value {
    eventually("the event", || async {
        let mut seen = SEEN.lock().await;
        let (sqs, queue) = (sqs(), &stack().unreached_queue_url);
        let reply = sqs.receive_message().queue_url(queue).max_number_of_messages(10).send().await.unwrap();
        for message in reply.messages.unwrap_or_default() {
            seen.push(serde_json::from_str(message.body().unwrap()).unwrap());
            let delete = sqs.delete_message().queue_url(queue);
            delete.receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
        }
        seen.iter().find(|event| event["detail"]["messageId"] == id).cloned()
    })
    .await
}

/// The ids of all messages of a flow that the bus was told of, when it has been told of the last one: what
/// was told before is there by then.
async fn told(flow: i64, last: &str) -> Vec<String> {
    event(last).await;
    let seen = SEEN.lock().await;
    let ids = seen.iter().filter_map(|event| event["detail"]["messageId"].as_str());
    let mut told: Vec<String> = ids.filter(|id| id.starts_with(&flow.to_string())).map(Into::into).collect();
    told.sort_unstable();
    told
}

/// docs/PROTOCOL.md: "`source` is `sqs-browser-events`, `detail-type` is `message.unreached`"
#[tokio::test]
async fn the_bus_is_told_of_who_is_not_there() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let [here, away] = ["here", "away"].map(|name| format!("auth0|{name}-{flow}"));
    let browser = backend.create_for(&account.to_string(), "s", &here).await;
    let id = |n: usize| format!("{flow}-{n}");
    let message = json!({"userId": here, "messageId": id(1), "_offline": 1, "flow": flow, "n": 1});
    assert_eq!(backend.post("/notify", message).await.success()["sessions"], 1);
    let path = format!("/notify/{account}/user/{}", in_path(&away));
    let text = format!(r#"{{"messageId":"{}","_offline":true,"_type":"mail","price":1.10}}"#, id(2));
    assert_eq!(backend.post(&path, text).await.success()["sessions"], 0);

    let event = event(&id(2)).await;
    assert_eq!(
        (&event["source"], &event["detail-type"]),
        (&json!("sqs-browser-events"), &json!("message.unreached"))
    );
    let detail = &event["detail"];
    let created = detail["created"].as_f64().unwrap();
    assert!((created - f64::from(i32::try_from(now()).unwrap())).abs() < 60.0, "{created}");
    let expected = json!({
        "accountId": account, "userId": away, "messageId": id(2), "type": "mail", "created": detail["created"],
        "message": {"accountId": account, "userId": away, "messageId": id(2), "_offline": true, "_type": "mail", "price": 1.1},
    });
    assert_eq!(*detail, expected);
    assert_eq!(told(flow, &id(2)).await, [id(2)], "who is there is no event");
    assert_eq!(browser.receive(flow, 1).await, [json!(1)]);
    let history = eventually("the history", || async { backend.history(&away).await.pop() }).await;
    assert_eq!((&history["messageId"], &history["created"]), (&json!(id(2)), &detail["created"]));
}

/// docs/PROTOCOL.md: "With `"_offline":"ids"` the event has no `message`."
#[tokio::test]
async fn what_the_bus_is_told_is_what_the_message_or_its_type_asks_for() {
    let (backend, flow) = (Backend::new(), unique());
    let id = |name: &str| format!("{flow}-{name}");
    let messages = json!([
        {"messageId": id("ids"), "userId": flow, "_offline": "ids"},
        {"messageId": id("listed"), "userId": flow, "_type": "invoice"},
        {"messageId": id("listed-ids"), "userId": flow, "_type": "reminder", "_offline": "ids"},
        {"messageId": id("not-listed"), "userId": flow, "_type": "chat"},
        {"messageId": id("nobody-s"), "accountId": flow, "_offline": 1},
        {"messageId": id("not-kept"), "userId": flow, "_offline": 1, "_sqs_only": 1},
        {"messageId": id("zz-last"), "userId": flow, "sessionId": "s", "_offline": null},
    ]);
    let reply = backend.post("/notify", messages).await.success();
    assert_eq!(reply["success"], true);
    let told = told(flow, &id("zz-last")).await;
    assert_eq!(told, ["ids", "listed", "listed-ids", "not-kept", "zz-last"].map(id));
    for (name, has_message) in [("ids", false), ("listed", true), ("listed-ids", false)] {
        let detail = event(&id(name)).await["detail"].clone();
        assert_eq!((detail.get("message").is_some(), &detail["userId"]), (has_message, &json!(flow)));
    }
    assert_eq!(event(&id("zz-last")).await["detail"]["sessionId"], "s");
    // By GET all fields are strings.
    let path = format!("/notify/{flow}/user/{flow}?_offline=ids&messageId={}", id("get"));
    backend.get(&path).await.success();
    assert!(event(&id("get")).await["detail"].get("message").is_none());
}

/// docs/PROTOCOL.md: "A message is *unreached* when no active session matches its routing keys at the
/// moment of the lookup."
#[tokio::test]
async fn only_active_sessions_that_match_count() {
    let backend = Backend::new();
    let (account, user) = (unique(), unique());
    let id = |name: &str| format!("{user}-{name}");
    let message = |name: &str| json!({"messageId": id(name), "userId": user, "_offline": 1});
    let notify = async |name: &str, keys: Value| {
        let mut message = message(name);
        message.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        backend.post("/notify", message).await.success();
    };
    backend.create(account, "s", Some(user)).await;
    notify("0-here", json!({})).await;
    notify("1-other-account", json!({"accountId": account + 1})).await;
    notify("2-other-session", json!({"accountId": account, "sessionId": "t"})).await;
    notify("3-this-session", json!({"accountId": account, "sessionId": "s"})).await;

    let item = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
    let update = dynamodb().update_item().table_name(&stack().session_table);
    let key = [item("accountId", &account.to_string()), item("sessionId", "s")].into();
    let ended = AttributeValue::N((now() - 1).to_string());
    let update = update.set_key(Some(key)).update_expression("SET #ttl = :ended");
    let update =
        update.expression_attribute_names("#ttl", "ttl").expression_attribute_values(":ended", ended);
    update.send().await.unwrap();
    notify("4-ended", json!({"accountId": account, "sessionId": "s"})).await;
    notify("5-ended-user", json!({})).await;
    backend.create(account, "u", Some(user)).await;
    backend.post(&format!("/destroy/{account}/u"), "").await.success();
    notify("6-destroyed", json!({"accountId": account, "sessionId": "u"})).await;
    let expected = ["1-other-account", "2-other-session", "4-ended", "5-ended-user", "6-destroyed"].map(id);
    assert_eq!(told(user, &id("6-destroyed")).await, expected);
}

/// Records of the stream, and a user that is an integer however it is given.
#[tokio::test]
async fn records_of_the_stream_are_told_of() {
    let (backend, user) = (Backend::new(), unique());
    let id = format!("{user}-stream");
    let record = json!({"userId": user.to_string(), "messageId": id, "_offline": "ids"});
    backend.put_record(record.to_string()).await;
    assert_eq!(event(&id).await["detail"]["userId"], user);
}
