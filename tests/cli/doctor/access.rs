//! Wrong keys, wrong addresses, and what keys may not look at.

use super::patient;
use serde_json::{Value, json};

#[tokio::test]
async fn wrong_keys() {
    let seen = patient().await.examine_with("secretKey", "wrong").await;
    seen.fails(&["credentials"]);
    assert_eq!(seen.named("passed").len(), 0, "nothing else can be looked at: {seen:?}");
    assert!(seen.remedy("credentials").contains("--profile"), "{seen:?}");
}

#[tokio::test]
async fn a_wrong_stage() {
    let patient = patient().await;
    let url = &patient.running.stack.api_url;
    let seen = patient.examine_with("apiUrl", &url.replace("/doctor/", "/no-such-stage/")).await;
    seen.fails(&["api"]);
    assert!(seen.remedy("api").contains("stage"), "{seen:?}");
    assert!(seen.named("skipped").contains(&"round-trip-http"), "{seen:?}");
}

#[tokio::test]
async fn nobody_at_the_address() {
    let patient = patient().await;
    let seen = patient.examine_with("apiUrl", "http://127.0.0.1:1").await;
    seen.fails(&["api"]);
}

/// Somebody has taken the authorization off a method.
#[tokio::test]
async fn an_api_that_answers_everybody() {
    let patient = patient().await;
    let (gateway, id) = patient.system.api_gateway().expect("the API is API Gateway's");
    let call = async |method: &str, path: String, body: Value| -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let reply = gateway.send(method, &format!("/restapis/{id}{path}"), body).await;
        reply.expect("API Gateway answers").json
    };
    let resources = call("GET", "/resources".into(), Value::Null).await;
    let of_path = |resource: &&Value| resource["path"] == "/status/{accountId}/{sessionId}";
    let list = resources["item"].as_array().expect("a list of resources");
    let resource = list.iter().find(of_path).expect("the route")["id"].as_str().expect("an id").to_owned();
    let set = async |authorization: &str| {
        let patch = json!({"patchOperations": [{"op": "replace", "path": "/authorizationType", "value": authorization}]});
        call("PATCH", format!("/resources/{resource}/methods/GET"), patch).await;
        call("POST", "/deployments".into(), json!({"stageName": patient.system.env})).await;
    };
    set("NONE").await;
    let seen = patient.examine(&[]).await;
    set("AWS_IAM").await;
    seen.fails(&["api-unsigned", "api-wrong-secret"]);
    assert!(seen.detail("api-unsigned").contains("anybody can use the API"), "{seen:?}");
}

/// Keys that may do everything but read IAM, and some settings.
#[tokio::test]
async fn what_keys_may_not_look_at_is_skipped_with_the_permission() {
    let patient = patient().await;
    let (iam, name) = (patient.system.iam(), "doctor-without-iam");
    iam.create_user().user_name(name).send().await.expect("a user is made");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Resource": "*", "Action": ["iam:GetRole", "iam:ListRolePolicies", "dynamodb:DeleteItem",
            "dynamodb:DescribeContinuousBackups", "cloudformation:GetStackPolicy", "lambda:GetFunctionConcurrency",
            "apigateway:GET", "logs:StartQuery"]},
    ]});
    let put = iam.put_user_policy().user_name(name).policy_name("most").policy_document(policy.to_string());
    put.send().await.expect("a policy is put");
    let key = iam.create_access_key().user_name(name).send().await.expect("keys are made");
    let key = key.access_key.expect("keys");
    let mut stack = serde_json::to_value(&patient.running.stack).expect("JSON");
    (stack["accessKey"], stack["secretKey"]) = (key.access_key_id().into(), key.secret_access_key().into());
    let file = patient.running.file.with_file_name("stack-without-iam.json");
    std::fs::write(&file, stack.to_string()).expect("its directory is writable");
    let seen = patient.examine(&["--stack-file", file.to_str().expect("a path in UTF-8")]).await;
    assert_eq!((seen.code, seen.named("failed")), (Some(0), vec![]), "{seen:?}");
    assert_eq!(
        seen.named("skipped"),
        ["api-stage", "concurrency", "recovery", "stack-policy", "role-trust", "role-policy", "log-lines"]
    );
    assert!(seen.detail("recovery").contains("dynamodb:DescribeContinuousBackups"), "{seen:?}");
    assert!(seen.detail("role-trust").contains("iam:GetRole"), "{seen:?}");
    assert!(seen.named("warning").contains(&"removal"), "the history's entry stays for a while: {seen:?}");
}
