//! `sbe remove-all`, and what takes a whole environment.

use crate::own::Own;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::{StreamExt as _, stream};
use sbe_tests::{eventually, unique};
use serde_json::Value;

const ENV: &str = "removed";

/// Sessions that are stored beside those of the API.
const SESSIONS: usize = 400;

#[tokio::test]
async fn nothing_is_left_of_an_environment() {
    let own = Own::start(ENV);
    let session = own.post("/create/1/first", "").await["session"].clone();
    stream::iter(0..SESSIONS).for_each_concurrent(32, |n| store(&own, &session, n)).await;
    // A queue that no session owns, and one of another environment with the same beginning.
    let orphan = format!("{ENV}-brws-{}0", "o".repeat(42));
    let foreign = format!("{ENV}-brws-b-brws-{}0", "o".repeat(42));
    for name in [&orphan, &foreign] {
        own.system.sqs().create_queue().queue_name(name).send().await.expect("AWS answers");
    }
    // An identity of the pool that no session of the environment has.
    let others = identity(&own).await;
    let mine = session["identityId"].as_str().expect("it is there");
    assert_eq!(code(&own, mine).await, "NotAuthorizedException", "it lives: only its token opens it");

    own.sbe(&["remove-all", "another", "--yes"]).await.failure(2);
    let error = own.sbe(&["remove-all", ENV]).await.failure(2);
    assert!(error.contains(&format!("sessions     {}", SESSIONS + 1)), "{error}");
    assert_eq!(queues(&own).await, SESSIONS + 3);

    purge_all(&own, &session).await;

    let begun = || async { (queues(&own).await < SESSIONS).then_some(()) };
    let run = own.interrupted(&["remove-all", ENV, "--yes"], begun).await;
    let left = queues(&own).await;
    assert!(left > 2, "it was stopped half way");
    assert!(run.failure(130).contains("the same command goes on"));
    let run = own.sbe_with(&["remove-all", ENV, "--json"], &format!("{ENV}\n")).await;
    assert!(run.json()["failures"] == 0, "{run:?}");
    run.success();

    assert_eq!(queues(&own).await, 1, "the other environment's is left");
    let rows =
        own.system.dynamodb().scan().table_name(&own.system.session_table).send().await.expect("AWS answers");
    assert_eq!(rows.count, 0);
    assert_eq!(code(&own, mine).await, "ResourceNotFoundException");
    assert_eq!(code(&own, &others).await, "NotAuthorizedException", "whose it is, nobody knows");
    let again = own.sbe(&["remove-all", ENV]).await.success();
    assert!(again.contains("deleted: 0 identities, 0 queues, 0 sessions"), "{again}");

    assert!(named(&own).await.len() > 30, "the stack is there");
    let stack = format!("{ENV}-sqs-browser-events");
    let delete = own.system.cloudformation().delete_stack().stack_name(stack);
    delete.send().await.expect("AWS answers");
    eventually("an account without the stack", || async { named(&own).await.is_empty().then_some(()) }).await;
}

/// What has the environment's name, sessions' queues and the local system's own aside.
async fn named(own: &Own) -> Vec<String> {
    let name = format!("{ENV}-sqs-browser");
    let queues = own.system.sqs().list_queues().queue_name_prefix(&name).send().await.expect("AWS answers");
    let tables = own.system.dynamodb().list_tables().send().await.expect("AWS answers");
    let streams = own.system.kinesis().list_streams().send().await.expect("AWS answers");
    let functions = own.system.lambda().list_functions().send().await.expect("AWS answers");
    let groups = own.system.logs().describe_log_groups().send().await.expect("AWS answers");
    let alarms = own.system.cloudwatch().describe_alarms().send().await.expect("AWS answers");
    let roles = own.system.iam().list_roles().send().await.expect("AWS answers");
    let names = queues.queue_urls.unwrap_or_default().into_iter().filter(|url| !url.contains("-unreached"));
    let names = names.chain(tables.table_names.unwrap_or_default()).chain(streams.stream_names);
    let functions = functions.functions.unwrap_or_default().into_iter().filter_map(|it| it.function_name);
    let groups = groups.log_groups.unwrap_or_default().into_iter().filter_map(|it| it.log_group_name);
    let alarms = alarms.metric_alarms.unwrap_or_default().into_iter().filter_map(|it| it.alarm_name);
    let names = names.chain(functions).chain(groups).chain(alarms);
    names.chain(roles.roles.into_iter().map(|it| it.role_name)).filter(|it| it.contains(&name)).collect()
}

async fn purge_all(own: &Own, session: &Value) {
    own.post("/notify/1/session/first", "{}").await;
    let queue = session["sqsUrl"].as_str().expect("it is there");
    eventually("the message", || async { (own.waiting(queue).await == 1).then_some(()) }).await;
    let run = own.sbe(&["purge", "--all", "--yes", "--json"]).await;
    assert_eq!(run.json()["purged"], SESSIONS + 2, "{run:?}");
    assert_eq!(own.waiting(queue).await, 0);
}

/// A session like another one, with a queue and an identity of its own.
async fn store(own: &Own, like: &Value, n: usize) {
    let name = format!("{ENV}-brws-{n:0>42}0");
    let url = own
        .system
        .sqs()
        .create_queue()
        .queue_name(name)
        .send()
        .await
        .expect("AWS answers")
        .queue_url
        .expect("it is there");
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let identity = format!("us-east-1:00000000-0000-4000-8000-{n:0>12}");
    let put = own.system.dynamodb().put_item().table_name(&own.system.session_table);
    let put = put.item("accountId", text("2")).item("sessionId", text(&n.to_string()));
    let put = put.item("sqsUrl", text(&url)).item("identityId", text(&identity));
    let put = put.item("ttl", AttributeValue::N(like["ttl"].to_string()));
    put.item("aesKey", text(like["aesKey"].as_str().expect("it is there")))
        .send()
        .await
        .expect("AWS answers");
}

/// How many queues are listed whose names begin as those of the environment's sessions do.
async fn queues(own: &Own) -> usize {
    let list = own.system.sqs().list_queues().queue_name_prefix(own.system.queue_prefix()).max_results(1000);
    list.send().await.expect("AWS answers").queue_urls.unwrap_or_default().len()
}

/// A new identity of the pool.
async fn identity(own: &Own) -> String {
    let get = own.system.cognito_identity().get_open_id_token_for_developer_identity();
    let get =
        get.identity_pool_id(&own.system.identity_pool_id).logins("sqs-browser-events", unique().to_string());
    get.send().await.expect("AWS answers").identity_id.expect("it is there")
}

/// How Cognito refuses keys to whoever has no token: an identity that is gone is told from one that lives.
async fn code(own: &Own, identity: &str) -> String {
    let get = own.system.cognito_identity().get_credentials_for_identity().identity_id(identity);
    let error = get.send().await.expect_err("it is refused");
    error.into_service_error().meta().code().unwrap_or_default().to_owned()
}
