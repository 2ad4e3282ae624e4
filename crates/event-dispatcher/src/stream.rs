//! Batches from Kinesis; what is malformed is parked and never blocks the shard.

use crate::{
    App,
    dispatch::{Published, dispatch},
    park::{Rejected, park},
};
use aws_lambda_events::{kinesis::KinesisEventRecord, streams::KinesisEventResponse};
use sbe_aws::retry::Deadline;
use sbe_core::{
    Invalid,
    history::Timestamp,
    message::{Message, derived_id},
    target::Target,
};

/// Dispatches records. The response names the first record that failed: Kinesis starts again there.
pub(crate) async fn dispatch_records(
    app: &App,
    records: Vec<KinesisEventRecord>,
    deadline: Deadline,
) -> KinesisEventResponse {
    let mut first_failed: Option<usize> = None;
    let mut batch = Vec::new();
    let mut places = Vec::new();
    for (place, record) in records.iter().enumerate() {
        match read(record, place) {
            Ok(published) => {
                batch.push(published);
                places.push(place);
            }
            Err(reason) => {
                if let Err(error) = park(app, &rejected(record, &reason), deadline).await {
                    tracing::error!(%error, "a rejected record could not be parked");
                    first_failed = first_failed.or(Some(place));
                }
            }
        }
    }
    let count = batch.len();
    let dispatched = dispatch(app, batch, deadline).await;
    let failed = dispatched.failed.first().map(|index| places[*index]);
    let first_failed = [first_failed, failed].into_iter().flatten().min();
    dispatched.record(app, records.len(), records.len() - count);
    let mut response = KinesisEventResponse::default();
    response.set_failures(first_failed.map(|place| records[place].kinesis.sequence_number.clone()));
    response
}

fn read(record: &KinesisEventRecord, place: usize) -> Result<Published, Invalid> {
    let event_id = record.event_id.as_deref().unwrap_or(&record.kinesis.sequence_number);
    let message = Message::parse(&record.kinesis.data, &Target::EVERYONE, || derived_id([event_id]))?;
    Ok(Published { message, created: created(record, place) })
}

/// When the record arrived, which Kinesis tells in milliseconds. Its place in the batch is added
/// as microseconds, so that a history keeps the order of the stream.
fn created(record: &KinesisEventRecord, place: usize) -> Timestamp {
    let arrival = record.kinesis.approximate_arrival_timestamp.timestamp_micros();
    Timestamp(arrival + i64::try_from(place).unwrap_or_default())
}

fn rejected<'a>(record: &'a KinesisEventRecord, reason: &Invalid) -> Rejected<'a> {
    Rejected {
        source: "kinesis",
        reason: reason.to_string(),
        sequence_number: &record.kinesis.sequence_number,
        event_id: record.event_id.as_deref(),
        partition_key: Some(&record.kinesis.partition_key),
        size: record.kinesis.data.len(),
        data: Rejected::data(&record.kinesis.data),
    }
}
