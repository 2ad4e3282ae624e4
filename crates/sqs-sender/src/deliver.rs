//! One session's messages, in order, batch after batch.

use crate::seal::Batches;
use sbe_aws::{
    Kind,
    queues::Queues,
    retry::{Backoff, Deadline, within},
    settle::FailedEntry,
};
use sbe_core::payload::Delivery;
use serde_json::value::RawValue;

/// What became of a delivery, counted in messages.
#[derive(Default)]
pub(crate) struct Outcome<'a> {
    pub(crate) sent: usize,
    pub(crate) gone: usize,
    /// The part that could not be sent.
    pub(crate) left: Option<Delivery<'a>>,
}

/// Sends a delivery's messages batch by batch, each retried while there is time.
///
/// A batch is begun when every message before it was sent, or refused for good: when the time is up
/// the rest is left, so that it is sent after those before it. A queue that is gone is success: its
/// session has ended.
pub(crate) async fn deliver<'a>(
    queues: &Queues,
    messages: &[&RawValue],
    delivery: &Delivery<'a>,
    deadline: Deadline,
) -> Outcome<'a> {
    // A key or an index that is not valid will never be: leave all of it to the failure queue.
    let Some(batches) = Batches::new(messages, delivery) else {
        tracing::error!("a delivery is malformed");
        return Outcome { left: Some(delivery.clone()), ..Outcome::default() };
    };
    let (mut sent, mut left) = (0, Vec::new());
    for batch in batches {
        let (start, end) = (batch.places.start, batch.places.end);
        match send(queues, &delivery.sqs_url, batch.bodies, deadline).await {
            Sent::Gone => return Outcome { sent, gone: delivery.messages.len() - sent, left: None },
            Sent::Except { places, is_over } => {
                sent += end - start - places.len();
                left.extend(places.into_iter().map(|place| delivery.messages[start + place]));
                if is_over {
                    left.extend_from_slice(&delivery.messages[end..]);
                    break;
                }
            }
        }
    }
    let left = (!left.is_empty()).then(|| Delivery { messages: left, ..delivery.clone() });
    Outcome { sent, gone: 0, left }
}

enum Sent {
    /// All but the entries at these places; the time may be over.
    Except { places: Vec<usize>, is_over: bool },
    /// There is no such queue any more.
    Gone,
}

/// Sends one batch; entries that fail are tried again by themselves.
async fn send(queues: &Queues, url: &str, bodies: Vec<String>, deadline: Deadline) -> Sent {
    let mut waiting: Vec<(usize, String)> = bodies.into_iter().enumerate().collect();
    let mut refused = Vec::new();
    let mut backoff = Backoff::new();
    while !waiting.is_empty() {
        let (places, batch): (Vec<usize>, Vec<String>) = waiting.into_iter().unzip();
        let Some(failed) = attempt(queues, url, &batch, deadline).await else { return Sent::Gone };
        let again = |index: usize| failed.iter().any(|entry| entry.index == index && entry.transient);
        refused.extend(failed.iter().filter(|entry| !entry.transient).map(|entry| places[entry.index]));
        let entries = places.into_iter().zip(batch).enumerate();
        waiting = entries.filter(|(index, _)| again(*index)).map(|(_, entry)| entry).collect();
        if !waiting.is_empty() && !backoff.wait(deadline).await {
            break;
        }
    }
    let is_over = !waiting.is_empty();
    refused.extend(waiting.into_iter().map(|(place, _)| place));
    refused.sort_unstable();
    Sent::Except { places: refused, is_over }
}

/// The entries that failed; `None` if the queue is gone.
async fn attempt(
    queues: &Queues,
    url: &str,
    batch: &[String],
    deadline: Deadline,
) -> Option<Vec<FailedEntry>> {
    match within(deadline, queues.send_batch(url, batch)).await {
        Ok(failed) => Some(failed),
        Err(error) if error.kind() == Kind::NotFound => None,
        Err(error) => {
            tracing::warn!(%error, entries = batch.len(), "a batch was not sent");
            let transient = error.is_transient();
            Some((0..batch.len()).map(|index| FailedEntry { index, transient }).collect())
        }
    }
}
