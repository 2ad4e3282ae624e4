//! Writes messages and read receipts to users' histories.
//!
//! Every write is conditional, so that an event may be handled again without harm: a failure
//! fails the invocation, and Lambda tries the whole payload again.

use futures::{StreamExt, TryStreamExt, stream};
use lambda_runtime::{Error, LambdaEvent};
use sbe_aws::{
    clients::Clients,
    config::Config,
    history::History,
    receipts::Receipts,
    retry::{Deadline, retry},
};
use sbe_core::{
    history::{Entry, Timestamp},
    id::UserId,
    message::Message,
    payload::{HistoryPayload, ReceiptPayload},
};
use sbe_edge::{event, metrics};
use serde::Serialize;
use serde_json::value::RawValue;

/// What the function works with.
pub struct App {
    history: History,
    receipts: Receipts,
    config: Config,
}

impl App {
    /// Builds the app from configured clients.
    pub fn new(clients: &Clients) -> Self {
        // Every call is tried again here, entry by entry.
        let clients = clients.without_retries();
        Self { history: clients.history(), receipts: clients.receipts(), config: clients.config().clone() }
    }
}

/// What became of a payload.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Entries that were added, or messages that were marked read.
    pub changed: usize,
    /// Entries or ids in the payload.
    pub total: usize,
}

/// Handles a payload of messages or of read receipts.
pub async fn handle(app: &'static App, event: LambdaEvent<Box<RawValue>>) -> Result<Summary, Error> {
    let deadline = Deadline::from_epoch_millis(event.context.deadline);
    let text = event.payload.get();
    let summary = match serde_json::from_str::<ReceiptPayload>(text) {
        Ok(receipt) => {
            let marked = app.receipts.mark(receipt.user_id, &receipt.read, deadline).await?;
            if !marked.left.is_empty() {
                return Err("the time was too short to mark all messages read".into());
            }
            Summary { changed: marked.changed.len(), total: receipt.read.len() }
        }
        Err(_) => add(app, &event::parse(text)?, deadline).await?,
    };
    metrics::record(&app.config, &[("Changed", summary.changed as u64), ("Entries", summary.total as u64)]);
    Ok(summary)
}

async fn add(app: &App, payload: &HistoryPayload<'_>, deadline: Deadline) -> Result<Summary, Error> {
    let messages = payload.messages.iter().map(|kept| read(kept.created.get(), kept.message.get()));
    let messages: Vec<(Timestamp, Message)> = messages.collect::<Result<_, Error>>()?;
    let writes =
        payload.users.iter().flat_map(|user| user.messages.iter().map(|index| (user.user_id, *index)));
    let added: Vec<bool> = stream::iter(writes)
        .map(|(user, index)| {
            let message = messages.get(index);
            async move {
                let (created, message) = message.ok_or("an entry names a message that is not there")?;
                let entry = entry(app, user, *created, message);
                Ok::<_, Error>(retry(deadline, || app.history.add(&entry)).await?)
            }
        })
        .buffer_unordered(app.config.max_concurrency)
        .try_collect()
        .await?;
    Ok(Summary { changed: added.iter().filter(|added| **added).count(), total: added.len() })
}

fn read(created: &str, json: &str) -> Result<(Timestamp, Message), Error> {
    Ok((Timestamp::parse("created", created)?, Message::reread(json)?))
}

fn entry(app: &App, user: UserId, created: Timestamp, message: &Message) -> Entry {
    Entry {
        user,
        id: message.id().clone(),
        created,
        is_read: false,
        kind: message.kind().map(str::to_owned),
        json: message.json().to_owned(),
        ttl: created.seconds() + app.config.user_message_ttl_seconds,
    }
}
