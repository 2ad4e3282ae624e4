//! Functions whose alias is not where it should be.

use super::{Patient, patient};
use aws_sdk_lambda::types::AliasRoutingConfiguration;

const NAME: &str = "sqs-sender";

/// Points the alias to a version, and some calls to another one.
async fn point(patient: &Patient, version: &str, other: Option<&str>) {
    let weights = AliasRoutingConfiguration::builder();
    let weights =
        other.into_iter().fold(weights, |weights, other| weights.additional_version_weights(other, 0.1));
    let update = patient.system.lambda().update_alias().function_name(patient.system.function(NAME));
    let update = update.name("live").function_version(version).routing_config(weights.build());
    update.send().await.expect("an alias can be moved");
}

#[tokio::test]
async fn versions_that_are_not_live() {
    let patient = patient().await;
    let detail = async || {
        let seen = patient.examine(&[]).await;
        let is_told = seen.named("warning").contains(&"functions-live");
        assert_eq!((seen.code, is_told), (Some(0), true), "{seen:?}");
        seen.detail("functions-live").to_owned()
    };
    patient.set_level(NAME, "debug").await;
    let changed = detail().await;
    let newest = patient.publish(NAME).await;
    let older = (newest.parse::<u32>().expect("versions are numbers") - 1).to_string();
    point(&patient, &older, None).await;
    let behind = detail().await;
    point(&patient, &older, Some(&newest)).await;
    let between = detail().await;
    patient.set_level(NAME, "info").await;
    patient.publish(NAME).await;
    let well = patient.examine(&[]).await;
    assert_eq!(changed, format!("{NAME} was changed after version {older}"));
    assert_eq!(behind, format!("{NAME} is at version {older}, the newest is {newest}"));
    assert_eq!(between, format!("{NAME} is between version {older} and {newest} (10 %)"));
    assert!(well.detail("functions-live").starts_with("the newest versions: "), "{well:?}");
}

#[tokio::test]
async fn no_place_for_what_is_given_up() {
    let patient = patient().await;
    let (lambda, function) = (patient.system.lambda(), patient.system.function(NAME));
    let get =
        lambda.get_function_event_invoke_config().function_name(&function).qualifier("live").send().await;
    let config = get.expect("it is there");
    let delete = lambda.delete_function_event_invoke_config().function_name(&function).qualifier("live");
    delete.send().await.expect("it can be deleted");
    let seen = patient.examine(&[]).await;
    let put = lambda.put_function_event_invoke_config().function_name(&function).qualifier("live");
    let put = put
        .set_destination_config(config.destination_config)
        .set_maximum_retry_attempts(config.maximum_retry_attempts);
    put.maximum_event_age_in_seconds(3600).send().await.expect("it can be put");
    seen.fails(&["functions-given-up"]);
    assert_eq!(seen.detail("functions-given-up"), format!("what {NAME}:live gives up is lost"));
}
