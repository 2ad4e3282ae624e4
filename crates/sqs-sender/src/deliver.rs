//! One session's messages, in order, batch after batch.

use crate::seal::Batches;
use sbe_aws::{
    Kind,
    queues::Queues,
    retry::Deadline,
    settle::{SettledBatch, settle_batch},
};
use sbe_core::payload::Delivery;
use serde_json::value::RawValue;

/// What became of a delivery.
#[derive(Default)]
pub(crate) struct Outcome<'a> {
    /// How many of its messages SQS took.
    pub(crate) sent: usize,
    /// The part that could not be sent.
    pub(crate) left: Option<Delivery<'a>>,
    /// The part for which SQS knows no queue.
    pub(crate) without_queue: Option<Delivery<'a>>,
}

/// Sends a delivery's messages batch by batch, each retried while there is time.
///
/// A batch is begun when every message before it was sent, or refused for good: when the time is up
/// the rest is left, so that it is sent after those before it.
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
    let part =
        |messages: Vec<usize>| (!messages.is_empty()).then(|| Delivery { messages, ..delivery.clone() });
    let (mut sent, mut left) = (0, Vec::new());
    for batch in batches {
        let (start, end) = (batch.places.start, batch.places.end);
        match send(queues, &delivery.sqs_url, batch.bodies, deadline).await {
            Sent::WithoutQueue => {
                left.extend_from_slice(&delivery.messages[start..]);
                return Outcome { sent, left: None, without_queue: part(left) };
            }
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
    Outcome { sent, left: part(left), without_queue: None }
}

enum Sent {
    /// All but the entries at these places; the time may be over.
    Except { places: Vec<usize>, is_over: bool },
    /// SQS knows no such queue.
    WithoutQueue,
}

/// Sends one batch; entries that fail are tried again by themselves.
async fn send(queues: &Queues, url: &str, bodies: Vec<String>, deadline: Deadline) -> Sent {
    let entries: Vec<(usize, String)> = bodies.into_iter().enumerate().collect();
    let call = async |entries: &[(usize, String)]| {
        queues.send_batch(url, entries.iter().map(|(_, body)| body.as_str())).await
    };
    let batch = match settle_batch(entries, deadline, call).await {
        Ok(batch) => batch,
        Err((error, _)) if error.kind() == Kind::NotFound => return Sent::WithoutQueue,
        Err((error, SettledBatch { mut refused, left })) => {
            tracing::warn!(%error, entries = left.len(), "a batch was not sent");
            refused.extend(left);
            SettledBatch { refused, left: Vec::new() }
        }
    };
    let is_over = !batch.left.is_empty();
    let mut places: Vec<usize> = batch.refused.iter().chain(&batch.left).map(|(place, _)| *place).collect();
    places.sort_unstable();
    Sent::Except { places, is_over }
}
