//! What the documents of docs/policies let operators do, as the local system enforces them. It asks for
//! `logs:StartQuery` on every resource, which it is given here, and lets everybody see alarms: those are the simulator's.
//! It knows roles without their paths.

use super::{Patient, patient};
use sbe_tests::{sbe::Run, system::root};

/// Runs `sbe` as a user of IAM who has these documents and nothing else.
async fn as_user(patient: &Patient, name: &str, documents: &[&str], arguments: &[&str]) -> Run {
    let read = |document: &&str| {
        let path = root().join(format!("docs/policies/{document}.json"));
        std::fs::read_to_string(path).expect("there is the document")
    };
    with_policies(patient, name, &documents.iter().map(read).collect::<Vec<_>>(), arguments).await
}

/// Runs `sbe` as a user of IAM who has these policies and nothing else.
async fn with_policies(patient: &Patient, name: &str, policies: &[String], arguments: &[&str]) -> Run {
    let iam = patient.system.iam();
    let _ = iam.create_user().user_name(name).send().await;
    for (index, policy) in policies.iter().enumerate() {
        let text = filled_in(patient, policy);
        let put = iam.put_user_policy().user_name(name).policy_name(index.to_string()).policy_document(text);
        put.send().await.expect("a policy can be put");
    }
    let created = iam.create_access_key().user_name(name).send().await.expect("a key is made");
    let key = created.access_key.expect("it is there");
    let mut stack = patient.running.stack.clone();
    stack.keys.access_key = key.access_key_id;
    stack.keys.secret_key = key.secret_access_key;
    let file = patient.running.file.with_file_name(format!("stack-{name}.json"));
    let text = serde_json::to_string(&stack).expect("JSON");
    std::fs::write(&file, text).expect("its directory is writable");
    let file = file.to_str().expect("a path in UTF-8");
    patient.run(&[&["--stack-file", file], arguments].concat()).await
}

fn filled_in(patient: &Patient, text: &str) -> String {
    let system = &patient.system;
    let (_, api) = system.api_gateway().expect("the API is API Gateway's");
    let stack = format!("{}-sqs-browser-events", system.env);
    let values = [
        ("StackName", stack.as_str()),
        ("Partition", "aws"),
        ("Region", &system.region),
        ("AccountId", "000000000000"),
        ("Env", &system.env),
        ("ApiId", api.as_str()),
        ("IdentityPoolId", &system.identity_pool_id),
    ];
    let text = text.replace(":role/${Env}-sqs-browser/", ":role/");
    let group = "arn:${Partition}:logs:${Region}:${AccountId}:log-group:/aws/lambda/${Env}-sqs-browser-*";
    let text = text.replace(group, "*");
    // On AWS the action allows its batch too.
    let text = text.replace("sqs:ChangeMessageVisibility\"", "sqs:ChangeMessageVisibility*\"");
    values.iter().fold(text, |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

#[tokio::test]
async fn the_doctor_needs_two_documents_and_no_more() {
    let patient = patient().await;
    let run = as_user(&patient, "doctors", &["operator-read", "operator-try"], &["doctor"]).await;
    let text = run.success();
    assert!(text.contains(" 0 failed") && text.contains(" 0 skipped"), "{text}");
}

#[tokio::test]
async fn who_looks_sees_what_was_given_up_and_cannot_drop_it() {
    let patient = patient().await;
    let url = patient.park("{}").await;
    // It must have looked to know what to drop.
    let dropped = as_user(&patient, "readers", &["operator-read"], &["failed", "drop", "--yes"]).await;
    let refused = as_user(&patient, "nobodies", &[], &["failed", "list"]).await;
    patient.purge(url).await;
    assert_eq!((dropped.code, dropped.stdout.as_str()), (Some(4), "0 of 1 dropped\n"), "{dropped:?}");
    assert!(dropped.stderr.contains("sqs:DeleteMessage"), "it names what it lacks: {dropped:?}");
    assert!(refused.stderr.contains("sqs:ReceiveMessage"), "{refused:?}");
}

/// What may not be given back is hidden from this command too.
#[tokio::test]
async fn who_cannot_give_entries_back_is_told_so_before_anything_is_dropped() {
    let patient = patient().await;
    let url = patient.park("{}").await;
    let policy = [r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*",
        "Action":["sqs:ReceiveMessage","sqs:DeleteMessage"]}]}"#
        .to_owned()];
    let run = with_policies(&patient, "takers", &policy, &["failed", "drop", "--yes"]).await;
    patient.purge(url).await;
    assert!(run.failure(4).contains("sqs:ChangeMessageVisibility"));
}

#[tokio::test]
async fn what_was_replayed_and_may_not_be_deleted_is_named() {
    let patient = patient().await;
    let function = patient.system.function("session-manager");
    let entry =
        format!(r#"{{"function":"{function}","reason":"a test","requestPayload":{{"action":"cleanup"}}}}"#);
    let url = patient.park(&entry).await;
    let policy = [r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*",
        "Action":["sqs:ReceiveMessage","sqs:ChangeMessageVisibility","lambda:InvokeFunction"]}]}"#
        .to_owned()];
    let run = with_policies(&patient, "replayers", &policy, &["failed", "replay", "--yes"]).await;
    let left = patient.run(&["failed", "list", "--json"]).await.success();
    patient.purge(url).await;
    assert_eq!((run.code, run.stdout.as_str()), (Some(4), "0 of 1 replayed\n"), "{run:?}");
    assert!(run.stderr.contains("is replayed but could not be deleted: drop it"), "{run:?}");
    assert!(run.stderr.contains("sqs:DeleteMessage"), "it names what it lacks: {run:?}");
    assert_eq!(left.lines().count(), 1, "others can see it: {left}");
}
