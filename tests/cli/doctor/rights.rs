//! What the documents of docs/policies let operators do, as the local system enforces them. It asks for
//! `logs:StartQuery` on every resource, and lets everybody see alarms: those are the simulator's. It knows roles
//! without their paths.

use super::{Patient, patient};
use sbe_tests::system::root;

/// Runs `sbe` as a user of IAM who has these documents and nothing else.
async fn as_user(
    patient: &Patient,
    name: &str,
    documents: &[&str],
    arguments: &[&str],
) -> sbe_tests::sbe::Run {
    let iam = patient.system.iam();
    let _ = iam.create_user().user_name(name).send().await;
    for document in documents {
        let path = root().join(format!("docs/policies/{document}.json"));
        let text = filled_in(patient, &std::fs::read_to_string(path).expect("there is the document"));
        let put = iam.put_user_policy().user_name(name).policy_name(*document).policy_document(text);
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
    let api = system.api_url.split('/').nth(4).expect("an address with the API's id");
    let values = [
        ("Partition", "aws"),
        ("Region", &system.region),
        ("AccountId", "000000000000"),
        ("Env", &system.env),
        ("ApiId", api),
        ("IdentityPoolId", &system.identity_pool_id),
    ];
    let text = text.replace(":role/${Env}-sqs-browser/", ":role/");
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
    let url = &patient.system.failed_queue_url;
    let send = patient.system.sqs().send_message().queue_url(url).message_body("{}");
    send.send().await.expect("the operator may send");
    // It must have looked to know what to drop.
    let dropped = as_user(&patient, "readers", &["operator-read"], &["failed", "drop", "--yes"]).await;
    let refused = as_user(&patient, "nobodies", &[], &["failed", "list"]).await;
    patient.purge(url).await;
    assert_eq!((dropped.code, dropped.stdout.as_str()), (Some(1), "0 of 1 dropped\n"), "{dropped:?}");
    assert!(refused.stderr.contains("sqs:ReceiveMessage"), "{refused:?}");
}
