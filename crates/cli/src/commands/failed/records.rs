//! The records of the Kinesis stream that a pointer names, as long as the stream has them.

use super::entry::Pointers;
use crate::failure::Failure;
use aws_sdk_kinesis::{
    Client,
    types::{Record, ShardIteratorType},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sbe_client::System;
use sbe_core::message::text_json;
use std::{cmp::Ordering, time::Duration};

/// The largest event: a synchronous invocation takes 6 MB.
const MAX_EVENT: usize = 5_000_000;

/// A shard is read five times a second.
const BETWEEN_READS: Duration = Duration::from_millis(220);

/// All records from the first to the last one.
///
/// # Errors
/// When the stream does not have all of them any more.
pub(super) async fn fetch(system: &System, pointers: &Pointers) -> Result<Vec<Record>, Failure> {
    if pointers.stream_arn.rsplit('/').next() != Some(&*system.stream) {
        return Err(Failure::Refused(format!(
            "{} is not the stream of this environment",
            pointers.stream_arn
        )));
    }
    let kinesis = system.kinesis();
    let Some(mut iterator) = iterator(&kinesis, &system.stream, pointers).await? else {
        return Err(gone(pointers));
    };
    let mut records = Vec::new();
    loop {
        let reply = kinesis.get_records().shard_iterator(iterator).send().await;
        let reply = reply.map_err(|error| Failure::aws("reading the stream", error))?;
        let is_empty = reply.records.is_empty();
        for record in reply.records {
            if in_order(&record.sequence_number, &pointers.end_sequence_number).is_gt() {
                return complete(records, pointers);
            }
            records.push(record);
        }
        if records.last().is_some_and(|last| last.sequence_number == pointers.end_sequence_number) {
            return complete(records, pointers);
        }
        let is_at_end = is_empty && reply.millis_behind_latest == Some(0);
        match reply.next_shard_iterator {
            Some(next) if !is_at_end => iterator = next,
            _ => return complete(records, pointers),
        }
        tokio::time::sleep(BETWEEN_READS).await;
    }
}

/// Where reading begins; `None` where the shard or the record is not there any more.
async fn iterator(kinesis: &Client, stream: &str, pointers: &Pointers) -> Result<Option<String>, Failure> {
    let get = kinesis.get_shard_iterator().stream_name(stream).shard_id(&pointers.shard_id);
    let get = get.shard_iterator_type(ShardIteratorType::AtSequenceNumber);
    match get.starting_sequence_number(&pointers.start_sequence_number).send().await {
        Ok(reply) => Ok(reply.shard_iterator),
        Err(error) => {
            let is_gone = error.as_service_error().is_some_and(|error| {
                error.is_resource_not_found_exception() || error.is_invalid_argument_exception()
            });
            if is_gone { Ok(None) } else { Err(Failure::aws("reading the stream", error)) }
        }
    }
}

/// The records, if the first and the last one are among them.
fn complete(records: Vec<Record>, pointers: &Pointers) -> Result<Vec<Record>, Failure> {
    let is =
        |record: Option<&Record>, number: &str| record.is_some_and(|record| record.sequence_number == number);
    let is_whole = is(records.first(), &pointers.start_sequence_number)
        && is(records.last(), &pointers.end_sequence_number);
    if is_whole { Ok(records) } else { Err(gone(pointers)) }
}

fn gone(pointers: &Pointers) -> Failure {
    let Pointers { batch_size, shard_id, start_sequence_number, .. } = pointers;
    Failure::Refused(format!(
        "the stream does not have all of its {batch_size} records any more (shard {shard_id}, from \
         {start_sequence_number}): publish the messages again, then drop it"
    ))
}

/// Sequence numbers are integers with more digits than any type has.
fn in_order(a: &str, b: &str) -> Ordering {
    let [a, b] = [a, b].map(|number| number.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// The records as events of Kinesis, as few as there can be.
pub(super) fn events(records: &[Record], pointers: &Pointers, region: &str) -> Vec<String> {
    let mut events = Vec::new();
    let mut event = String::new();
    for record in records.iter().map(|record| event_record(record, pointers, region)) {
        if !event.is_empty() && event.len() + record.len() > MAX_EVENT {
            events.push(whole(&event));
            event.clear();
        }
        if !event.is_empty() {
            event.push(',');
        }
        event.push_str(&record);
    }
    events.push(whole(&event));
    events
}

fn whole(records: &str) -> String {
    format!(r#"{{"Records":[{records}]}}"#)
}

/// A record as Lambda hands it over: the `eventID` makes the id of a message that brings none.
fn event_record(record: &Record, pointers: &Pointers, region: &str) -> String {
    let Pointers { shard_id, stream_arn, .. } = pointers;
    let number = &record.sequence_number;
    let arrival = record.approximate_arrival_timestamp.map_or(0.0, |time| time.as_secs_f64());
    let data = STANDARD.encode(record.data.as_ref());
    format!(
        r#"{{"kinesis":{{"kinesisSchemaVersion":"1.0","partitionKey":{},"sequenceNumber":{},"data":"{data}","approximateArrivalTimestamp":{arrival:.3}}},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":{},"eventName":"aws:kinesis:record","invokeIdentityArn":"","awsRegion":{},"eventSourceARN":{}}}"#,
        text_json(record.partition_key.as_deref().unwrap_or_default()),
        text_json(number),
        text_json(&format!("{shard_id}:{number}")),
        text_json(region),
        text_json(stream_arn),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_kinesis::primitives::{Blob, DateTime};

    fn pointers(start: &str, end: &str) -> Pointers {
        Pointers {
            shard_id: "shardId-1".into(),
            start_sequence_number: start.into(),
            end_sequence_number: end.into(),
            batch_size: 2,
            stream_arn: "arn:aws:kinesis:r:1:stream/s".into(),
            approximate_arrival_of_first_record: None,
        }
    }

    fn record(number: &str, bytes: usize) -> Record {
        let record = Record::builder().sequence_number(number).partition_key("k\"");
        let record = record
            .data(Blob::new(vec![b'x'; bytes]))
            .approximate_arrival_timestamp(DateTime::from_millis(1_250));
        record.build().unwrap()
    }

    #[test]
    fn sequence_numbers_are_integers() {
        assert!(in_order("9", "10").is_lt());
        assert!(in_order("0010", "10").is_eq());
        assert!(
            in_order(
                "495903382714902566085596925383615710959216350759",
                "49590338271490256608559692538361571095921635075"
            )
            .is_gt()
        );
    }

    #[test]
    fn a_batch_without_its_first_or_last_record_is_gone() {
        let records = || vec![record("1", 1), record("2", 1)];
        assert_eq!(complete(records(), &pointers("1", "2")).unwrap().len(), 2);
        assert!(complete(records(), &pointers("0", "2")).is_err());
        assert!(complete(records(), &pointers("1", "3")).is_err());
        assert!(complete(Vec::new(), &pointers("1", "1")).is_err());
    }

    #[test]
    fn an_event_is_kinesis_s_own() {
        let event = events(&[record("1", 3)], &pointers("1", "1"), "r").remove(0);
        let event: serde_json::Value = serde_json::from_str(&event).unwrap();
        let record = &event["Records"][0];
        assert_eq!(record["eventID"], "shardId-1:1");
        assert_eq!(record["kinesis"]["data"], "eHh4");
        assert_eq!(record["kinesis"]["partitionKey"], "k\"");
        assert_eq!(record["kinesis"]["approximateArrivalTimestamp"], 1.25);
    }

    #[test]
    fn no_event_is_larger_than_an_invocation_takes() {
        let records: Vec<Record> = (1..=9).map(|n| record(&n.to_string(), 1_000_000)).collect();
        let events = events(&records, &pointers("1", "9"), "r");
        assert_eq!(events.len(), 3);
        assert!(events.iter().all(|event| event.len() < 6_000_000));
    }
}
