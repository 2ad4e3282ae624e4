//! Invocations of the functions behind, so many at a time.

use sbe_aws::{
    Error, Result,
    leftovers::{Leftovers, TOO_OFTEN, is_parked},
    retry::Deadline,
};
use std::collections::BTreeSet;
use tokio::task::JoinSet;

/// Payloads in flight at the same time; most hold up to 256 KiB.
const CONCURRENT_INVOCATIONS: usize = 16;

/// Invokes without waiting for the answer, and remembers which messages did not get through.
pub(crate) struct Outbox {
    leftovers: Leftovers,
    deadline: Deadline,
    in_flight: JoinSet<(Outgoing, Result<()>)>,
    failed: Failed,
}

/// What is in flight: messages, and as what they are parked if they are not handed on.
struct Outgoing {
    messages: Vec<usize>,
    parked: Option<(String, String)>,
}

/// The messages that did not reach all functions they are for, and why.
#[derive(Debug, Default)]
pub(crate) struct Failed {
    pub(crate) messages: BTreeSet<usize>,
    pub(crate) error: Option<Error>,
    /// What waits for a person instead: its messages have not failed.
    pub(crate) parked: Vec<Parked>,
}

/// Work that was parked.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) function: String,
    pub(crate) reason: String,
    pub(crate) messages: Vec<usize>,
}

impl Failed {
    pub(crate) fn add(&mut self, messages: impl IntoIterator<Item = usize>, error: Error) {
        tracing::error!(%error, "messages were not dispatched");
        self.messages.extend(messages);
        self.error.get_or_insert(error);
    }

    /// Adds others.
    pub(crate) fn join(&mut self, others: Self) {
        self.messages.extend(others.messages);
        self.parked.extend(others.parked);
        self.error = self.error.take().or(others.error);
    }
}

impl Outbox {
    /// Each invocation is tried again until `deadline`.
    pub(crate) fn new(leftovers: Leftovers, deadline: Deadline) -> Self {
        Self { leftovers, deadline, in_flight: JoinSet::new(), failed: Failed::default() }
    }

    /// Waits for room, then invokes a function for `messages`.
    pub(crate) async fn invoke(&mut self, function: &str, json: String, messages: Vec<usize>) {
        self.hand_on(function, json, messages, 0).await;
    }

    /// The same for work that is handed on for the `times`th time: once too often, it is parked.
    pub(crate) async fn hand_on(&mut self, function: &str, json: String, messages: Vec<usize>, times: u32) {
        while self.in_flight.len() >= CONCURRENT_INVOCATIONS {
            self.settle_one().await;
        }
        let (leftovers, function, deadline) = (self.leftovers.clone(), function.to_owned(), self.deadline);
        let parked = is_parked(times).then(|| (function.clone(), TOO_OFTEN.to_owned()));
        let outgoing = Outgoing { messages, parked };
        self.in_flight
            .spawn(async move { (outgoing, leftovers.hand_on_one(&function, &json, times, deadline).await) });
    }

    /// Waits for room, then parks work of a function that it cannot do.
    pub(crate) async fn park(&mut self, function: &str, reason: String, json: String, messages: Vec<usize>) {
        while self.in_flight.len() >= CONCURRENT_INVOCATIONS {
            self.settle_one().await;
        }
        let (leftovers, function, deadline) = (self.leftovers.clone(), function.to_owned(), self.deadline);
        let outgoing = Outgoing { messages, parked: Some((function.clone(), reason.clone())) };
        self.in_flight
            .spawn(async move { (outgoing, leftovers.park_one(&function, &reason, &json, deadline).await) });
    }

    async fn settle_one(&mut self) {
        match self.in_flight.join_next().await {
            Some(Ok((outgoing, Err(error)))) => self.failed.add(outgoing.messages, error),
            Some(Ok((Outgoing { messages, parked: Some((function, reason)) }, Ok(())))) => {
                self.failed.parked.push(Parked { function, reason, messages });
            }
            // A panic in the task would be a fault of this program: let it end the process.
            Some(Err(fault)) => std::panic::resume_unwind(fault.into_panic()),
            _ => {}
        }
    }

    /// Waits for all answers.
    pub(crate) async fn finish(mut self) -> Failed {
        while !self.in_flight.is_empty() {
            self.settle_one().await;
        }
        self.failed
    }
}
