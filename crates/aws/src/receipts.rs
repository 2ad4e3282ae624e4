//! Marks messages read and tells the user's sessions.

use crate::{
    Result,
    config::Config,
    functions::Functions,
    history::History,
    retry::{Deadline, retry},
};
use futures::{StreamExt, TryStreamExt, stream};
use sbe_core::{
    history::Timestamp,
    id::{MessageId, UserId},
    receipt::{chunks, receipts},
};
use std::collections::HashSet;

/// From this many ids on, what is unread is asked for before anything is written.
const MANY: usize = 100;

/// What became of a receipt.
#[derive(Debug)]
pub struct Marked {
    /// The ids that changed, in the order in which they were given.
    pub changed: Vec<MessageId>,
    /// The ids for which there was no time, or which AWS was too busy for.
    pub left: Vec<MessageId>,
}

/// Read receipts: the history they change, and the function that publishes them.
#[derive(Debug, Clone)]
pub struct Receipts {
    history: History,
    functions: Functions,
    dispatcher: String,
    adder: String,
    chunk_size: usize,
    publishes: bool,
    concurrency: usize,
}

impl Receipts {
    pub(crate) fn new(history: History, functions: Functions, config: &Config) -> Self {
        Self {
            history,
            functions,
            dispatcher: config.function("event-dispatcher"),
            adder: config.function("user-history-adder"),
            chunk_size: config.read_receipt_chunk_size,
            publishes: config.send_read_receipts,
            concurrency: config.max_concurrency,
        }
    }

    /// Marks messages read and publishes the receipt of those that changed. Ids that the user has
    /// no message for are passed over.
    pub async fn mark(&self, user: UserId, ids: &[MessageId], deadline: Deadline) -> Result<Marked> {
        let ids = self.worth_trying(user, ids).await?;
        let tried: Vec<(&MessageId, Result<bool>)> = stream::iter(&ids)
            .take_while(|_| std::future::ready(!deadline.has_passed()))
            .map(|id| async move { (id, retry(deadline, || self.history.mark_read(user, id)).await) })
            .buffered(self.concurrency)
            .collect()
            .await;
        let mut marked = Marked { changed: Vec::new(), left: ids[tried.len()..].to_vec() };
        let mut refused = None;
        for (id, result) in tried {
            match result {
                Ok(true) => marked.changed.push(id.clone()),
                Ok(false) => {}
                Err(error) if error.is_transient() => marked.left.push(id.clone()),
                Err(error) => refused = Some(error),
            }
        }
        // What changed is told in any case: another try would find it changed already.
        self.publish(user, &marked.changed, deadline).await?;
        refused.map_or(Ok(marked), Err)
    }

    /// A write for each of very many ids would be slow and dear: one query tells which of them the
    /// user has and has not read.
    async fn worth_trying(&self, user: UserId, ids: &[MessageId]) -> Result<Vec<MessageId>> {
        if ids.len() <= MANY {
            return Ok(ids.to_vec());
        }
        let unread: HashSet<MessageId> =
            self.history.unread(user, Timestamp::MAX).await?.into_iter().collect();
        Ok(ids.iter().filter(|id| unread.contains(id)).cloned().collect())
    }

    async fn publish(&self, user: UserId, read: &[MessageId], deadline: Deadline) -> Result<()> {
        if !self.publishes {
            return Ok(());
        }
        for receipt in receipts(user, read, self.chunk_size) {
            retry(deadline, || self.functions.invoke_async(&self.dispatcher, receipt.clone())).await?;
        }
        Ok(())
    }

    /// Hands the marking to the history's function, in chunks, and does not wait for it.
    pub async fn mark_later(&self, user: UserId, ids: &[MessageId], deadline: Deadline) -> Result<()> {
        stream::iter(chunks(ids, self.chunk_size))
            .map(|chunk| async move {
                let payload =
                    sbe_core::payload::ReceiptPayload { user_id: user, read: chunk.to_vec() }.to_json();
                retry(deadline, || self.functions.invoke_async(&self.adder, payload.clone())).await
            })
            .buffered(self.concurrency)
            .try_collect()
            .await
    }
}
