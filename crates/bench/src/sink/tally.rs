//! Calls, entries, bytes and billed units of each operation.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was asked of an operation.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Count {
    /// Calls, failed ones included.
    pub calls: u64,
    /// Entries that were taken: messages, items, payloads.
    pub entries: u64,
    /// Bytes of the requests' bodies.
    pub bytes: u64,
    /// What AWS bills: SQS requests of 64 KiB, Lambda requests, `DynamoDB` request units.
    pub units: f64,
}

/// The counts by operation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tally(pub BTreeMap<String, Count>);

impl Tally {
    /// The count of an operation.
    pub fn of(&self, operation: &str) -> Count {
        self.0.get(operation).copied().unwrap_or_default()
    }

    pub(super) fn call(&mut self, operation: &str, bytes: usize) {
        let count = self.entry(operation);
        count.calls += 1;
        count.bytes += bytes as u64;
    }

    pub(super) fn taken(&mut self, operation: &str, entries: usize, units: f64) {
        let count = self.entry(operation);
        count.entries += entries as u64;
        count.units += units;
    }

    fn entry(&mut self, operation: &str) -> &mut Count {
        if !self.0.contains_key(operation) {
            self.0.insert(operation.to_owned(), Count::default());
        }
        self.0.get_mut(operation).expect("it was just inserted")
    }
}

/// How many steps of `step` bytes there are in `bytes`: what is begun is billed.
pub(super) fn steps(bytes: usize, step: usize) -> f64 {
    u32::try_from(bytes.div_ceil(step).max(1)).map_or(f64::MAX, f64::from)
}
