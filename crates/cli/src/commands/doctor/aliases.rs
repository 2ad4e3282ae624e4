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

const SHIFTING: &str = "wait while a deployment shifts calls";
const TAKEN_BACK: &str = "make deploy of what mends it, or of the same release with AGAIN=2";
const ROLLED_BACK: &str = "check out the release that is live, and make deploy AT_ONCE=1";
const CHANGED: &str = "make deploy publishes what was changed";

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

    /// What should be seen to, if anything, and what mends it.
    fn trouble(&self) -> Option<(String, &'static str)> {
        let Self { name, version, shifting_to, newest, is_deployed } = self;
        if let Some((other, part)) = shifting_to {
            let part = part * 100.0;
            return Some((
                format!("{name} is between version {version} and {other} ({part:.0} %)"),
                SHIFTING,
            ));
        }
        match newest {
            // CloudFormation has set everything back to what it was before.
            Some(newest) if *version != newest.to_string() && *is_deployed => {
                Some((format!("{name} is at version {version} again: {newest} was taken back"), TAKEN_BACK))
            }
            Some(newest) if *version != newest.to_string() => {
                Some((format!("{name} is at version {version}, the newest is {newest}"), ROLLED_BACK))
            }
            _ if !is_deployed => Some((format!("{name} was changed after version {version}"), CHANGED)),
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
    let (troubles, mut remedies): (Vec<_>, Vec<_>) = live.iter().filter_map(Live::trouble).unzip();
    if !troubles.is_empty() {
        remedies.sort_unstable();
        remedies.dedup();
        return Finding::warning(troubles.join("; "), remedies.join("; "));
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
        Live::new("f", alias, versions).trouble().map(|(trouble, _)| trouble)
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
    fn the_remedy_is_that_of_what_has_happened() {
        let remedy = |latest: &str| {
            let versions = [version(LATEST, latest), version("1", "info"), version("2", "debug")];
            let live = Live::new("f", &alias("1").build(), &versions);
            let finding = judge(&[], &[live, Live::new("g", &alias("1").build(), &versions)]);
            (finding.detail, finding.remedy)
        };
        let (detail, taken_back) = remedy("info");
        assert_eq!(
            detail,
            "f is at version 1 again: 2 was taken back; g is at version 1 again: 2 was taken back"
        );
        assert_eq!(taken_back.as_deref(), Some(TAKEN_BACK), "once");
        let (detail, rolled_back) = remedy("debug");
        assert!(detail.starts_with("f is at version 1, the newest is 2; "), "{detail}");
        assert_eq!(rolled_back.as_deref(), Some(ROLLED_BACK));
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
