//! Checks and what they find.

use crate::failure::Failure;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::Serialize;
use std::error::Error;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// All is well.
    Passed,
    /// It works, but something should be seen to.
    Warning,
    /// Something is wrong.
    Failed,
    /// It could not be looked at.
    Skipped,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// How the check ended.
    pub outcome: Outcome,
    /// What was seen, or why nothing was.
    pub detail: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// What ends a check early is a finding too.
pub(super) type Found = Result<Finding, Finding>;

impl Finding {
    /// All is well.
    pub(super) fn passed(detail: impl Into<String>) -> Self {
        Self { outcome: Outcome::Passed, detail: detail.into(), remedy: None }
    }

    /// It works, but something should be seen to.
    pub(super) fn warning(detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { outcome: Outcome::Warning, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    /// Something is wrong.
    pub(super) fn failed(detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { outcome: Outcome::Failed, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    /// It could not be looked at.
    pub(super) fn skipped(why: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skipped, detail: why.into(), remedy: None }
    }

    /// What there is to say of `faults`: that all is as `well` says, where there are none.
    pub(super) fn of_faults(faults: &[String], well: impl Into<String>, remedy: impl Into<String>) -> Self {
        if faults.is_empty() { Self::passed(well) } else { Self::failed(faults.join("; "), remedy) }
    }
}

/// A check that was made.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    /// Its name, the same in every run.
    pub name: &'static str,
    /// What it found.
    #[serde(flatten)]
    pub finding: Finding,
    /// Seconds that it took.
    pub seconds: f64,
}

/// The answer of a call that needs `permission` (such as `iam:GetRole`). Without the permission the check is
/// skipped; whatever else goes wrong is a finding.
pub(super) fn answer<T, E>(
    permission: &str,
    result: Result<T, SdkError<E, HttpResponse>>,
) -> Result<T, Finding>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    result.map_err(|error| match Failure::aws(permission, error) {
        Failure::NotAllowed(text) => {
            Finding::skipped(format!("these keys lack the permission {permission} ({text})"))
        }
        other => Finding::failed(
            other.to_string(),
            "try again; if it stays, the service or the network has a problem",
        ),
    })
}

/// As [`answer`], with `None` for what is not there.
pub(super) fn answer_if_any<T, E>(
    permission: &str,
    result: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Option<T>, Finding>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match result {
        Err(error) if is_missing(&error) => Ok(None),
        result => answer(permission, result).map(Some),
    }
}

/// Whether AWS says that there is no such thing.
pub(super) fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
    ["NotFound", "NoSuchEntity", "NonExistent", "DoesNotExist"].iter().any(|part| code.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_has_a_remedy_where_something_is_to_be_done() {
        let json = |finding: Finding| serde_json::to_value(finding).unwrap();
        assert_eq!(json(Finding::passed("fine")), serde_json::json!({"outcome": "passed", "detail": "fine"}));
        assert_eq!(json(Finding::failed("broken", "mend it"))["remedy"], "mend it");
        assert_eq!(Finding::of_faults(&[], "fine", "mend it"), Finding::passed("fine"));
        let faults = ["a is gone".to_owned(), "b is gone".to_owned()];
        assert_eq!(
            Finding::of_faults(&faults, "fine", "mend it"),
            Finding::failed("a is gone; b is gone", "mend it")
        );
    }
}
