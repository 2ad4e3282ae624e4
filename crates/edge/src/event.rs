//! Tells events apart, and reads them without telling their content.

use lambda_runtime::Error;
use sbe_core::version::Later;
use serde::{Deserialize, de::IgnoredAny};

/// Where an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A batch of records of a Kinesis stream.
    Kinesis,
    /// A call through API Gateway.
    ApiGateway,
    /// An invocation of the function itself.
    Invocation,
}

impl Source {
    /// Tells by what the events of each source have, and no message has by chance.
    ///
    /// ```
    /// use sbe_edge::event::Source;
    /// let record = r#"{"eventSource":"aws:kinesis","kinesis":{"data":"e30=","sequenceNumber":"1"}}"#;
    /// assert_eq!(Source::of(&format!(r#"{{"Records":[{record}]}}"#)), Source::Kinesis);
    /// assert_eq!(Source::of(r#"{"Records":"of the year"}"#), Source::Invocation);
    /// ```
    pub fn of(json: &str) -> Self {
        // A list of messages: Serde would take its elements for the fields.
        if json.trim_ascii_start().starts_with('[') {
            return Self::Invocation;
        }
        match serde_json::from_str(json) {
            Ok(Marks { records: Some(records), .. })
                if !records.is_empty()
                    && records.iter().all(|record| record.event_source == "aws:kinesis") =>
            {
                Self::Kinesis
            }
            Ok(Marks { http_method: Some(_), request_context: Some(_), .. }) => Self::ApiGateway,
            _ => Self::Invocation,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marks<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<Vec<Record<'a>>>,
    http_method: Option<String>,
    request_context: Option<RequestContext>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    event_source: &'a str,
    #[serde(rename = "kinesis")]
    _kinesis: Kinesis,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kinesis {
    #[serde(rename = "data")]
    _data: IgnoredAny,
    #[serde(rename = "sequenceNumber")]
    _sequence_number: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(rename = "requestId")]
    _request_id: IgnoredAny,
    #[serde(rename = "stage")]
    _stage: IgnoredAny,
}

/// Reads an event.
///
/// # Errors
/// That a later release made it; or where the event is malformed, but not what is there: the parser's own error
/// would quote it, and errors are logged.
pub fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| match Later::of(json, None) {
        Some(later) => later.into(),
        None => format!("the event is malformed at line {}, column {}", error.line(), error.column()).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_not_taken_for_events() {
        let call = r#"{"httpMethod":"GET","requestContext":{"requestId":"r","stage":"s"}}"#;
        assert_eq!(Source::of(call), Source::ApiGateway);
        for message in [
            r#"{"httpMethod":"GET"}"#,
            r#"{"httpMethod":"GET","requestContext":{"requestId":"r"}}"#,
            r#"{"Records":[]}"#,
            r#"{"Records":[{"eventSource":"aws:sqs"}]}"#,
            r#"{"Records":[{"eventSource":"aws:kinesis"}]}"#,
            r#"{"Records":[{"kinesis":{"data":"e30=","sequenceNumber":"1"}}]}"#,
            "[]",
            "no JSON",
        ] {
            assert_eq!(Source::of(message), Source::Invocation, "{message}");
        }
    }

    #[test]
    fn an_error_does_not_quote_the_event() {
        let error = parse::<Vec<u8>>(r#""private text""#).unwrap_err();
        assert_eq!(error.to_string(), "the event is malformed at line 1, column 14");
    }
}
