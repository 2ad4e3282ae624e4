//! Settings that are otherwise than the stack was deployed with. Here it keeps no data.

use super::{Patient, patient};
use aws_sdk_dynamodb::types::PointInTimeRecoverySpecification;
use sbe_tests::system::root;
use serde_json::{Value, json};

/// Keeps the table of histories, or lets it go with the stack.
async fn keep(patient: &Patient, on: bool) {
    let (db, table) = (patient.system.dynamodb(), &patient.system.history_table);
    let protect = db.update_table().table_name(table).deletion_protection_enabled(on).send().await;
    protect.expect("a table can be protected");
    let recovery = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(on).build();
    let update = db.update_continuous_backups().table_name(table);
    let update = update.point_in_time_recovery_specification(recovery.expect("complete"));
    update.send().await.expect("recovery can be set");
}

#[tokio::test]
async fn a_table_that_is_kept_against_the_stack() {
    let patient = patient().await;
    keep(&patient, true).await;
    let seen = patient.examine(&[]).await;
    keep(&patient, false).await;
    let warned = seen.named("warning");
    assert_eq!(warned, ["deletion-protection", "recovery", "alarm-actions"], "{seen:?}");
    let table = &patient.system.history_table;
    for name in ["deletion-protection", "recovery"] {
        assert!(seen.detail(name).starts_with(&format!("{table} can")), "{seen:?}");
        assert!(seen.detail(name).ends_with("against KeepData=never and Env=doctor"), "{seen:?}");
        assert!(seen.remedy(name).contains(&format!("--table-name {table} ")), "{seen:?}");
    }
}

#[tokio::test]
async fn a_stack_policy_that_was_opened_and_not_set_again() {
    let patient = patient().await;
    let stack = format!("{}-sqs-browser-events", patient.system.env);
    let set = async |policy: &str| {
        let set = patient.system.cloudformation().set_stack_policy();
        set.stack_name(&stack).stack_policy_body(policy).send().await.expect("it is set");
    };
    let own = std::fs::read_to_string(root().join("docs/stack-policy.json")).expect("there is the document");
    set(r#"{"Statement":[{"Effect":"Allow","Action":"Update:*","Principal":"*","Resource":"*"}]}"#).await;
    let seen = patient.examine(&[]).await;
    set(&own).await;
    assert_eq!(seen.named("warning"), ["stack-policy", "alarm-actions"], "{seen:?}");
    assert!(seen.detail("stack-policy").contains("replace Sessions, Messages, Stream"), "{seen:?}");
    assert!(seen.remedy("stack-policy").contains(&format!("--stack-name {stack} ")), "{seen:?}");
}

#[tokio::test]
async fn a_ceiling_that_somebody_has_set() {
    let patient = patient().await;
    let (lambda, function) = (patient.system.lambda(), patient.system.function("sqs-sender"));
    let put = lambda.put_function_concurrency().function_name(&function).reserved_concurrent_executions(50);
    put.send().await.expect("it is reserved");
    let seen = patient.examine(&[]).await;
    let delete = lambda.delete_function_concurrency().function_name(&function);
    delete.send().await.expect("it is free again");
    assert_eq!(seen.named("warning"), ["concurrency", "alarm-actions"], "{seen:?}");
    assert!(
        seen.detail("concurrency").contains(&format!("50 invocations are reserved for {function}")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_dashboard_that_is_gone() {
    let patient = patient().await;
    let (cloudwatch, name) = (patient.system.cloudwatch(), format!("{}-sqs-browser", patient.system.env));
    let found = cloudwatch.get_dashboard().dashboard_name(&name).send().await.expect("it is there");
    cloudwatch.delete_dashboards().dashboard_names(&name).send().await.expect("it is deleted");
    let seen = patient.examine(&[]).await;
    let put = cloudwatch.put_dashboard().dashboard_name(&name).set_dashboard_body(found.dashboard_body);
    put.send().await.expect("it is put back");
    seen.fails(&["dashboard"]);
}

#[tokio::test]
async fn a_stage_that_somebody_has_set() {
    let patient = patient().await;
    let (gateway, id) = patient.system.api_gateway().expect("the API is API Gateway's");
    let stage = format!("/restapis/{id}/stages/{}", patient.system.env);
    let set = async |patches: Value| {
        let body = json!({"patchOperations": patches}).to_string();
        let reply = gateway.send("PATCH", &stage, body).await.expect("API Gateway answers");
        assert_eq!(reply.status, 200, "{}", reply.text);
    };
    set(json!([
        {"op": "replace", "path": "/tracingEnabled", "value": "true"},
        {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "5"},
        {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "10"},
    ]))
    .await;
    let seen = patient.examine(&[]).await;
    // What the remedies say.
    set(json!([{"op": "replace", "path": "/tracingEnabled", "value": "false"}, {"op": "remove", "path": "/*/*"}]))
        .await;
    let mended = patient.examine(&[]).await;
    assert_eq!(seen.named("warning"), ["api-stage", "alarm-actions"], "{seen:?}");
    assert_eq!(
        seen.detail("api-stage"),
        "X-Ray samples calls; 5 calls of each route a second and 10 at once, against the stack's parameters"
    );
    let call = format!("aws apigateway update-stage --rest-api-id {id} --stage-name {}", patient.system.env);
    assert_eq!(
        seen.remedy("api-stage"),
        format!(
            "{call} --patch-operations op=replace,path=/tracingEnabled,value=false; {call} --patch-operations 'op=remove,path=/*/*'"
        )
    );
    assert_eq!(mended.named("warning"), ["alarm-actions"], "{mended:?}");
}

/// Somebody wants fewer lines, or has to pay for them.
#[tokio::test]
async fn a_log_that_does_not_tell_of_messages() {
    let patient = patient().await;
    patient.set_level("event-dispatcher", "warn").await;
    patient.publish("event-dispatcher").await;
    let seen = patient.examine(&[]).await;
    patient.set_level("event-dispatcher", "info").await;
    patient.publish("event-dispatcher").await;
    assert_eq!(seen.named("skipped"), ["log-lines"], "{seen:?}");
    assert_eq!(seen.detail("log-lines"), "with LogLevel=warn no lines are written about messages");
}
