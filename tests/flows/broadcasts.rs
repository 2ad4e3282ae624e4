//! Broadcasts are meant: a mistake never widens the audience.

use aws_sdk_lambda::{
    primitives::Blob,
    types::{Architecture, Environment, FunctionCode, Runtime},
};
use sbe_tests::{
    Backend,
    backend::{lambda, parked},
    eventually,
    system::stack,
    unique,
};
use serde_json::{Value, json};

/// docs/PROTOCOL.md: "A message without routing keys that has a field which differs from a routing key only
/// in case, `_` or `-` (`user_id`, `AccountID`, `session-id`) is rejected with a reason that names both,
/// unless it has `_everyone`."
#[tokio::test]
async fn a_mistaken_routing_key_reaches_nobody() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let browser = backend.create(account, "s", None).await;
    for (field, key) in
        [("user_id", "userId"), ("userid", "userId"), ("AccountID", "accountId"), ("session-id", "sessionId")]
    {
        let reason = format!(
            "{field} is not a routing key: did you mean {key}? A broadcast with this field needs _everyone"
        );
        let message = json!({field: "7", "flow": flow, "n": "mistaken"});
        assert_eq!(backend.post("/notify", &message).await.failure(400), reason);
        let by_query = backend.get(&format!("/notify?{field}=7&flow={flow}&n=mistaken")).await;
        assert_eq!(by_query.failure(400), reason);
        backend.put_record(message.to_string()).await;
        let rejected = eventually("the parked record", || parked(flow)).await;
        assert_eq!(rejected["reason"], reason);
    }
    let meant = json!({"user_id": 7, "_everyone": true, "_sqs_only": 1, "flow": flow, "n": "meant"});
    backend.post("/notify", meant).await.success();
    let beside = json!({"user_id": 7, "accountId": account, "flow": flow, "n": "beside"});
    backend.post("/notify", beside).await.success();
    let mut received = browser.receive(flow, 2).await;
    received.sort_by_key(ToString::to_string);
    assert_eq!(received, [json!("beside"), json!("meant")]);
}

/// docs/PROTOCOL.md: "With the deployment's parameter `Broadcasts=marked` every message without routing keys
/// is rejected unless it has `_everyone`."
#[tokio::test]
async fn where_broadcasts_are_marked_others_are_rejected() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let browser = backend.create(account, "s", None).await;
    let function = dispatcher_with_marked_broadcasts(flow).await;
    let refused = invoke(&function, json!({"flow": flow, "n": "plain"})).await;
    let reason = "_everyone must be in a message without accountId, userId and sessionId";
    assert_eq!((&refused["success"], &refused["message"]), (&json!(false), &json!(reason)));
    let rejected = eventually("the parked message", || parked(flow)).await;
    assert_eq!(rejected["reason"], reason);
    for message in [
        json!({"flow": flow, "n": "everyone", "_everyone": 1, "_sqs_only": 1}),
        json!({"flow": flow, "n": "account", "accountId": account}),
    ] {
        assert_eq!(invoke(&function, message).await["success"], true);
    }
    let mut received = browser.receive(flow, 2).await;
    received.sort_by_key(ToString::to_string);
    assert_eq!(received, [json!("account"), json!("everyone")]);
    lambda().delete_function().function_name(&function).send().await.expect("the operator may delete");
}

/// The deployed dispatcher a second time: its code, role and environment, but for the setting.
async fn dispatcher_with_marked_broadcasts(flow: i64) -> String {
    let (lambda, name) = (lambda(), format!("marked-{flow}"));
    let deployed = format!("{}-sqs-browser-event-dispatcher", stack().env);
    let found = lambda.get_function().function_name(&deployed).send().await.expect("it is deployed");
    let configuration = found.configuration.expect("a function has a configuration");
    let mut variables = configuration.environment.and_then(|all| all.variables).expect("it has variables");
    assert_eq!(variables.insert("BROADCASTS".into(), "marked".into()).as_deref(), Some("open"));
    let code = FunctionCode::builder().s3_bucket("sqs-browser-events-code").s3_key("event-dispatcher.zip");
    let architecture: Architecture =
        configuration.architectures.and_then(|all| all.into_iter().next()).unwrap();
    lambda
        .create_function()
        .function_name(&name)
        .code(code.build())
        .role(configuration.role.expect("it has a role"))
        .runtime(Runtime::Providedal2023)
        .handler("bootstrap")
        .architectures(architecture)
        .timeout(30)
        .environment(Environment::builder().set_variables(Some(variables)).build())
        .send()
        .await
        .expect("the operator may create functions");
    name
}

async fn invoke(function: &str, message: Value) -> Value {
    let payload = Blob::new(message.to_string());
    let reply = lambda().invoke().function_name(function).payload(payload).send().await.expect("it is there");
    let text = reply.payload.map(Blob::into_inner).unwrap_or_default();
    assert!(reply.function_error.is_none(), "{}", String::from_utf8_lossy(&text));
    serde_json::from_slice(&text).expect("a function answers in JSON")
}
