//! Faults of stream, tables, functions, queues and alarms.

use super::patient;
use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{Dimension, MetricAlarm, MetricDatum},
};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
};
use aws_sdk_lambda::types::Environment;
use sbe_tests::{eventually, unique};
use std::time::{Duration, SystemTime};

#[tokio::test]
async fn a_disabled_mapping() {
    let patient = patient().await;
    let lambda = patient.system.lambda();
    let of = patient.system.function("event-dispatcher");
    let list =
        lambda.list_event_source_mappings().function_name(of).send().await.expect("mappings are listed");
    let id = list.event_source_mappings()[0].uuid().expect("a mapping has an id").to_owned();
    let set = async |on| {
        lambda.update_event_source_mapping().uuid(&id).enabled(on).send().await.expect("it is set")
    };
    set(false).await;
    let seen = patient.examine_briefly().await;
    set(true).await;
    seen.fails(&["stream-mapping", "round-trip-kinesis"]);
    assert!(seen.remedy("stream-mapping").contains(&format!("--uuid {id} --enabled")), "{seen:?}");
    assert!(seen.remedy("round-trip-kinesis").contains("mapping"), "it says where to look: {seen:?}");
}

/// What was behind and has caught up is behind no more.
#[tokio::test]
async fn records_that_are_not_kept_up_with() {
    let patient = patient().await;
    let (cloudwatch, function) = (patient.system.cloudwatch(), patient.system.function("event-dispatcher"));
    let put = async |milliseconds: f64, ago: u64| {
        let at = DateTime::from(SystemTime::now() - Duration::from_secs(ago));
        let datum = MetricDatum::builder().metric_name("IteratorAge").value(milliseconds).timestamp(at);
        let datum =
            datum.dimensions(Dimension::builder().name("FunctionName").value(&function).build()).build();
        let put = cloudwatch.put_metric_data().namespace("AWS/Lambda").metric_data(datum);
        put.send().await.expect("a metric is taken");
    };
    put(180_000.0, 300).await;
    let seen = patient.examine(&[]).await;
    put(10.0, 0).await;
    let caught_up = patient.examine(&[]).await;
    seen.fails(&["iterator-age"]);
    assert!(seen.detail("iterator-age").contains("180.0 s old"), "{seen:?}");
    assert_eq!(caught_up.named("failed"), [""; 0], "{caught_up:?}");
}

#[tokio::test]
async fn a_stream_of_another_name() {
    let patient = patient().await;
    let seen = patient.examine_with("stream", "no-such-stream").await;
    seen.fails(&["stream", "stream-mapping"]);
    assert_eq!(seen.named("skipped"), ["round-trip-kinesis"], "there is nothing to put a record on");
}

#[tokio::test]
async fn expiry_switched_off() {
    let patient = patient().await;
    let (db, table) = (patient.system.dynamodb(), &patient.system.session_table);
    let set = async |on| {
        let ttl =
            TimeToLiveSpecification::builder().attribute_name("ttl").enabled(on).build().expect("complete");
        let update = db.update_time_to_live().table_name(table).time_to_live_specification(ttl);
        update.send().await.expect("it is set");
    };
    set(false).await;
    let seen = patient.examine(&[]).await;
    set(true).await;
    seen.fails(&["sessions-ttl"]);
    assert!(seen.remedy("sessions-ttl").starts_with("aws dynamodb update-time-to-live"), "{seen:?}");
}

/// A table that somebody made by hand, with integers as keys and without indexes.
#[tokio::test]
async fn a_table_with_other_keys() {
    let patient = patient().await;
    let (db, table) = (patient.system.dynamodb(), format!("by-hand-{}", unique()));
    let key = |name: &str, of| {
        KeySchemaElement::builder().attribute_name(name).key_type(of).build().expect("complete")
    };
    let number = |name: &str| {
        let of = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::N);
        of.build().expect("complete")
    };
    let create = db.create_table().table_name(&table).billing_mode(BillingMode::PayPerRequest);
    let create = create
        .attribute_definitions(number("accountId"))
        .attribute_definitions(number("sessionId"))
        .key_schema(key("accountId", KeyType::Hash))
        .key_schema(key("sessionId", KeyType::Range));
    create.send().await.expect("a table is made");
    let seen = patient.examine_with("sessionTable", &table).await;
    seen.fails(&["sessions-mapping", "sessions-table", "sessions-ttl"]);
    for part in ["accountId (HASH, S)", "userId-index", "sessionId-index", "NEW_AND_OLD_IMAGES"] {
        assert!(seen.detail("sessions-table").contains(part), "{part}: {seen:?}");
    }
}

#[tokio::test]
async fn a_function_of_another_release() {
    let patient = patient().await;
    let (lambda, name) = (patient.system.lambda(), patient.system.function("sqs-sender"));
    let now = lambda.get_function_configuration().function_name(&name).send().await.expect("it is there");
    let variables = now.environment.and_then(|of| of.variables).expect("it has an environment");
    let set = async |release: &str| {
        let mut variables = variables.clone();
        variables.insert("RELEASE".into(), release.into());
        let environment = Environment::builder().set_variables(Some(variables)).build();
        let update = lambda.update_function_configuration().function_name(&name).environment(environment);
        update.send().await.expect("it is set");
        patient.publish("sqs-sender").await;
    };
    set("0.0.9").await;
    let seen = patient.examine(&[]).await;
    set(&patient.system.release).await;
    seen.fails(&["functions-release"]);
    assert_eq!(seen.detail("functions-release"), "sqs-sender is of release 0.0.9");
}

#[tokio::test]
async fn a_system_of_another_release() {
    let seen = patient().await.examine_with("release", "9.9.9").await;
    seen.fails(&["release", "functions-release"]);
}

#[tokio::test]
async fn rejected_and_given_up_work() {
    let patient = patient().await;
    for (url, name) in [
        (&patient.system.rejected_queue_url, "rejected-queue"),
        (&patient.system.failed_queue_url, "failed-queue"),
    ] {
        let send = patient.system.sqs().send_message().queue_url(url).message_body("{}");
        send.send().await.expect("the operator may send");
        let seen = patient.examine(&[]).await;
        patient.purge(url).await;
        seen.fails(&[name]);
        assert!(seen.detail(name).contains("about 1 messages"), "{seen:?}");
    }
}

#[tokio::test]
async fn a_sender_that_may_not_send() {
    let patient = patient().await;
    let role = patient.role("SqsSenderRole").await;
    let policy = patient.policy(&role, "sqs-sender").await;
    let mut narrowed = policy.clone();
    narrowed["Statement"][1]["Resource"] = narrowed["Statement"][1]["Resource"][1].take();
    patient.put_policy(&role, "sqs-sender", &narrowed).await;
    let seen = patient.examine_briefly().await;
    patient.put_policy(&role, "sqs-sender", &policy).await;
    // What it was given for the sessions is parked; nothing is left to the tests that follow.
    let failed = &patient.system.failed_queue_url;
    let parked = || async {
        let waiting =
            patient.system.sqs().receive_message().queue_url(failed).wait_time_seconds(1).send().await;
        waiting.expect("the queue answers").messages.filter(|messages| !messages.is_empty())
    };
    eventually("what the sender gave up", parked).await;
    patient.purge(failed).await;
    seen.fails(&["round-trip-http", "round-trip-kinesis"]);
    assert!(seen.remedy("round-trip-http").contains("sqs-sender must allow sqs:SendMessage"), "{seen:?}");
    assert_eq!(seen.named("skipped"), ["decryption"], "no message came");
}

#[tokio::test]
async fn alarms_that_tell_nobody_or_are_gone() {
    let patient = patient().await;
    let (cloudwatch, env) = (patient.system.cloudwatch(), &patient.system.env);
    let alarms = cloudwatch.describe_alarms().alarm_name_prefix(format!("{env}-sqs-browser-")).send().await;
    let alarms = alarms.expect("alarms").metric_alarms.unwrap_or_default();
    let put = async |alarm: &MetricAlarm, action: Option<&str>| {
        let put = cloudwatch.put_metric_alarm().set_alarm_name(alarm.alarm_name.clone());
        let put = put.set_namespace(alarm.namespace.clone()).set_metric_name(alarm.metric_name.clone());
        let put = put.set_dimensions(alarm.dimensions.clone()).set_statistic(alarm.statistic.clone());
        let put = put.set_extended_statistic(alarm.extended_statistic.clone()).set_period(alarm.period);
        let put = put.set_evaluation_periods(alarm.evaluation_periods).set_threshold(alarm.threshold);
        let put = put.set_comparison_operator(alarm.comparison_operator.clone());
        let put = put.set_treat_missing_data(alarm.treat_missing_data.clone());
        let put = put.set_alarm_actions(action.map(|arn| vec![arn.to_owned()]));
        put.send().await.expect("an alarm can be put");
    };
    for alarm in &alarms {
        put(alarm, Some("arn:aws:sns:us-east-1:000000000000:operators")).await;
    }
    let told = patient.examine(&["--strict"]).await;
    let failed = format!("{env}-sqs-browser-failed");
    cloudwatch.delete_alarms().alarm_names(failed).send().await.expect("it is deleted");
    let gone = patient.examine(&[]).await;
    for alarm in &alarms {
        put(alarm, None).await;
    }
    assert_eq!((told.code, told.named("warning")), (Some(0), vec![]), "{told:?}");
    gone.fails(&["alarms"]);
}

/// On the local system alarms tell nobody, which is only a warning there.
#[tokio::test]
async fn a_deployed_system_whose_alarms_tell_nobody() {
    let seen = patient().await.examine_as_deployed().await;
    seen.fails(&["api", "alarm-actions"]);
    assert!(seen.remedy("alarm-actions").contains("samconfig.toml"), "{seen:?}");
}

#[tokio::test]
async fn a_queue_with_another_identitys_tag() {
    let patient = patient().await;
    let path = format!("/create/{}/tagged", unique());
    let reply = patient.system.api().call("POST", &path, "").await.expect("a session is created");
    let url = reply["session"]["sqsUrl"].as_str().expect("a session has a queue");
    let tag = patient.system.sqs().tag_queue().queue_url(url).tags("identityId", "us-east-1:another");
    tag.send().await.expect("the operator may tag");
    let seen = patient.examine(&[]).await;
    // The remedy: the session is created again.
    patient.system.api().call("POST", &path, "").await.expect("a session is refreshed");
    let mended = patient.examine(&[]).await;
    patient.system.api().call("POST", &path.replace("create", "destroy"), "").await.expect("it is destroyed");
    seen.fails(&["queue-tags"]);
    assert_eq!(mended.code, Some(0), "{mended:?}");
    assert!(mended.detail("queue-tags").starts_with("1 sessions looked at"), "{mended:?}");
}
