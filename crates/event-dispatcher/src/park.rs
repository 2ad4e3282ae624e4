//! What waits for a person: rejected messages, each with the reason, and work that is parked.

use crate::{App, outbox::Parked};
use sbe_aws::Result;
use sbe_core::{id::MessageId, stages::Stage};
use sbe_edge::Trail;
use serde::Serialize;

/// SQS takes 1 MiB; base64 and the other fields must fit with the data.
const MAX_DATA_BYTES: usize = 1_000_000;

/// A message that was rejected.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rejected<'a> {
    /// `kinesis` or `invocation`.
    pub(crate) source: &'static str,
    /// The id that it brings or would have been given.
    pub(crate) message_id: &'a MessageId,
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
}

/// Parks a rejected message, in one call.
pub(crate) async fn park(app: &App, rejected: &Rejected<'_>) -> Result<()> {
    let body = serde_json::to_string(rejected).expect("a rejected message is always JSON");
    app.queues.send(&app.config.rejected_queue_url, &body).await
}

/// How many messages, or places of such, are parked.
pub(crate) fn count(parked: &[Parked]) -> u64 {
    parked.iter().map(|parked| parked.messages.len() as u64).sum()
}

/// Tells the log what was parked; `id` names the message with an index.
pub(crate) fn tell(trail: Trail<'_>, parked: &[Parked], id: impl Fn(usize) -> MessageId) {
    for Parked { function, reason, messages } in parked {
        trail.warn(messages.iter().map(|index| id(*index)), |messages| Stage::Parked {
            function: function.clone(),
            reason: reason.clone(),
            messages,
        });
    }
}
