//! Batches from Kinesis; what is malformed is parked and never blocks the shard.

use crate::{
    App,
    dispatch::{Times, dispatch},
    park::{Rejected, park},
    publish::{Read, Refused},
};
use aws_lambda_events::{kinesis::KinesisEventRecord, streams::KinesisEventResponse};
use futures::future::join;
use sbe_aws::{retry::Deadline, settle::settle};
use sbe_core::{
    history::Timestamp,
    message::{Message, Published, derived_id},
    stages::{Accepted, Source, Stage},
    target::Target,
};
use sbe_edge::Trail;
use std::time::Duration;

/// Rejected records that are parked at the same time.
const CONCURRENT_PARKING: usize = 16;

/// What cannot be parked for so long is reported to Kinesis.
const PARKING_TIME: Duration = Duration::from_secs(10);

/// Dispatches records. The response names the first record that failed: Kinesis starts again there.
pub(crate) async fn dispatch_records(
    app: &App,
    records: Vec<KinesisEventRecord>,
    trail: Trail<'_>,
    deadline: Deadline,
) -> KinesisEventResponse {
    let (mut batch, mut places, mut bad) = (Vec::new(), Vec::new(), Vec::new());
    for (place, record) in records.iter().enumerate() {
        match read(app, record, place) {
            Ok(published) => {
                batch.push(published);
                places.push(place);
            }
            Err(refused) => bad.push((place, refused)),
        }
    }
    tell(trail, &records, batch.iter().zip(&places), &bad);
    let bad: Vec<_> =
        bad.iter().map(|(place, refused)| (*place, rejected(&records[*place], refused))).collect();
    // Beside each other: a queue that cannot be reached takes no time from the good records.
    let (dispatched, unparked) =
        join(dispatch(app, batch, Times::of_batch(deadline)), park_all(app, &bad, deadline)).await;
    dispatched.record(app, trail, records.len(), bad.len());
    let failed = dispatched.failed.messages.first().map(|index| places[*index]);
    let first_failed = [unparked, failed].into_iter().flatten().min();
    let mut response = KinesisEventResponse::default();
    response.set_failures(first_failed.map(|place| records[place].kinesis.sequence_number.clone()));
    response
}

/// Tells the log what was read, and what was rejected.
fn tell<'a>(
    trail: Trail<'_>,
    records: &[KinesisEventRecord],
    good: impl Iterator<Item = (&'a Published, &'a usize)>,
    bad: &[(usize, Refused)],
) {
    let source = Source::Kinesis;
    let event_id = |place: usize| records[place].event_id.as_deref();
    let accepted = good.map(|(published, place)| Accepted::new(published, event_id(*place)));
    trail.info(accepted, |messages| Stage::Accepted { source, messages });
    let rejected = bad.iter().map(|(place, refused)| refused.told(event_id(*place)));
    trail.warn(rejected, |messages| Stage::Rejected { source, messages });
}

/// Parks rejected records; the place of the first one that could not be parked.
async fn park_all(app: &App, bad: &[(usize, Rejected<'_>)], deadline: Deadline) -> Option<usize> {
    let park = async |(_, rejected): &&(usize, Rejected<'_>)| park(app, rejected).await;
    let settled = settle(bad, CONCURRENT_PARKING, deadline.at_most(PARKING_TIME), park).await;
    let refused = settled.refused.into_iter().map(|(bad, error)| {
        tracing::error!(%error, "a rejected record could not be parked");
        bad
    });
    settled.left.into_iter().chain(refused).map(|(place, _)| *place).min()
}

fn read(app: &App, record: &KinesisEventRecord, place: usize) -> Read {
    let event_id = record.event_id.as_deref().unwrap_or(&record.kinesis.sequence_number);
    let (data, id) = (&record.kinesis.data, || derived_id([event_id]));
    let message = Message::parse(data, &Target::EVERYONE, id);
    let message = message.and_then(|message| app.config.broadcasts.admit(message));
    let message = message.map_err(|reason| Refused::new(data, reason, id))?;
    Ok(Published { message, created: created(record, place) })
}

/// When the record arrived, which Kinesis tells in milliseconds. Its place in the batch is added
/// as microseconds, so that a history keeps the order of the stream.
fn created(record: &KinesisEventRecord, place: usize) -> Timestamp {
    let arrival = record.kinesis.approximate_arrival_timestamp.timestamp_micros();
    Timestamp(arrival + i64::try_from(place).unwrap_or_default())
}

fn rejected<'a>(record: &'a KinesisEventRecord, refused: &'a Refused) -> Rejected<'a> {
    Rejected {
        source: "kinesis",
        message_id: &refused.id,
        reason: refused.reason.to_string(),
        sequence_number: &record.kinesis.sequence_number,
        event_id: record.event_id.as_deref(),
        partition_key: Some(&record.kinesis.partition_key),
        size: record.kinesis.data.len(),
        data: Rejected::data(&record.kinesis.data),
    }
}
