//! An AWS that answers at once: an HTTP server on loopback.
//!
//! It speaks as much of SQS, `DynamoDB` and Lambda as fan-out uses, makes the sessions it is asked
//! for up, counts every call, and fails when its plan says so.
//!
//! # Layout
//!
//! - [`server`]: connections and requests
//! - [`faults`]: which calls fail, and how: decided by a seed, never by timing
//! - [`tally`]: calls, entries, bytes and billed units of each operation
//! - [`record`]: what arrived, for tests to look at
//! - [`queues`]: lists of queues, their age, and who owns them
//! - `sqs`, `lambda`, `dynamodb`, `history`, `events`: what each service answers

mod dynamodb;
mod events;
pub mod faults;
mod history;
mod lambda;
pub mod queues;
pub mod record;
pub mod server;
mod sqs;
pub mod tally;

use crate::population::Population;
use faults::Faults;
use record::Record;
use serde_json::Value;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tally::Tally;

/// What a sink does.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The sessions in its table.
    pub population: Population,
    /// Sessions in a page of its table, if fewer than fit in 1 MB.
    pub page_items: Option<usize>,
    /// How many sessions its table says that it has, if not as many as it has.
    pub claimed_sessions: Option<usize>,
    /// Queues beside those of the sessions, which nobody owns.
    pub orphans: usize,
    /// So many of the first calls to each queue find that SQS does not know it yet.
    pub unknown_calls: u32,
    /// Users whose entries the history table refuses for good.
    pub refused_user: Option<i64>,
    /// Bodies of a batch, and details of events, that are larger than this are refused for good, each by itself.
    pub max_body: usize,
    /// Which calls fail.
    pub faults: Faults,
    /// How long every answer takes.
    pub latency: Duration,
    /// The one operation whose answers take longer, and by how much.
    pub slow: Option<(&'static str, Duration)>,
    /// Whether it keeps what arrives.
    pub records: bool,
}

impl Plan {
    /// A sink that answers at once, never fails, and keeps nothing.
    pub fn instant(population: Population) -> Self {
        Self {
            population,
            page_items: None,
            claimed_sessions: None,
            orphans: 0,
            unknown_calls: 0,
            refused_user: None,
            max_body: usize::MAX,
            faults: Faults::none(),
            latency: Duration::ZERO,
            slow: None,
            records: false,
        }
    }

    /// Whether calls have to be told from one another.
    fn remembers(&self) -> bool {
        self.records || self.faults.percent > 0
    }
}

/// What the connections of a sink share.
#[derive(Debug)]
pub struct State {
    /// What it does.
    pub plan: Plan,
    /// The queues that a cleanup sees.
    pub queues: queues::Queues,
    tally: Mutex<Tally>,
    record: Mutex<Record>,
    attempts: Mutex<faults::Attempts>,
}

impl State {
    fn new(plan: Plan) -> Self {
        Self {
            plan,
            queues: queues::Queues::default(),
            tally: Mutex::default(),
            record: Mutex::default(),
            attempts: Mutex::default(),
        }
    }

    /// The counts so far.
    pub fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What arrived so far.
    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempt(&self, identity: &str) -> u32 {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).next(identity)
    }
}

/// An answer: a status and a JSON text.
#[derive(Debug)]
struct Answer {
    status: u16,
    json: String,
}

impl Answer {
    fn ok(json: impl Into<String>) -> Self {
        Self { status: 200, json: json.into() }
    }

    fn json(value: &Value) -> Self {
        Self::ok(value.to_string())
    }

    fn error(status: u16, code: &str) -> Self {
        Self { status, json: format!(r#"{{"__type":"{code}","message":"the sink says so"}}"#) }
    }
}
