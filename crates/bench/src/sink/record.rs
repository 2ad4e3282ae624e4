//! What arrived, for tests to look at.

use std::collections::HashMap;

/// A message that a queue took.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The encrypted body.
    pub body: String,
    /// The number, from 1, of the call to this queue that brought it.
    pub call: u32,
}

/// What one queue saw.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    /// The messages it took, in the order of taking.
    pub arrivals: Vec<Arrival>,
    /// How many calls were carried out although their answer was lost.
    pub lost_answers: usize,
}

/// An asynchronous invocation that was accepted.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The function.
    pub function: String,
    /// Its payload.
    pub payload: String,
    /// Whether the caller was told.
    pub answered: bool,
}

/// An entry that an event bus took.
#[derive(Debug, Clone)]
pub struct Event {
    /// The entry, its detail a text.
    pub entry: serde_json::Value,
    /// Whether the caller was told.
    pub answered: bool,
    /// How many invocations had been accepted before.
    pub invocations: usize,
}

/// An entry of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its `created`.
    pub created: String,
    /// Its `isRead`.
    pub is_read: String,
    /// Its `readBy`.
    pub read_by: String,
}

/// All that arrived.
#[derive(Debug, Default)]
pub struct Record {
    /// Queues by URL.
    pub queues: HashMap<String, Queue>,
    /// Bodies of single messages, such as those of parked work, in order.
    pub sent: Vec<String>,
    /// Invocations in order.
    pub invocations: Vec<Invocation>,
    /// Entries that the bus took, in order.
    pub events: Vec<Event>,
    /// History entries by user and message.
    pub history: HashMap<(String, String), Kept>,
    /// How many calls or entries failed.
    pub struck: usize,
}
