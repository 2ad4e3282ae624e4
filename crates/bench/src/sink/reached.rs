//! Who was reached, how often, and when.

use crate::population::queue_index;
use sbe_core::{handed_on::HandedOn, payload::SendPayload};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What every message to one user has in a batch that mixes them with broadcasts.
pub const SINGLE: &str = r#""single":true"#;

/// Who was reached so far.
#[derive(Debug)]
pub(super) struct Reach {
    began: Option<Instant>,
    handed: Vec<u8>,
    sent: Vec<u8>,
    counted: Reached,
}

/// How many sessions were reached, and when the last was.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Reached {
    /// Messages in the sender's payloads.
    pub handed: Often,
    /// Messages that SQS took.
    pub sent: Often,
    /// How often in a row work was handed on.
    pub deepest: u32,
    /// Seconds from the first event to the last invocation of the sender.
    pub last_handed: f64,
    /// Seconds from the first event to the last call of SQS.
    pub last_sent: f64,
    /// Seconds from the first event to the last invocation with a message to one user.
    pub last_single: f64,
}

/// Sessions by how often they were reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Often {
    /// Not at all.
    pub never: usize,
    /// Once.
    pub once: usize,
    /// More often.
    pub more: usize,
}

impl Often {
    fn of(times: &[u8]) -> Self {
        let count = |wanted: fn(u8) -> bool| times.iter().filter(|times| wanted(**times)).count();
        Self { never: count(|n| n == 0), once: count(|n| n == 1), more: count(|n| n > 1) }
    }
}

impl Reach {
    pub(super) fn new(sessions: usize) -> Self {
        Self { began: None, handed: vec![0; sessions], sent: vec![0; sessions], counted: Reached::default() }
    }

    /// Time is counted from here, the first time.
    pub(super) fn begin(&mut self) {
        self.began.get_or_insert_with(Instant::now);
    }

    fn elapsed(&self) -> f64 {
        self.began.map_or(Duration::ZERO, |began| began.elapsed()).as_secs_f64()
    }

    /// An invocation was accepted.
    pub(super) fn invoked(&mut self, function: &str, event: &str) {
        let now = self.elapsed();
        if event.contains(SINGLE) {
            self.counted.last_single = now;
        }
        if function.ends_with("sqs-sender") {
            self.counted.last_handed = now;
            for delivery in serde_json::from_str(event).map_or(Vec::new(), |p: SendPayload<'_>| p.deliveries)
            {
                count(&mut self.handed, &delivery.sqs_url, delivery.messages.len());
            }
        } else if let Ok(handed_on) = HandedOn::parse(event, "bench") {
            self.counted.deepest = self.counted.deepest.max(handed_on.depth);
        }
    }

    /// SQS took messages for a queue.
    pub(super) fn sent(&mut self, url: &str, messages: usize) {
        self.counted.last_sent = self.elapsed();
        count(&mut self.sent, url, messages);
    }

    pub(super) fn counted(&self) -> Reached {
        Reached { handed: Often::of(&self.handed), sent: Often::of(&self.sent), ..self.counted }
    }
}

fn count(times: &mut [u8], url: &str, messages: usize) {
    if let Some(times) = queue_index(url).and_then(|index| times.get_mut(index)) {
        *times = times.saturating_add(u8::try_from(messages).unwrap_or(u8::MAX));
    }
}
