//! Marks messages read and tells the user's sessions.
//!
//! Chunk by chunk: what was marked is told before the next chunk is begun, and time is kept aside for
//! telling and for handing on what is left. So a call that is cut off leaves at most a chunk marked and
//! not told; its repetition tells that one, for each mark names the call that made it.

use crate::{
    Error, Result,
    config::Config,
    functions::Functions,
    history::History,
    parking::Parking,
    retry::{Deadline, retry},
    settle::settle,
};
use sbe_core::{
    id::{MessageId, UserId},
    payload::ReceiptPayload,
    receipt::{chunks, receipts},
};
use std::time::Duration;

/// Kept aside for telling of a chunk, and for handing on what is left.
const ASIDE: Duration = Duration::from_secs(5);

/// What became of a receipt.
#[derive(Debug, Default)]
pub struct Marked {
    /// The ids that this call has changed, in the order in which they were given. All are told.
    pub changed: Vec<MessageId>,
    /// The ids for which there was no time.
    pub left: Vec<MessageId>,
    /// The ids that AWS refused for good.
    pub refused: Vec<(MessageId, Error)>,
}

/// Read receipts: the history they change, and the function that publishes them.
#[derive(Debug, Clone)]
pub struct Receipts {
    history: History,
    functions: Functions,
    parking: Parking,
    dispatcher: String,
    adder: String,
    chunk_size: usize,
    publishes: bool,
    concurrency: usize,
}

impl Receipts {
    pub(crate) fn new(history: History, functions: Functions, parking: Parking, config: &Config) -> Self {
        Self {
            history,
            functions,
            parking,
            dispatcher: config.function("event-dispatcher"),
            adder: config.function("user-history-adder"),
            chunk_size: config.read_receipt_chunk_size,
            publishes: config.send_read_receipts,
            concurrency: config.max_concurrency,
        }
    }

    /// Marks messages read for `call` and publishes receipts of those that changed. Ids that the user
    /// has no message for are passed over. Ends some seconds before the deadline, for
    /// [`Self::mark_later`].
    ///
    /// # Errors
    /// When what was marked can neither be told nor parked.
    pub async fn mark(
        &self,
        user: &UserId,
        ids: &[MessageId],
        call: &str,
        deadline: Deadline,
    ) -> Result<Marked> {
        let time = deadline.sooner_by(ASIDE);
        let mut marked = Marked::default();
        for chunk in chunks(ids, self.chunk_size) {
            if time.has_passed() {
                marked.left.extend_from_slice(chunk);
                continue;
            }
            let mark = async |id: &&MessageId| self.history.mark_read(user, id, call).await;
            let settled = settle(chunk, self.concurrency, time, mark).await;
            let changed: Vec<MessageId> =
                settled.done.into_iter().filter(|(_, changed)| *changed).map(|(id, _)| id.clone()).collect();
            self.publish(user, &changed, deadline).await?;
            marked.changed.extend(changed);
            marked.left.extend(settled.left.into_iter().cloned());
            marked.refused.extend(settled.refused.into_iter().map(|(id, error)| (id.clone(), error)));
        }
        Ok(marked)
    }

    async fn publish(&self, user: &UserId, read: &[MessageId], deadline: Deadline) -> Result<()> {
        if !self.publishes {
            return Ok(());
        }
        for receipt in receipts(user, read, self.chunk_size) {
            let invoke = || self.functions.invoke_async(&self.dispatcher, receipt.clone());
            if let Err(error) = retry(deadline, invoke).await {
                // Its messages are marked: another try would find them so, and never tell of them.
                self.parking.park(&self.dispatcher, &error.to_string(), &receipt, deadline).await?;
            }
        }
        Ok(())
    }

    /// Hands the marking to the history's function, in chunks, and does not wait for it.
    ///
    /// # Errors
    /// When a chunk could not be handed on; its ids are not marked, so that the call can be repeated.
    pub async fn mark_later(
        &self,
        user: &UserId,
        ids: &[MessageId],
        call: &str,
        depth: u32,
        deadline: Deadline,
    ) -> Result<()> {
        let payload = |chunk: &[MessageId]| {
            ReceiptPayload { user_id: user.clone(), read: chunk.to_vec(), call: call.to_owned(), depth }
                .to_json()
        };
        let payloads: Vec<String> = chunks(ids, self.chunk_size).map(payload).collect();
        let invoke = async |payload: &String| self.functions.invoke_async(&self.adder, payload.clone()).await;
        let settled = settle(payloads, self.concurrency, deadline, invoke).await;
        match settled.refused.into_iter().next() {
            Some((_, error)) => Err(error),
            None if settled.left.is_empty() => Ok(()),
            None => Err(Error::new("Handing read receipts on", crate::Kind::Unavailable, "NoTimeLeft")),
        }
    }
}
