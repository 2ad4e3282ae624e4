//! One session's messages, in order, in full batches.

use sbe_aws::{
    Kind,
    queues::Queues,
    random::Counters,
    retry::{Backoff, Deadline},
};
use sbe_core::{
    batch::batches,
    frame::{AesKey, FrameWriter, max_frame_len},
    payload::Delivery,
};
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
/// A queue that is gone is success: its session has ended.
pub(crate) async fn deliver<'a>(
    queues: &Queues,
    messages: &[&RawValue],
    delivery: &Delivery<'a>,
    deadline: Deadline,
) -> Outcome<'a> {
    let mut outcome = Outcome::default();
    let mut left = Vec::new();
    // A key or an index that is not valid will never be: leave all of it to the failure queue.
    let texts: Option<Vec<&str>> =
        delivery.messages.iter().map(|index| messages.get(*index).map(|message| message.get())).collect();
    let (Ok(key), Some(texts)) = (AesKey::from_base64(&delivery.aes_key), texts) else {
        tracing::error!("a delivery is malformed");
        return Outcome { left: Some(delivery.clone()), ..outcome };
    };
    let sizes: Vec<usize> = texts.iter().map(|text| max_frame_len(text.len())).collect();
    for batch in batches(&sizes) {
        let bodies = encrypt(&key, &texts[batch.clone()]);
        match send(queues, &delivery.sqs_url, bodies, deadline).await {
            Sent::Gone => {
                outcome.gone = texts.len() - outcome.sent;
                return outcome;
            }
            Sent::Except(failed) => {
                outcome.sent += batch.len() - failed.len();
                left.extend(failed.into_iter().map(|index| delivery.messages[batch.start + index]));
            }
        }
    }
    outcome.left = (!left.is_empty()).then(|| Delivery { messages: left, ..delivery.clone() });
    outcome
}

fn encrypt(key: &AesKey, texts: &[&str]) -> Vec<String> {
    let (mut counters, mut writer) = (Counters::default(), FrameWriter::default());
    let frame = |text: &&str| {
        let mut body = String::new();
        writer.append(key, counters.draw(), text, &mut body);
        body
    };
    texts.iter().map(frame).collect()
}

enum Sent {
    /// All but the entries with these indexes.
    Except(Vec<usize>),
    /// There is no such queue any more.
    Gone,
}

/// Sends one batch; entries that fail are tried again by themselves.
async fn send(queues: &Queues, url: &str, bodies: Vec<String>, deadline: Deadline) -> Sent {
    let mut waiting: Vec<(usize, String)> = bodies.into_iter().enumerate().collect();
    let mut refused = Vec::new();
    let mut backoff = Backoff::new();
    while !waiting.is_empty() {
        let (indexes, batch): (Vec<usize>, Vec<String>) = waiting.into_iter().unzip();
        let failed = match queues.send_batch(url, &batch).await {
            Ok(failed) => failed,
            Err(error) if error.kind() == Kind::NotFound => return Sent::Gone,
            Err(error) => {
                tracing::warn!(%error, entries = batch.len(), "a batch was not sent");
                let transient = error.is_transient();
                (0..batch.len()).map(|index| sbe_aws::queues::FailedEntry { index, transient }).collect()
            }
        };
        let again = |index: usize| failed.iter().any(|entry| entry.index == index && entry.transient);
        refused.extend(failed.iter().filter(|entry| !entry.transient).map(|entry| indexes[entry.index]));
        waiting = indexes
            .into_iter()
            .zip(batch)
            .enumerate()
            .filter(|(index, _)| again(*index))
            .map(|(_, entry)| entry)
            .collect();
        if !waiting.is_empty() && !backoff.wait(deadline).await {
            break;
        }
    }
    refused.extend(waiting.into_iter().map(|(index, _)| index));
    refused.sort_unstable();
    Sent::Except(refused)
}
