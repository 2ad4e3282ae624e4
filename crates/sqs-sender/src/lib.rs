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

use deliver::{Outcome, deliver};
use futures::{StreamExt, stream};
use lambda_runtime::{Error, LambdaEvent};
use sbe_aws::{
    clients::Clients, config::Config, functions::Functions, queues::Queues, retry::Deadline, retry::retry,
};
use sbe_core::payload::{Delivery, SendPayload};
use sbe_edge::{event, metrics};
use serde::Serialize;
use serde_json::value::RawValue;
use std::time::Duration;

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
    let SendPayload { messages, deliveries } = payload;
    let mut sent = Sent::default();
    let mut unknown = sent.take(send_all(app, &messages, &deliveries, deadline).await);
    let first_seen = Deadline::after(Duration::ZERO);
    for since in KNOWN_AFTER {
        let tried_again = first_seen.later_by(since);
        if unknown.is_empty() || !tried_again.wait_until(deadline).await {
            break;
        }
        unknown = sent.take(send_all(app, &messages, &unknown, deadline).await);
    }
    let is_believed = first_seen.later_by(KNOWN_AFTER[1]).has_passed();
    let Sent { sent, mut left } = sent;
    let gone = if is_believed { count(&unknown) } else { 0 };
    if !is_believed {
        left.append(&mut unknown);
    }
    let summary = Summary { sent, gone, handed_back: count(&left) };
    let counts = [
        ("Sent", summary.sent as u64),
        ("Gone", summary.gone as u64),
        ("HandedBack", summary.handed_back as u64),
    ];
    metrics::record(&app.config, &counts);
    hand_back(app, messages, left, &summary, deadline).await?;
    Ok(summary)
}

/// SQS may not know a new queue for about a second. A queue that it does not know is tried again so
/// long after it was first not known, then it is gone: its session has ended. All of them wait
/// together, so that the many queues of an audience that has left hold up nothing.
const KNOWN_AFTER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// What became of deliveries.
#[derive(Default)]
struct Sent<'a> {
    sent: usize,
    left: Vec<Delivery<'a>>,
}

impl<'a> Sent<'a> {
    /// Counts outcomes; gives the deliveries whose queue is not known.
    fn take(&mut self, outcomes: Vec<Outcome<'a>>) -> Vec<Delivery<'a>> {
        let mut unknown = Vec::new();
        for outcome in outcomes {
            self.sent += outcome.sent;
            self.left.extend(outcome.left);
            unknown.extend(outcome.without_queue);
        }
        unknown
    }
}

async fn send_all<'a>(
    app: &App,
    messages: &[&RawValue],
    deliveries: &[Delivery<'a>],
    deadline: Deadline,
) -> Vec<Outcome<'a>> {
    stream::iter(deliveries)
        .map(|delivery| deliver(&app.queues, messages, delivery, deadline))
        .buffer_unordered(app.config.max_concurrency)
        .collect()
        .await
}

fn count(deliveries: &[Delivery<'_>]) -> usize {
    deliveries.iter().map(|delivery| delivery.messages.len()).sum()
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
