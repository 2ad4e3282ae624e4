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
    id::{MessageId, UserId},
    receipt::{chunks, receipts},
};

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

    /// Marks messages read and publishes the receipt of those that changed; gives their ids, in
    /// the order of `ids`. Ids that the user has no message for are passed over.
    pub async fn mark(&self, user: UserId, ids: &[MessageId], deadline: Deadline) -> Result<Vec<MessageId>> {
        let changed: Vec<Option<MessageId>> = stream::iter(ids)
            .map(|id| async move {
                let changed = retry(deadline, || self.history.mark_read(user, id)).await?;
                Ok::<_, crate::Error>(changed.then(|| id.clone()))
            })
            .buffered(self.concurrency)
            .try_collect()
            .await?;
        let changed: Vec<MessageId> = changed.into_iter().flatten().collect();
        self.publish(user, &changed, deadline).await?;
        Ok(changed)
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
