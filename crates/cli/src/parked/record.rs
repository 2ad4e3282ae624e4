//! The record of the stream that an entry only points to. The stream may forget it before the queue forgets the
//! entry: a reader that was far behind has parked the place of a record that was old already.

use crate::{output::report, times};
use sbe_client::System;
use sbe_core::history::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// What is known of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Until when the stream keeps it, about, in epoch milliseconds.
    record_until: i64,
    /// Whether that is over.
    pub record_is_gone: bool,
}

impl Record {
    /// Of a record that came then, in a stream that keeps it for so long.
    pub fn new(arrived: Timestamp, retention: Duration, now: Timestamp) -> Self {
        let millis = |moment: Timestamp| moment.0 / 1000;
        let retention = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
        let record_until = millis(arrived).saturating_add(retention);
        Self { record_until, record_is_gone: record_until <= millis(now) }
    }

    /// For people: how long it is kept, or that it is gone.
    pub fn told(&self, now: Timestamp) -> String {
        if self.record_is_gone {
            return "gone".to_owned();
        }
        let seconds = self.record_until / 1000 - now.seconds();
        format!("kept {}", times::length(u64::try_from(seconds).unwrap_or_default()))
    }
}

/// How long the system's stream keeps a record. Where that cannot be asked for, it is told, and nothing depends
/// on it.
pub async fn retention(system: &System) -> Option<Duration> {
    let reply = system.kinesis().describe_stream_summary().stream_name(&system.stream).send().await;
    match reply {
        Ok(reply) => {
            let hours = reply.stream_description_summary?.retention_period_hours;
            Some(Duration::from_hours(u64::try_from(hours).ok()?))
        }
        Err(error) => {
            let failure = crate::failure::Failure::aws("kinesis:DescribeStreamSummary", error);
            report(format_args!("it is not known how long records are kept: {failure}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn a_record_is_gone_when_it_is_as_old_as_the_stream_keeps_it() {
        let record = |age: i64| {
            Record::new(Timestamp(100 * HOUR - age), Duration::from_hours(24), Timestamp(100 * HOUR))
        };
        let told = |age| record(age).told(Timestamp(100 * HOUR));
        assert_eq!([HOUR, 24 * HOUR - 60_000_000].map(told), ["kept 23 h", "kept 1 min"]);
        assert_eq!([24 * HOUR, 30 * HOUR].map(told), ["gone"; 2]);
        let json = serde_json::to_value(record(30 * HOUR)).unwrap();
        assert_eq!(json, serde_json::json!({"recordUntil": 94 * 3_600_000, "recordIsGone": true}));
    }
}
