//! The real sender and history adder, given payload after payload.

use super::{Size, TIME, Used};
use crate::{
    events::{event, messages, sender_payloads},
    population::Population,
    usage::Mark,
};
use anyhow::{Result, anyhow, ensure};
use sbe_aws::clients::Clients;
use sbe_core::{
    history::Timestamp,
    id::UserId,
    payload::{PayloadCutter, SendPayload},
};
use std::hint::black_box;

/// Lives as long as the process, as a function's app does.
pub(super) fn app<T>(app: T) -> &'static T {
    Box::leak(Box::new(app))
}

/// Payload after payload, as one warm environment would be given them.
pub(super) async fn sender(clients: &Clients, size: &Size) -> Result<Used> {
    let app = app(sqs_sender::App::new(clients));
    let (messages, mut used, mut sent) = (messages(size.messages, size.bytes), Used::default(), 0);
    for payload in sender_payloads(&Population::of(size.sessions), &messages) {
        let event = event(payload.json, TIME);
        let mark = Mark::now()?;
        sent += sqs_sender::handle(app, event).await.map_err(|error| anyhow!(error))?.sent;
        used.add(mark)?;
    }
    ensure!(sent == size.deliveries(), "{sent} messages were sent");
    Ok(used)
}

/// JSON, AES and base64.
pub(super) fn payload_work(size: &Size) -> Result<Used> {
    let (messages, mut used) = (messages(size.messages, size.bytes), Used::default());
    for payload in sender_payloads(&Population::of(size.sessions), &messages) {
        let mark = Mark::now()?;
        let payload: SendPayload<'_> = serde_json::from_str(&payload.json)?;
        for delivery in &payload.deliveries {
            let batches = sqs_sender::seal::Batches::new(&payload.messages, delivery);
            for batch in batches.ok_or_else(|| anyhow!("a delivery is malformed"))? {
                black_box(batch);
            }
        }
        used.add(mark)?;
    }
    Ok(used)
}

/// The users of so many sessions, each with a session of their own.
pub(super) async fn history_adder(clients: &Clients, size: &Size) -> Result<Used> {
    let app = app(user_history_adder::App::new(clients));
    let messages = messages(size.messages, size.bytes);
    let mut cutter = PayloadCutter::users(&messages, |_| Timestamp(1_763_800_000_123_456));
    let all: Vec<usize> = (0..messages.len()).collect();
    let users = 0..i64::try_from(size.sessions)?;
    let mut payloads: Vec<_> = users.flat_map(|user| cutter.push_user(&UserId::from(user), &all)).collect();
    payloads.extend(cutter.flush());
    let mut used = Used::default();
    for payload in payloads {
        let event = event(payload.json, TIME);
        let mark = Mark::now()?;
        user_history_adder::handle(app, event).await.map_err(|error| anyhow!(error))?;
        used.add(mark)?;
    }
    Ok(used)
}
