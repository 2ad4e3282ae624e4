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
    /// The part that there was no time for.
    pub(crate) left: Option<Delivery<'a>>,
    /// The part that is refused for good.
    pub(crate) refused: Option<Delivery<'a>>,
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
    // A key or an index that is not valid will never be.
    let Some(batches) = Batches::new(messages, delivery) else {
        tracing::error!("a delivery is malformed");
        return Outcome { refused: Some(delivery.clone()), ..Outcome::default() };
    };
    let part =
        |messages: Vec<usize>| (!messages.is_empty()).then(|| Delivery { messages, ..delivery.clone() });
    let (mut sent, mut left, mut refused) = (0, Vec::new(), Vec::new());
    let mut without_queue = None;
    for batch in batches {
        let (start, end) = (batch.places.start, batch.places.end);
        let Some(batch) = send(queues, &delivery.sqs_url, batch.bodies, deadline).await else {
            without_queue = part(delivery.messages[start..].to_vec());
            break;
        };
        let index = |(place, _): (usize, String)| delivery.messages[start + place];
        sent += end - start - batch.refused.len() - batch.left.len();
        refused.extend(batch.refused.into_iter().map(index));
        if !batch.left.is_empty() {
            left.extend(batch.left.into_iter().map(index));
            left.extend_from_slice(&delivery.messages[end..]);
            break;
        }
    }
    Outcome { sent, left: part(left), refused: part(refused), without_queue }
}

/// Sends one batch; entries that fail are tried again by themselves. `None` if SQS knows no such queue.
async fn send(
    queues: &Queues,
    url: &str,
    bodies: Vec<String>,
    deadline: Deadline,
) -> Option<SettledBatch<(usize, String)>> {
    let entries: Vec<(usize, String)> = bodies.into_iter().enumerate().collect();
    let call = async |entries: &[(usize, String)]| {
        queues.send_batch(url, entries.iter().map(|(_, body)| body.as_str())).await
    };
    match settle_batch(entries, deadline, call).await {
        Ok(batch) => Some(batch),
        Err((error, _)) if error.kind() == Kind::NotFound => None,
        Err((error, SettledBatch { mut refused, left })) => {
            tracing::error!(%error, entries = left.len(), "a batch was refused");
            refused.extend(left);
            Some(SettledBatch { refused, left: Vec::new() })
        }
    }
}
