//! Encrypts messages and sends them to session queues.
//!
//! # Layout
//!
//! - [`deliver`]: one session's messages, in order, batch after batch
//! - [`seal`]: from a delivery to full batches of encrypted messages
//! - [`handle`]: all deliveries of a payload at once; what could not be sent is handed back
//!
//! What is left over when the time is up or when trying again cannot help is handed back as a
//! payload of its own, so that nothing that was sent is sent again. When nothing at all could be
//! sent, the invocation fails instead: Lambda tries the payload again later and, in the end, parks
//! it in the failure queue.

mod deliver;
pub mod seal;

use futures::{StreamExt, stream};
use lambda_runtime::{Error, LambdaEvent};
use sbe_aws::{
    clients::Clients, config::Config, functions::Functions, queues::Queues, retry::Deadline, retry::retry,
};
use sbe_core::payload::{Delivery, SendPayload};
use sbe_edge::{event, metrics};
use serde::Serialize;
use serde_json::value::RawValue;

/// What the function works with.
pub struct App {
    queues: Queues,
    functions: Functions,
    config: Config,
}

impl App {
    /// Builds the app from configured clients.
    pub fn new(clients: &Clients) -> Self {
        // Every call is tried again here, entry by entry.
        let clients = clients.without_retries();
        Self { queues: clients.queues(), functions: clients.functions(), config: clients.config().clone() }
    }
}

/// What became of a payload.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Messages that SQS took.
    pub sent: usize,
    /// Messages for queues that are gone.
    pub gone: usize,
    /// Messages handed back for another try.
    pub handed_back: usize,
}

/// Sends the deliveries of one payload.
pub async fn handle(app: &'static App, event: LambdaEvent<Box<RawValue>>) -> Result<Summary, Error> {
    let deadline = Deadline::from_epoch_millis(event.context.deadline);
    let payload: SendPayload<'_> = event::parse(event.payload.get())?;
    let outcomes: Vec<deliver::Outcome<'_>> = stream::iter(&payload.deliveries)
        .map(|delivery| deliver::deliver(&app.queues, &payload.messages, delivery, deadline))
        .buffer_unordered(app.config.max_concurrency)
        .collect()
        .await;
    let left: Vec<Delivery<'_>> = outcomes.iter().filter_map(|outcome| outcome.left.clone()).collect();
    let summary = Summary {
        sent: outcomes.iter().map(|outcome| outcome.sent).sum(),
        gone: outcomes.iter().map(|outcome| outcome.gone).sum(),
        handed_back: left.iter().map(|delivery| delivery.messages.len()).sum(),
    };
    let counts = [
        ("Sent", summary.sent as u64),
        ("Gone", summary.gone as u64),
        ("HandedBack", summary.handed_back as u64),
    ];
    metrics::record(&app.config, &counts);
    hand_back(app, payload.messages, left, &summary, deadline).await?;
    Ok(summary)
}

async fn hand_back(
    app: &App,
    messages: Vec<&RawValue>,
    left: Vec<Delivery<'_>>,
    summary: &Summary,
    deadline: Deadline,
) -> Result<(), Error> {
    if left.is_empty() {
        return Ok(());
    }
    if summary.sent + summary.gone == 0 {
        return Err(format!("none of {} messages could be sent", summary.handed_back).into());
    }
    let json = serde_json::to_string(&SendPayload { messages, deliveries: left })?;
    let deadline = deadline.with_reserve();
    Ok(retry(deadline, || app.functions.invoke_async(&app.config.function_name, json.clone())).await?)
}
