//! The aliases by which functions are called: which version is live, and what becomes of work that it gives up.

use super::{
    Doctor,
    check::{Finding, Found, answer_if_any},
};
use aws_sdk_lambda::types::{AliasConfiguration, FunctionConfiguration};
use futures::future::try_join_all;
use sbe_client::FUNCTIONS;
use sbe_core::ALIAS;

const DISPATCHER: &str = "event-dispatcher";
/// The functions that are invoked asynchronously.
const ASYNCHRONOUS: [&str; 4] = ["session-manager", DISPATCHER, "sqs-sender", "user-history-adder"];
const LATEST: &str = "$LATEST";

/// What counts of a function's alias.
#[derive(Debug, PartialEq)]
struct Live {
    name: &'static str,
    /// The version that it points to.
    version: String,
    /// Another version that it points to, and the part of the calls that it gets.
    shifting_to: Option<(String, f64)>,
    /// The newest version.
    newest: Option<u64>,
    /// Whether what was deployed last is that version.
    is_deployed: bool,
}

/// Calls go to the versions that were deployed last.
pub(super) async fn live(doctor: &Doctor) -> Found {
    let found = try_join_all(FUNCTIONS.map(async |name| Ok((name, read(doctor, name).await?)))).await?;
    let missing = found.iter().filter(|(_, live)| live.is_none()).map(|(name, _)| *name).collect::<Vec<_>>();
    let live: Vec<Live> = found.into_iter().filter_map(|(_, live)| live).collect();
    Ok(judge(&missing, &live))
}

async fn read(doctor: &Doctor, name: &'static str) -> Result<Option<Live>, Finding> {
    let (lambda, function) = (doctor.system.lambda(), doctor.system.function(name));
    let list = lambda.list_aliases().function_name(&function).send().await;
    let aliases =
        answer_if_any("lambda:ListAliases", list)?.and_then(|list| list.aliases).unwrap_or_default();
    let Some(alias) = aliases.iter().find(|alias| alias.name() == Some(ALIAS)) else { return Ok(None) };
    let pages = lambda.list_versions_by_function().function_name(&function).into_paginator().items();
    let versions = pages.send().try_collect().await;
    let versions = answer_if_any("lambda:ListVersionsByFunction", versions)?.unwrap_or_default();
    Ok(Some(Live::new(name, alias, &versions)))
}

impl Live {
    fn new(name: &'static str, alias: &AliasConfiguration, versions: &[FunctionConfiguration]) -> Self {
        let version = alias.function_version().unwrap_or_default().to_owned();
        let weights = alias.routing_config().and_then(|config| config.additional_version_weights());
        let shifting_to = weights.and_then(|weights| weights.iter().next());
        let of = |version: &str| versions.iter().find(|of| of.version() == Some(version));
        Self {
            name,
            shifting_to: shifting_to.map(|(version, part)| (version.clone(), *part)),
            newest: versions.iter().filter_map(|of| of.version()?.parse().ok()).max(),
            is_deployed: of(&version).zip(of(LATEST)).is_some_and(|(live, latest)| is_same(live, latest)),
            version,
        }
    }

    /// What should be seen to, if anything.
    fn trouble(&self) -> Option<String> {
        let Self { name, version, shifting_to, newest, is_deployed } = self;
        if let Some((other, part)) = shifting_to {
            return Some(format!("{name} is between version {version} and {other} ({:.0} %)", part * 100.0));
        }
        match newest {
            Some(newest) if *version != newest.to_string() => {
                Some(format!("{name} is at version {version}, the newest is {newest}"))
            }
            _ if !is_deployed => Some(format!("{name} was changed after version {version}")),
            _ => None,
        }
    }
}

/// Whether two versions do the same.
fn is_same(one: &FunctionConfiguration, other: &FunctionConfiguration) -> bool {
    let variables = |of: &FunctionConfiguration| of.environment().and_then(|all| all.variables().cloned());
    let tracing = |of: &FunctionConfiguration| of.tracing_config().and_then(|of| of.mode().cloned());
    one.code_sha256() == other.code_sha256()
        && (one.role(), one.memory_size(), one.timeout())
            == (other.role(), other.memory_size(), other.timeout())
        && (variables(one), tracing(one)) == (variables(other), tracing(other))
}

fn judge(missing: &[&str], live: &[Live]) -> Finding {
    if !missing.is_empty() {
        let detail = format!("no alias {ALIAS}, by which it is called: {}", missing.join(", "));
        return Finding::failed(detail, "deploy the template again");
    }
    let troubles: Vec<String> = live.iter().filter_map(Live::trouble).collect();
    if !troubles.is_empty() {
        let remedy = "wait while a deployment shifts calls; else make deploy publishes what was changed, and brings \
                      right what was taken back";
        return Finding::warning(troubles.join("; "), remedy);
    }
    let versions: Vec<String> = live.iter().map(|live| format!("{} {}", live.name, live.version)).collect();
    Finding::passed(format!("the newest versions: {}", versions.join(", ")))
}

/// What functions give up goes to the failed queue, whoever invoked them.
pub(super) async fn given_up(doctor: &Doctor) -> Found {
    let invoked = ASYNCHRONOUS.map(|name| (name, ALIAS)).into_iter().chain([(DISPATCHER, LATEST)]);
    let faults = try_join_all(invoked.map(async |(name, qualifier)| {
        let get = doctor.system.lambda().get_function_event_invoke_config();
        let get = get.function_name(doctor.system.function(name)).qualifier(qualifier).send().await;
        let config = answer_if_any("lambda:GetFunctionEventInvokeConfig", get)?;
        let destination = config.and_then(|of| of.destination_config?.on_failure?.destination);
        Ok(fault(&format!("{name}:{qualifier}"), destination.as_deref(), &doctor.system.failed_queue_url))
    }));
    let faults: Vec<String> = faults.await?.into_iter().flatten().collect();
    let remedy = "deploy the template again, or put it (aws lambda put-function-event-invoke-config)";
    Ok(Finding::of_faults(&faults, "all of it goes to the failed queue", remedy))
}

fn fault(function: &str, destination: Option<&str>, failed_queue_url: &str) -> Option<String> {
    let queue = failed_queue_url.rsplit('/').next();
    match destination {
        Some(arn) if arn.rsplit(':').next() == queue => None,
        Some(arn) => Some(format!("what {function} gives up goes to {arn}")),
        None => Some(format!("what {function} gives up is lost")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};
    use aws_sdk_lambda::types::{AliasRoutingConfiguration, EnvironmentResponse};

    fn version(version: &str, level: &str) -> FunctionConfiguration {
        let environment = EnvironmentResponse::builder().variables("RUST_LOG", level).build();
        let of = FunctionConfiguration::builder().version(version).code_sha256("c").memory_size(512);
        of.environment(environment).build()
    }

    fn alias(version: &str) -> aws_sdk_lambda::types::builders::AliasConfigurationBuilder {
        AliasConfiguration::builder().name(ALIAS).function_version(version)
    }

    fn trouble(alias: &AliasConfiguration, versions: &[FunctionConfiguration]) -> Option<String> {
        Live::new("f", alias, versions).trouble()
    }

    #[test]
    fn calls_go_to_what_was_deployed_last() {
        let versions = [version(LATEST, "info"), version("9", "debug"), version("10", "info")];
        assert_eq!(trouble(&alias("10").build(), &versions), None);
        let older = trouble(&alias("9").build(), &versions);
        assert_eq!(older.as_deref(), Some("f is at version 9, the newest is 10"));
        let changed = trouble(&alias("9").build(), &versions[..2]);
        assert_eq!(changed.as_deref(), Some("f was changed after version 9"));
        let weights = AliasRoutingConfiguration::builder().additional_version_weights("10", 0.1).build();
        let shifting = trouble(&alias("9").routing_config(weights).build(), &versions);
        assert_eq!(shifting.as_deref(), Some("f is between version 9 and 10 (10 %)"));
    }

    #[test]
    fn a_missing_alias_fails_and_an_older_version_warns() {
        let versions = [version(LATEST, "info"), version("1", "info"), version("2", "info")];
        let live = |version: &str| Live::new("f", &alias(version).build(), &versions);
        assert_eq!(judge(&["g"], &[live("2")]).outcome, Outcome::Failed);
        assert_eq!(judge(&[], &[live("1")]).outcome, Outcome::Warning);
        assert_eq!(judge(&[], &[live("2")]).detail, "the newest versions: f 2");
    }

    #[test]
    fn what_is_given_up_has_a_place() {
        let url = "http://localhost/1/dev-sqs-browser-failed";
        let fault = |arn: Option<&str>| fault("f:live", arn, url);
        assert_eq!(fault(Some("arn:aws:sqs:r:1:dev-sqs-browser-failed")), None);
        let elsewhere = fault(Some("arn:aws:sqs:r:1:other"));
        assert_eq!(elsewhere.as_deref(), Some("what f:live gives up goes to arn:aws:sqs:r:1:other"));
        assert_eq!(fault(None).as_deref(), Some("what f:live gives up is lost"));
    }
}
