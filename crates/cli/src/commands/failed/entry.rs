//! Reads an entry of the failed queue, in the forms of the functions and of Lambda.
//!
//! Functions park `{"function","reason","requestPayload"}` (`crates/aws/src/parking.rs`). Lambda's own
//! destination records have a `requestContext`; those of asynchronous invocations also the `requestPayload`,
//! those of stream mappings a batch's pointers instead of its records.

use crate::{parked::Facts, times};
use sbe_core::history::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// An entry.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry<'a> {
    function: Option<String>,
    reason: Option<String>,
    #[serde(borrow)]
    request_payload: Option<&'a RawValue>,
    request_context: Option<RequestContext>,
    response_payload: Option<Response>,
    #[serde(rename = "KinesisBatchInfo")]
    kinesis: Option<Pointers>,
    #[serde(rename = "DDBStreamBatchInfo")]
    table: Option<Pointers>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    function_arn: String,
    #[serde(default)]
    condition: String,
}

/// What a failed function answered; anything else is of no interest.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Response {
    #[serde(rename_all = "camelCase")]
    Error {
        error_type: Option<String>,
        error_message: Option<String>,
    },
    Other(serde::de::IgnoredAny),
}

/// Where the records of a batch are in a stream.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pointers {
    /// The shard.
    pub shard_id: String,
    /// The first record.
    pub start_sequence_number: String,
    /// The last record.
    pub end_sequence_number: String,
    /// How many records there are.
    pub batch_size: u64,
    /// The stream.
    pub stream_arn: String,
    /// When the first record came, about, as Lambda writes it; a text, as a strange one makes no entry unreadable.
    pub approximate_arrival_of_first_record: Option<String>,
}

impl Pointers {
    /// When the first record came, about: it is the first that the stream forgets.
    pub fn arrived(&self) -> Option<Timestamp> {
        times::rfc3339(self.approximate_arrival_of_first_record.as_deref()?)
    }
}

/// What is to be done again.
#[derive(Debug, PartialEq, Eq)]
pub enum Work<'a> {
    /// An invocation with a payload: its JSON text as it was.
    Invocation(&'a str),
    /// Records of the Kinesis stream.
    Records(&'a Pointers),
    /// Records of the stream of the sessions table.
    Changes(&'a Pointers),
    /// Nothing that is known.
    Unknown,
}

impl<'a> Entry<'a> {
    /// Reads the body of a message.
    pub fn read(body: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(body)
    }

    /// What is told of an entry that cannot be read.
    pub fn unreadable() -> Facts {
        Facts { origin: "unknown".into(), reason: "it is not in a form that this release knows".into() }
    }

    /// The name of the function that gave up, without its alias or version: what is left is for those that are
    /// live now.
    pub fn function(&self) -> &str {
        let arn = self.request_context.as_ref().map_or("", |context| &context.function_arn);
        function_name(self.function.as_deref().unwrap_or(arn))
    }

    /// What is to be done again.
    pub fn work(&self) -> Work<'_> {
        match (self.request_payload, &self.kinesis, &self.table) {
            (Some(payload), ..) => Work::Invocation(payload.get()),
            (_, Some(pointers), _) => Work::Records(pointers),
            (.., Some(pointers)) => Work::Changes(pointers),
            _ => Work::Unknown,
        }
    }

    /// When the record came that the stream must still have for this to be done again, if that is told.
    pub fn arrived(&self) -> Option<Timestamp> {
        match self.work() {
            Work::Records(pointers) => pointers.arrived(),
            _ => None,
        }
    }

    /// Whose it is, and why.
    pub fn facts(&self) -> Facts {
        match self.work() {
            Work::Unknown => Self::unreadable(),
            _ => Facts { origin: self.function().to_owned(), reason: self.reason() },
        }
    }

    fn reason(&self) -> String {
        if let Some(reason) = &self.reason {
            return reason.clone();
        }
        let condition = self.request_context.as_ref().map_or("", |context| &context.condition);
        let Some(Response::Error { error_type, error_message }) = &self.response_payload else {
            return condition.to_owned();
        };
        let parts = [Some(condition), error_type.as_deref(), error_message.as_deref().map(without_request)];
        let parts: Vec<&str> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        parts.join(": ")
    }
}

/// The name in an ARN such as `arn:aws:lambda:REGION:ACCOUNT:function:NAME:live`, or in `NAME:live`.
pub(crate) fn function_name(function: &str) -> &str {
    let name = function.split_once(":function:").map_or(function, |(_, name)| name);
    name.split(':').next().unwrap_or(name)
}

/// Lambda begins some errors with the request's id, by which no two would be the same.
fn without_request(message: &str) -> &str {
    let rest = message.strip_prefix("RequestId: ").and_then(|rest| rest.split_once(' '));
    rest.map_or(message, |(_, rest)| rest.strip_prefix("Error: ").unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> (String, String) {
        let Facts { origin, reason } = Entry::read(body).unwrap().facts();
        (origin, reason)
    }

    #[test]
    fn what_functions_park() {
        let body = r#"{"function":"dev-x","reason":"AccessDenied: no","requestPayload":{"n": 12345678901234567890123, "f":1.10}}"#;
        assert_eq!(told(body), ("dev-x".into(), "AccessDenied: no".into()));
        let entry = Entry::read(body).unwrap();
        assert_eq!(entry.work(), Work::Invocation(r#"{"n": 12345678901234567890123, "f":1.10}"#));
    }

    #[test]
    fn what_lambda_parks() {
        let body = r#"{"version":"1.0","requestContext":{"functionArn":"arn:aws:lambda:eu-west-1:1:function:dev-x:$LATEST",
            "condition":"RetriesExhausted"},"requestPayload":[],"responsePayload":{"errorType":"Runtime.ExitError",
            "errorMessage":"RequestId: 5f2c-1 Error: Runtime exited"}}"#;
        let reason = "RetriesExhausted: Runtime.ExitError: Runtime exited".to_owned();
        assert_eq!(told(body), ("dev-x".into(), reason));
        let too_old = r#"{"requestContext":{"functionArn":"arn:aws:lambda:r:1:function:f","condition":"EventAgeExceeded"},
            "requestPayload":{},"responsePayload":null}"#;
        assert_eq!(told(too_old), ("f".into(), "EventAgeExceeded".into()));
        let live = too_old.replace("function:f", "function:f:live");
        assert_eq!(told(&live), ("f".into(), "EventAgeExceeded".into()));
    }

    #[test]
    fn pointers_of_streams() {
        let info = r#"{"shardId":"shardId-1","startSequenceNumber":"1","endSequenceNumber":"2","batchSize":2,
            "streamArn":"arn:aws:kinesis:r:1:stream/s","approximateArrivalOfFirstRecord":"2026-01-01T00:00:00Z"}"#;
        let of = |key: &str| {
            format!(
                r#"{{"requestContext":{{"functionArn":"f","condition":"RetryAttemptsExhausted"}},"{key}":{info}}}"#
            )
        };
        let kinesis = of("KinesisBatchInfo");
        assert_eq!(told(&kinesis), ("f".into(), "RetryAttemptsExhausted".into()));
        assert!(matches!(Entry::read(&kinesis).unwrap().work(), Work::Records(p) if p.batch_size == 2));
        let arrived = |body: &str| Entry::read(body).unwrap().arrived();
        assert_eq!(arrived(&kinesis).map(Timestamp::seconds), Some(1_767_225_600));
        let untold = kinesis.replace("2026-01-01T00:00:00Z", "soon");
        assert_eq!(arrived(&untold), None);
        let table = of("DDBStreamBatchInfo");
        assert!(matches!(Entry::read(&table).unwrap().work(), Work::Changes(_)));
        assert_eq!(arrived(&table), None, "they are never done again");
    }

    #[test]
    fn anything_else_is_unknown() {
        assert_eq!(told(r#"{"a":1}"#), told("{}"));
        assert!(Entry::read("no JSON").is_err());
    }
}
