//! Faults of the identity pool, its role, and what sessions' keys may.

use super::patient;
use serde_json::{Value, json};

const POLICY: &str = "own-queue";

#[tokio::test]
async fn a_policy_that_opens_all_queues() {
    let seen = with_policy(|policy| policy["Statement"][0]["Condition"] = json!({})).await;
    seen.fails(&["role-policy", "other-queue"]);
    assert!(seen.detail("other-queue").contains("another session's queue"), "{seen:?}");
}

#[tokio::test]
async fn a_policy_that_allows_everything_on_the_own_queue() {
    let seen = with_policy(|policy| policy["Statement"][0]["Action"] = json!("sqs:*")).await;
    seen.fails(&["role-policy", "may-not-send", "may-not-purge", "may-not-tag", "may-not-delete"]);
}

#[tokio::test]
async fn a_policy_that_lists_queues() {
    let list = json!({"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"});
    let seen = with_policy(|policy| policy["Statement"].as_array_mut().expect("statements").push(list)).await;
    seen.fails(&["role-policy", "may-not-list"]);
}

/// As if AWS cut the keys of this kind of identities down.
#[tokio::test]
async fn keys_that_do_not_open_their_own_queue() {
    let seen = with_policy(|policy| policy["Statement"][0]["Action"] = json!("sqs:GetQueueAttributes")).await;
    seen.fails(&["role-policy", "own-queue"]);
    assert!(seen.remedy("own-queue").contains("Identities=guest"), "it names the other way: {seen:?}");
    assert!(seen.named("skipped").contains(&"may-not-send"), "a refusal proves nothing: {seen:?}");
}

/// What the doctor says while the browsers' role has another policy.
async fn with_policy(change: impl FnOnce(&mut Value)) -> super::patient::Diagnosis {
    let patient = patient().await;
    let role = patient.role("BrowserRole").await;
    let policy = patient.policy(&role, POLICY).await;
    let mut other = policy.clone();
    change(&mut other);
    patient.put_policy(&role, POLICY, &other).await;
    let seen = patient.examine_briefly().await;
    patient.put_policy(&role, POLICY, &policy).await;
    seen
}

#[tokio::test]
async fn a_role_that_trusts_others_too() {
    let patient = patient().await;
    let role = patient.role("BrowserRole").await;
    let iam = patient.system.iam();
    let get = iam.get_role().role_name(&role).send().await.expect("the role can be read");
    let before = get.role.and_then(|role| role.assume_role_policy_document).expect("it trusts somebody");
    let before = percent_encoding::percent_decode_str(&before).decode_utf8_lossy().into_owned();
    let set = async |document: String| {
        let update = iam.update_assume_role_policy().role_name(&role).policy_document(document);
        update.send().await.expect("trust can be set");
    };
    set(before.replace(":aud", ":sub")).await;
    let seen = patient.examine(&[]).await;
    set(before).await;
    seen.fails(&["role-trust"]);
    assert!(seen.detail("role-trust").contains("not bound to the pool"), "{seen:?}");
}

#[tokio::test]
async fn a_pool_without_a_role() {
    let patient = patient().await;
    let (cognito, pool) = (patient.system.cognito_identity(), &patient.system.identity_pool_id);
    let get = cognito.get_identity_pool_roles().identity_pool_id(pool).send().await;
    let roles = get.expect("roles can be read").roles.expect("there is one");
    let set = async |roles| {
        let set = cognito.set_identity_pool_roles().identity_pool_id(pool).set_roles(Some(roles));
        set.send().await.expect("roles can be set");
    };
    set(std::collections::HashMap::new()).await;
    let seen = patient.examine(&[]).await;
    set(roles).await;
    seen.fails(&["identity-roles"]);
    assert_eq!(seen.named("skipped"), ["role-trust", "role-policy"]);
}
