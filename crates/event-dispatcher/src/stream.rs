//! Batches from Kinesis; what is malformed is parked and never blocks the shard.

use crate::{
    App,
    dispatch::{Times, dispatch},
    publish::{Read, Refused},
    rejects::{Reject, park_all},
};
use aws_lambda_events::{kinesis::KinesisEventRecord, streams::KinesisEventResponse};
use futures::future::join;
use sbe_aws::retry::Deadline;
use sbe_core::{
    history::Timestamp,
    message::{Message, Published, derived_id},
    stages::{Accepted, Source, Stage},
    target::Target,
};
use sbe_edge::Trail;

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
    let rejects: Vec<Reject<'_>> = bad
        .iter()
        .map(|(place, refused)| Reject { place: *place, record: &records[*place], refused })
        .collect();
    // Beside each other: a queue that cannot be reached takes no time from the good records.
    let parking = park_all(app, trail, &rejects, deadline);
    let (mut dispatched, rejected) = join(dispatch(app, batch, Times::of_batch(deadline)), parking).await;
    dispatched.rejected = rejected;
    dispatched.record(app, trail, records.len(), bad.len());
    let failed = dispatched.failed.messages.first().map(|index| places[*index]);
    let first_failed = dispatched.rejected.messages.first().copied().into_iter().chain(failed).min();
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
