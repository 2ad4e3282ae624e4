//! Calls that a run has made: counted where they are made.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A count that many tasks add to.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds to it.
    pub fn add(&self, number: usize) {
        self.0.fetch_add(number as u64, Relaxed);
    }

    /// The count.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The calls of a run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Calls of the HTTP API, every try counted.
    pub api_calls: Count,
    /// Calls of the HTTP API that were tried again, or messages of a list that were.
    pub api_retries: Count,
    /// Calls of /notify.
    pub notifies: Count,
    /// Calls of `PutRecords`.
    pub puts: Count,
    /// Records put again.
    pub record_retries: Count,
    /// PUT payload units of 25 KB.
    pub put_units: Count,
    /// `ReceiveMessage`.
    pub polls: Count,
    /// Polls that failed.
    pub poll_errors: Count,
    /// `DeleteMessageBatch`.
    pub deletes: Count,
    /// Messages that SQS did not delete.
    pub undeleted: Count,
    /// Sessions made.
    pub created: Count,
    /// Sessions renewed.
    pub renewals: Count,
}
