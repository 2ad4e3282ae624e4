//! What it means for a consumer when SQS does not do what it asks.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

/// What a failed call with a session's keys means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The queue is not there: the session has ended or was made anew. A queue may be unknown for about a
    /// second after it was created.
    QueueGone,
    /// The keys have expired, or others have taken the session over by `/create`.
    KeysRefused,
    /// Throttled, out of reach, or failing: the same call can succeed later.
    Passing,
}

/// What the failure of a call means.
pub fn trouble<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Trouble {
    let SdkError::ServiceError(service) = error else { return Trouble::Passing };
    of_code(service.err().code().unwrap_or_default(), service.raw().status().as_u16())
}

fn of_code(code: &str, status: u16) -> Trouble {
    let is = |names: &[&str]| names.iter().any(|name| code.contains(name));
    if is(&["NonExistentQueue", "QueueDoesNotExist"]) {
        Trouble::QueueGone
    } else if is(&["Throttl", "TooManyRequests"]) || status >= 500 {
        Trouble::Passing
    } else {
        // Whatever else SQS refuses, it is the keys that fresh ones may mend.
        Trouble::KeysRefused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_sqs_are_told_apart() {
        for (code, status, expected) in [
            ("AWS.SimpleQueueService.NonExistentQueue", 400, Trouble::QueueGone),
            ("QueueDoesNotExist", 400, Trouble::QueueGone),
            ("AccessDenied", 403, Trouble::KeysRefused),
            ("ExpiredToken", 403, Trouble::KeysRefused),
            ("InvalidClientTokenId", 403, Trouble::KeysRefused),
            ("ThrottlingException", 400, Trouble::Passing),
            ("RequestThrottled", 403, Trouble::Passing),
            ("InternalFailure", 500, Trouble::Passing),
        ] {
            assert_eq!(of_code(code, status), expected, "{code}");
        }
    }
}
