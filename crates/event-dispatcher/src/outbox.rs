//! Invocations of the functions behind, so many at a time.

use sbe_aws::{
    Error, Result,
    functions::Functions,
    retry::{Deadline, retry},
};
use std::collections::BTreeSet;
use tokio::task::JoinSet;

/// Payloads in flight at the same time; most hold up to 256 KiB.
const CONCURRENT_INVOCATIONS: usize = 16;

/// Invokes without waiting for the answer, and remembers which messages did not get through.
pub(crate) struct Outbox {
    functions: Functions,
    deadline: Deadline,
    in_flight: JoinSet<(Vec<usize>, Result<()>)>,
    failed: Failed,
}

/// The messages that did not reach all functions they are for, and why.
#[derive(Debug, Default)]
pub(crate) struct Failed {
    pub(crate) messages: BTreeSet<usize>,
    pub(crate) error: Option<Error>,
}

impl Failed {
    pub(crate) fn add(&mut self, messages: impl IntoIterator<Item = usize>, error: Error) {
        tracing::error!(%error, "messages were not dispatched");
        self.messages.extend(messages);
        self.error.get_or_insert(error);
    }
}

impl Outbox {
    /// Each invocation is tried again until `deadline`.
    pub(crate) fn new(functions: Functions, deadline: Deadline) -> Self {
        Self { functions, deadline, in_flight: JoinSet::new(), failed: Failed::default() }
    }

    /// Waits for room, then invokes a function for `messages`.
    pub(crate) async fn invoke(&mut self, function: &str, json: String, messages: Vec<usize>) {
        while self.in_flight.len() >= CONCURRENT_INVOCATIONS {
            self.settle_one().await;
        }
        let (functions, function, deadline) = (self.functions.clone(), function.to_owned(), self.deadline);
        self.in_flight.spawn(async move {
            let result = retry(deadline, || functions.invoke_async(&function, json.clone())).await;
            (messages, result)
        });
    }

    async fn settle_one(&mut self) {
        match self.in_flight.join_next().await {
            Some(Ok((messages, Err(error)))) => self.failed.add(messages, error),
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
