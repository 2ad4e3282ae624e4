//! Writes messages and read receipts to users' histories.
//!
//! # Layout
//!
//! - [`add`](mod@add): messages for histories, entry by entry
//! - [`receive`]: read receipts, in chunks
//! - [`App::hand_on`], [`App::park`]: what there was no time for, and what is refused for good
//!
//! Each entry has its own outcome: one that is refused stops no other, and what was written is not
//! written again.

mod add;
mod receive;

use lambda_runtime::{Error, LambdaEvent};
use sbe_aws::{
    clients::Clients,
    config::Config,
    functions::Functions,
    history::History,
    parking::Parking,
    receipts::Receipts,
    retry::{Deadline, retry},
};
use sbe_core::payload::{MAX_DEPTH, ReceiptPayload};
use sbe_edge::{event, metrics};
use serde::Serialize;
use serde_json::value::RawValue;

/// What the function works with.
pub struct App {
    history: History,
    receipts: Receipts,
    functions: Functions,
    parking: Parking,
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
            functions: clients.functions(),
            parking: clients.parking(),
            config: clients.config().clone(),
        }
    }

    /// Hands a payload to this function again; one that was handed on too often already is parked.
    async fn hand_on(&self, payload: String, depth: u32, deadline: Deadline) -> Result<(), Error> {
        let name = &self.config.function_name;
        if depth > MAX_DEPTH {
            return self.park("there was no time in as many tries as there may be", &payload, deadline).await;
        }
        Ok(retry(deadline, || self.functions.invoke_async(name, payload.clone())).await?)
    }

    /// Parks a payload that this function cannot do.
    async fn park(&self, reason: &str, payload: &str, deadline: Deadline) -> Result<(), Error> {
        Ok(self.parking.park(&self.config.function_name, reason, payload, deadline).await?)
    }
}

/// What became of a payload.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Entries or ids in the payload.
    pub total: usize,
    /// Entries that were added, or messages that were marked read.
    pub changed: usize,
    /// Entries or ids that there was no time for, handed to this function again.
    pub handed_back: usize,
    /// Entries or ids that were refused for good and parked.
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
    let summary = match serde_json::from_str::<ReceiptPayload>(text) {
        Ok(receipt) => receive::receive(app, receipt, deadline).await?,
        Err(_) => add::add(app, event::parse(text)?, deadline).await?,
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
