//! Writes messages and read receipts to users' histories.
//!
//! # Layout
//!
//! - [`add`](mod@add): messages for histories, entry by entry
//! - [`receive`]: read receipts, in chunks
//!
//! Each entry has its own outcome: one that is refused stops no other and is parked, what there was no
//! time for is handed on, and what was written is not written again.

mod add;
mod receive;

use lambda_runtime::{Error, LambdaEvent};
use sbe_aws::{
    clients::Clients, config::Config, history::History, leftovers::Leftovers, receipts::Receipts,
    retry::Deadline,
};
use sbe_core::payload::HistoryPayload;
use sbe_edge::{Trail, event, metrics};
use serde::Serialize;
use serde_json::value::RawValue;

/// What the function works with.
pub struct App {
    history: History,
    receipts: Receipts,
    leftovers: Leftovers,
    config: Config,
}

impl App {
    /// Builds the app from configured clients.
    pub fn new(clients: &Clients) -> Self {
        // Every call is tried again here, entry by entry.
        let clients = clients.without_retries();
        Self {
            history: clients.history(),
            receipts: clients.receipts(),
            leftovers: clients.leftovers(),
            config: clients.config().clone(),
        }
    }
}

/// What became of a payload.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Entries in the payload, or ids in the receipt.
    pub total: usize,
    /// Entries that were added, or messages that were marked read.
    pub changed: usize,
    /// Entries, or parts of a receipt, that there was no time for, handed to this function again.
    pub handed_back: usize,
    /// Entries, or parts of a receipt, that were parked: refused for good, or handed back too often.
    pub parked: usize,
}

/// Handles a payload of messages or of read receipts.
///
/// # Errors
/// When the payload is malformed, or what is left of it can be neither handed on nor parked: Lambda
/// then tries all of it again, which changes nothing that was done.
pub async fn handle(app: &'static App, event: LambdaEvent<Box<RawValue>>) -> Result<Summary, Error> {
    let deadline = Deadline::from_epoch_millis(event.context.deadline);
    let text = event.payload.get();
    let summary = match serde_json::from_str::<HistoryPayload<'_>>(text) {
        Ok(payload) => add::add(app, payload, Trail::new(&event.context.request_id), deadline).await?,
        // Boxed: it has the larger future of the two.
        Err(_) => Box::pin(receive::receive(app, event::parse(text)?, deadline)).await?,
    };
    let counts = [
        ("Entries", summary.total as u64),
        ("Changed", summary.changed as u64),
        ("HandedBack", summary.handed_back as u64),
        ("Parked", summary.parked as u64),
    ];
    metrics::record(&app.config, &counts);
    Ok(summary)
}
