//! The queue of work that was given up.

use crate::{Result, config::Config, queues::Queues};
use aws_smithy_types::{DateTime, date_time::Format};
use sbe_core::{history::Timestamp, message::text_json};

/// The failed queue.
#[derive(Debug, Clone)]
pub struct Parking {
    queues: Queues,
    url: String,
}

/// Where a record is in a stream.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The shard.
    pub shard_id: &'a str,
    /// The record.
    pub sequence_number: &'a str,
    /// The stream.
    pub stream_arn: &'a str,
    /// When the record came: the stream keeps it for so long from then.
    pub arrived: Timestamp,
}

impl Parking {
    pub(crate) fn new(queues: Queues, config: &Config) -> Self {
        Self { queues, url: config.failed_queue_url.clone() }
    }

    /// Parks a record of the stream by its place, in the form of Lambda's own failed batches as far as it is
    /// needed to hand the record to the function again.
    pub async fn park_record(&self, function: &str, reason: &str, place: &Place<'_>) -> Result<()> {
        let [function, reason] = [function, reason].map(text_json);
        let [shard, number, stream] =
            [place.shard_id, place.sequence_number, place.stream_arn].map(text_json);
        let arrived = text_json(&readable(place.arrived));
        let body = format!(
            r#"{{"function":{function},"reason":{reason},"KinesisBatchInfo":{{"shardId":{shard},"startSequenceNumber":{number},"endSequenceNumber":{number},"approximateArrivalOfFirstRecord":{arrived},"batchSize":1,"streamArn":{stream}}}}}"#
        );
        self.queues.send(&self.url, &body).await
    }

    /// Parks a function's payload with the reason, in the form of Lambda's own failed events as far as
    /// it is needed to invoke the function again.
    pub async fn park(&self, function: &str, reason: &str, payload: &str) -> Result<()> {
        self.queues.send(&self.url, &body(function, reason, payload)).await
    }
}

/// A moment as Lambda writes it: `2026-01-31T12:00:00.5Z`.
fn readable(moment: Timestamp) -> String {
    let time = DateTime::from_nanos(i128::from(moment.0) * 1000).ok();
    time.and_then(|time| time.fmt(Format::DateTime).ok()).unwrap_or_default()
}

fn body(function: &str, reason: &str, payload: &str) -> String {
    let (function, reason) = (text_json(function), text_json(reason));
    format!(r#"{{"function":{function},"reason":{reason},"requestPayload":{payload}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queues::escaped;

    #[test]
    fn a_payload_is_parked_unchanged_in_characters_that_sqs_takes() {
        let payload = "{\"text\":\"a\u{FFFE}\u{FFFF}\u{7F}\"}";
        let body = escaped(&body("f", "a \"reason\"", payload));
        assert!(!body.contains(['\u{FFFE}', '\u{FFFF}']));
        let parked: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(parked["requestPayload"], serde_json::from_str::<serde_json::Value>(payload).unwrap());
        assert_eq!((&parked["function"], &parked["reason"]), (&"f".into(), &"a \"reason\"".into()));
    }
}
