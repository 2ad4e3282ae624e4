//! What went wrong, and whether trying again can help.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error as StdError;

/// The result of a call to AWS.
pub type Result<T> = std::result::Result<T, Error>;

/// A call to AWS that failed, after the SDK's own retries.
///
/// The text names the operation and AWS's error code; it holds nothing of the request.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed: {code}{detail}")]
pub struct Error {
    operation: &'static str,
    code: String,
    detail: String,
    kind: Kind,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// AWS asked for fewer calls: the same call will succeed later.
    Throttled,
    /// No answer, or a failure on AWS's side: the same call may succeed later.
    Unavailable,
    /// What the call names does not exist.
    NotFound,
    /// A condition of the call was not met.
    Conflict,
    /// Anything else; trying again will not help.
    Refused,
}

impl Error {
    /// A failure of `operation` with a code of this system's own.
    pub fn new(operation: &'static str, kind: Kind, code: impl Into<String>) -> Self {
        Self { operation, code: code.into(), detail: String::new(), kind, source: None }
    }

    /// Adapts an SDK error.
    pub(crate) fn sdk<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        move |error| Self {
            operation,
            code: error.code().map_or_else(|| outcome(&error).to_owned(), str::to_owned),
            detail: error.message().map(|message| format!(" ({message})")).unwrap_or_default(),
            kind: kind(&error),
            source: error.into_source().ok(),
        }
    }

    /// The kind of failure.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// AWS's code of the error.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Unavailable)
    }
}

fn kind<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Kind {
    let SdkError::ServiceError(_) = error else {
        return if matches!(error, SdkError::ConstructionFailure(_)) {
            Kind::Refused
        } else {
            Kind::Unavailable
        };
    };
    kind_of_code(error.code().unwrap_or_default())
}

/// The kind of an error code, of a call or of an entry in a batch.
pub(crate) fn kind_of_code(code: &str) -> Kind {
    let name = code.rsplit(['#', '.']).next().unwrap_or(code);
    match name {
        _ if name.contains("Throttl") || name.contains("TooManyRequests") => Kind::Throttled,
        "RequestLimitExceeded"
        | "LimitExceededException"
        | "ProvisionedThroughputExceededException"
        | "SlowDown"
        | "OverLimit" => Kind::Throttled,
        "QueueDoesNotExist" | "NonExistentQueue" | "ResourceNotFoundException" => Kind::NotFound,
        "ConditionalCheckFailedException" => Kind::Conflict,
        _ if name.contains("Internal") || name.contains("Unavailable") || name.contains("Timeout") => {
            Kind::Unavailable
        }
        "ServiceException" | "EC2ThrottledException" | "TransactionInProgressException" => Kind::Unavailable,
        _ => Kind::Refused,
    }
}

fn outcome<E, R>(error: &SdkError<E, R>) -> &'static str {
    match error {
        SdkError::ConstructionFailure(_) => "ConstructionFailure",
        SdkError::TimeoutError(_) => "Timeout",
        SdkError::DispatchFailure(_) => "DispatchFailure",
        SdkError::ResponseError(_) => "MalformedResponse",
        _ => "ServiceError",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_kinds() {
        for (code, kind) in [
            ("ThrottlingException", Kind::Throttled),
            ("ProvisionedThroughputExceededException", Kind::Throttled),
            ("TooManyRequestsException", Kind::Throttled),
            ("AWS.SimpleQueueService.NonExistentQueue", Kind::NotFound),
            ("QueueDoesNotExist", Kind::NotFound),
            ("ConditionalCheckFailedException", Kind::Conflict),
            ("InternalServerError", Kind::Unavailable),
            ("InternalError", Kind::Unavailable),
            ("ServiceUnavailable", Kind::Unavailable),
            ("AccessDenied", Kind::Refused),
            ("", Kind::Refused),
        ] {
            assert_eq!(kind_of_code(code), kind, "{code}");
        }
    }
}
