//! Failures and their exit codes.

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use sbe_client::{ApiError, SystemError, causes};
use std::error::Error;

/// The exit codes, as `--help` lists them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    the command did its work and found something wrong, or a part of the work could not be done
  2    the command line or its input is wrong
  3    there is no such system, or its stack file cannot be used
  4    not allowed: keys are missing, expired or refused
  5    refused: what was asked for is invalid, or is not there
  6    unavailable: throttled, out of reach or failing; worth another try
  7    the system is of another release
  130  interrupted";

/// Why a command did not do what it was asked for: one line for people.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something is wrong with what was looked at, or part of the work could not be done.
    #[error("{0}")]
    Found(String),
    /// The command line or its input is wrong.
    #[error("{0}")]
    Usage(String),
    /// There is no such system.
    #[error("{0}")]
    NoSystem(String),
    /// The stack file or the stack cannot be used.
    #[error(transparent)]
    System(#[from] SystemError),
    /// Keys are missing, expired or refused.
    #[error("{0}")]
    NotAllowed(String),
    /// What was asked for is invalid, or is not there.
    #[error("{0}")]
    Refused(String),
    /// Throttled, out of reach, or failing.
    #[error("{0}")]
    Unavailable(String),
    /// The HTTP API did not do it.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The system is of another release.
    #[error("{0}")]
    OtherRelease(String),
    /// Ctrl-C; what was done and what was not.
    #[error("{0}")]
    Interrupted(String),
}

impl Failure {
    /// The failure of a call to AWS. `what` says what was tried, such as `listing queues`.
    pub fn aws<E>(what: &str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let SdkError::ServiceError(service) = &error else {
            return Self::Unavailable(format!("{what}: {}", causes(&error)));
        };
        let code = service.err().code().unwrap_or_default();
        let message = service.err().message().unwrap_or(code);
        let text = format!("{what}: {message}");
        match code {
            _ if is_about_keys(code) => Self::NotAllowed(text),
            _ if code.contains("Throttl") || code.contains("Exceeded") || code.contains("TooMany") => {
                Self::Unavailable(text)
            }
            _ if service.raw().status().as_u16() >= 500 => Self::Unavailable(text),
            _ => Self::Refused(text),
        }
    }

    /// The process's exit code, one of [`EXIT_CODES`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Found(_) => 1,
            Self::Usage(_) => 2,
            Self::NoSystem(_) => 3,
            Self::System(error) => of_system(error),
            Self::NotAllowed(_) => 4,
            Self::Refused(_) => 5,
            Self::Unavailable(_) => 6,
            Self::Api(error) => of_api(error),
            Self::OtherRelease(_) => 7,
            Self::Interrupted(_) => 130,
        }
    }
}

fn of_system(error: &SystemError) -> u8 {
    match error {
        SystemError::File(..) | SystemError::NotFound { .. } | SystemError::NoRegion => 3,
        SystemError::NoCredentials | SystemError::CloudFormation { refused: true, .. } => 4,
        SystemError::CloudFormation { refused: false, .. } => 6,
        SystemError::OtherRelease { .. } => 7,
    }
}

fn of_api(error: &ApiError) -> u8 {
    match error {
        ApiError::Unsigned(_) | ApiError::Refused { status: 401 | 403, .. } => 4,
        ApiError::Refused { status: 429 | 500.., .. } | ApiError::Unreachable(..) => 6,
        ApiError::Refused { .. } => 5,
    }
}

/// Whether an error code of AWS says that the keys are wrong, expired, or not enough.
fn is_about_keys(code: &str) -> bool {
    const CODES: [&str; 9] = [
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "NotAuthorizedException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ];
    CODES.contains(&code) || code.ends_with("AccessDenied") || code.ends_with("InvalidSignatureException")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::{body::SdkBody, error::ErrorMetadata};

    /// The exit code of a failure that AWS answers.
    fn answered(status: u16, code: &str) -> u8 {
        let error = ErrorMetadata::builder().code(code).message("no").build();
        let status = StatusCode::try_from(status).unwrap();
        let error = SdkError::service_error(error, HttpResponse::new(status, SdkBody::empty()));
        Failure::aws("listing queues", error).exit_code()
    }

    #[test]
    fn what_aws_answers_has_an_exit_code_of_its_kind() {
        assert_eq!(answered(403, "AccessDenied"), 4);
        assert_eq!(answered(400, "ExpiredTokenException"), 4);
        assert_eq!(answered(400, "ThrottlingException"), 6);
        assert_eq!(answered(400, "ProvisionedThroughputExceededException"), 6);
        assert_eq!(answered(500, "InternalFailure"), 6);
        assert_eq!(answered(400, "AWS.SimpleQueueService.NonExistentQueue"), 5);
    }

    #[test]
    fn what_the_api_refuses_has_an_exit_code_of_its_kind() {
        let refused = |status| {
            let error = ApiError::Refused { status, message: "no".into(), retry_after: None };
            Failure::from(error).exit_code()
        };
        let statuses = [400, 403, 404, 413, 429, 500, 503];
        assert_eq!(statuses.map(refused), [5, 4, 5, 5, 6, 6, 6]);
    }
}
