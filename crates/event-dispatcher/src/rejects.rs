//! Parks rejected records of the stream: in the rejected queue, or by their places in the failed queue.
//!
//! What can be put into neither is reported to Kinesis, which hands the batch over again from there: good
//! records behind it are then dispatched again and again. That is left to the case in which SQS cannot be
//! reached at all.

use crate::{
    App,
    outbox::{Failed, Parked},
    park::{self, Rejected, park},
    publish::Refused,
};
use aws_lambda_events::kinesis::KinesisEventRecord;
use sbe_aws::{
    parking::Place,
    retry::Deadline,
    settle::{Settled, settle},
};
use sbe_core::history::Timestamp;
use sbe_edge::Trail;
use std::time::Duration;

/// Records that are parked at the same time.
const CONCURRENT_PARKING: usize = 16;

/// Each of the two queues is tried for so long.
const PARKING_TIME: Duration = Duration::from_secs(10);

/// A record that was rejected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reject<'a> {
    /// Its place in the batch.
    pub(crate) place: usize,
    /// The record.
    pub(crate) record: &'a KinesisEventRecord,
    /// Why it was rejected.
    pub(crate) refused: &'a Refused,
}

/// Parks records. Those have failed that could not be parked; what is parked in the failed queue is told.
pub(crate) async fn park_all(
    app: &App,
    trail: Trail<'_>,
    rejects: &[Reject<'_>],
    deadline: Deadline,
) -> Failed {
    let whole = async |reject: &Reject<'_>| park(app, &reject.rejected()).await;
    let end = deadline.sooner_by(PARKING_TIME).at_most(PARKING_TIME);
    let Settled { refused, left, .. } = settle(rejects.iter().copied(), CONCURRENT_PARKING, end, whole).await;
    let no_time = left.into_iter().map(|reject| (reject, "it does not answer in time".to_owned()));
    let not_taken = refused.into_iter().map(|(reject, error)| (reject, error.to_string())).chain(no_time);
    let not_taken =
        not_taken.map(|(reject, why)| (reject, format!("the rejected queue does not take it: {why}")));
    park_places(app, trail, not_taken.collect(), deadline.at_most(PARKING_TIME)).await
}

/// Parks the places of records in the failed queue, each with the reason; the same of these.
async fn park_places(
    app: &App,
    trail: Trail<'_>,
    rejects: Vec<(Reject<'_>, String)>,
    end: Deadline,
) -> Failed {
    let function = app.config.function("event-dispatcher");
    let by_place = async |(reject, reason): &(Reject<'_>, String)| {
        app.parking.park_record(&function, reason, &reject.in_stream()).await
    };
    let settled = settle(rejects, CONCURRENT_PARKING, end, by_place).await;
    let parked = settled.done.iter().enumerate().map(|(index, ((_, reason), ()))| Parked {
        function: function.clone(),
        reason: reason.clone(),
        messages: vec![index],
    });
    let parked: Vec<Parked> = parked.collect();
    park::tell(trail, &parked, |index| settled.done[index].0.0.refused.id.clone());
    let no_time = settled.left.into_iter().map(|(reject, _)| (reject, "there was no time".to_owned()));
    let refused = settled.refused.into_iter().map(|((reject, _), error)| (reject, error.to_string()));
    let not_parked = no_time.chain(refused).map(|(reject, error)| {
        tracing::error!(error, "a rejected record could not be parked");
        reject.place
    });
    Failed { messages: not_parked.collect(), error: None, parked }
}

impl Reject<'_> {
    fn rejected(&self) -> Rejected<'_> {
        let kinesis = &self.record.kinesis;
        Rejected {
            source: "kinesis",
            message_id: &self.refused.id,
            reason: self.refused.reason.to_string(),
            sequence_number: &kinesis.sequence_number,
            event_id: self.record.event_id.as_deref(),
            partition_key: Some(&kinesis.partition_key),
            size: kinesis.data.len(),
            data: Rejected::data(&kinesis.data),
        }
    }

    fn in_stream(&self) -> Place<'_> {
        // The event's id is `shardId-…:` and the sequence number.
        let event_id = self.record.event_id.as_deref().unwrap_or_default();
        Place {
            shard_id: event_id.rsplit_once(':').map_or("", |(shard, _)| shard),
            sequence_number: &self.record.kinesis.sequence_number,
            stream_arn: self.record.event_source_arn.as_deref().unwrap_or_default(),
            arrived: Timestamp(self.record.kinesis.approximate_arrival_timestamp.timestamp_micros()),
        }
    }
}
