//! What of the tables is left when a stack is deleted: those of template.yaml, as stacks of their own.

use sbe_client::Stack;
use sbe_tests::{
    backend::{dynamodb, system},
    eventually,
    system::{root, stack},
    unique,
};
use serde_json::{Value, json};
use tokio::process::Command;

#[tokio::test]
async fn a_stack_that_keeps_its_data_leaves_tables_that_nobody_deletes_by_mistake() {
    let env = format!("kept-{}", unique());
    let tables = create(&env, "auto").await;
    delete(&env).await;
    for table in &tables {
        let refused = dynamodb().delete_table().table_name(table).send().await;
        assert!(refused.is_err() && is_there(table).await, "{table} is protected");
        // As docs/OPERATIONS.md removes it.
        let unprotect = dynamodb().update_table().table_name(table).deletion_protection_enabled(false);
        unprotect.send().await.expect("the protection can be taken away");
        dynamodb().delete_table().table_name(table).send().await.expect("nothing protects it");
    }
}

#[tokio::test]
async fn a_stack_that_does_not_keep_its_data_leaves_no_table() {
    let env = format!("gone-{}", unique());
    let tables = create(&env, "never").await;
    delete(&env).await;
    for table in &tables {
        assert!(!is_there(table).await, "{table} is gone");
    }
}

/// Creates a stack of the template's tables; their names.
async fn create(env: &str, keep_data: &str) -> [String; 2] {
    let mut template = translated(&[&format!("Env={env}"), &format!("KeepData={keep_data}")]).await;
    let resources = template["Resources"].as_object_mut().expect("a template has resources");
    resources.retain(|_, resource| resource["Type"] == "AWS::DynamoDB::Table");
    let body = json!({"Resources": resources}).to_string();
    system()
        .cloudformation()
        .create_stack()
        .stack_name(env)
        .template_body(body)
        .send()
        .await
        .expect("the stack is created");
    let tables = ["sessions", "messages"].map(|table| format!("{env}-sqs-browser-{table}"));
    for table in &tables {
        eventually("the table", || async { is_there(table).await.then_some(()) }).await;
    }
    wait_for(env, "CREATE_COMPLETE").await;
    tables
}

/// template.yaml as AWS deploys it.
async fn translated(parameters: &[&str]) -> Value {
    let Stack { region, .. } = stack();
    let output = Command::new(root().join(".local/venv/bin/python"))
        .arg(root().join("tests/deployment/translated.py"))
        .arg(root().join("template.yaml"))
        .args(parameters)
        .env("AWS_DEFAULT_REGION", region)
        .output()
        .await
        .expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a template is JSON")
}

async fn delete(stack: &str) {
    system().cloudformation().delete_stack().stack_name(stack).send().await.expect("the stack is deleted");
    wait_for(stack, "DELETE_COMPLETE").await;
}

/// A stack that is deleted is in this state, or not known any more.
async fn wait_for(stack: &str, status: &str) {
    eventually("the stack's state", || async {
        let reply = system().cloudformation().describe_stacks().stack_name(stack).send().await;
        let is_there = match &reply {
            Ok(reply) => {
                reply.stacks().iter().any(|of| of.stack_status().is_some_and(|of| of.as_str() == status))
            }
            Err(_) => status == "DELETE_COMPLETE",
        };
        is_there.then_some(())
    })
    .await;
}

async fn is_there(table: &str) -> bool {
    dynamodb().describe_table().table_name(table).send().await.is_ok()
}
