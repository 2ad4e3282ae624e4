//! The queue of rejected messages: where they wait for a person, with the reason.

use crate::App;
use sbe_aws::Result;
use serde::Serialize;

/// SQS takes 1 MiB; base64 and the other fields must fit with the data.
const MAX_DATA_BYTES: usize = 1_000_000;

/// A message that was rejected.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rejected<'a> {
    /// `kinesis` or `invocation`.
    pub(crate) source: &'static str,
    /// Which field is wrong and what it must be.
    pub(crate) reason: String,
    /// The record's sequence number, or the invocation's request id.
    pub(crate) sequence_number: &'a str,
    /// The id of the Kinesis event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_id: Option<&'a str>,
    /// The partition key of the Kinesis record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) partition_key: Option<&'a str>,
    /// The size of the data in bytes.
    pub(crate) size: usize,
    /// The data in base64; absent when it is too large for SQS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<String>,
}

impl Rejected<'_> {
    /// The base64 of `data`, if it fits.
    pub(crate) fn data(data: &[u8]) -> Option<String> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        (data.len().div_ceil(3) * 4 <= MAX_DATA_BYTES).then(|| STANDARD.encode(data))
    }

    /// Says so in the log, once.
    pub(crate) fn log(&self) {
        tracing::warn!(
            source = self.source,
            reason = self.reason,
            sequence_number = self.sequence_number,
            size = self.size,
            "a message was rejected"
        );
    }
}

/// Parks a rejected message, in one call.
pub(crate) async fn park(app: &App, rejected: &Rejected<'_>) -> Result<()> {
    let body = serde_json::to_string(rejected).expect("a rejected message is always JSON");
    app.queues.send(&app.config.rejected_queue_url, &body).await
}
