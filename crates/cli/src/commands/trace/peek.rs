//! Looks into queues without taking anything from them.

use super::{evidence::Content, state::Row};
use crate::{
    context::Context,
    failure::Failure,
    parked::{
        peek::peek,
        queue::{Held, Queue},
    },
};
use aws_sdk_sqs::{
    error::SdkError, operation::get_queue_attributes::GetQueueAttributesError, types::QueueAttributeName,
};
use sbe_core::{
    frame::{AesKey, decrypt},
    id::MessageId,
    message::id_in,
};
use std::{collections::HashSet, time::Duration};

/// What is looked at in an operator's queue is hidden from others for so long at most.
const HIDDEN: Duration = Duration::from_secs(20);

/// Receipts of up to ten messages each: more are not looked at.
const MAX_RECEIVES: usize = 30;

/// Receipts without anything new after which there is nothing new.
const PATIENCE: usize = 3;

/// What `look` takes from an operator's queue, and whether it saw all of it.
pub(super) async fn operators_queue<T>(
    context: &Context,
    mut queue: Queue,
    look: impl Fn(Held) -> Option<T>,
) -> Result<(Vec<T>, bool), Failure> {
    queue.hidden = HIDDEN;
    let peeked = peek(&queue, &context.interrupt, look).await?;
    Ok((peeked.seen, !peeked.is_cut_off))
}

/// What a session's queue holds of the message. Nothing is hidden: a browser that polls at the same time
/// gets all the same.
pub(super) async fn sessions_queue(context: &Context, row: &Row, id: &MessageId) -> Result<Content, Failure> {
    let (sqs, url) = (context.system.sqs(), &row.session.sqs_url);
    let get = sqs.get_queue_attributes().queue_url(url);
    let get = get.attribute_names(QueueAttributeName::ApproximateNumberOfMessages);
    let get = get.attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible).send().await;
    let attributes = match get {
        Ok(reply) => reply.attributes.unwrap_or_default(),
        Err(error) if is_no_queue(&error) => return Ok(Content::NoQueue),
        Err(error) => return Err(Failure::aws("reading the session's queue", error)),
    };
    let number = |name| attributes.get(&name).and_then(|text| text.parse::<u32>().ok()).unwrap_or_default();
    let visible = number(QueueAttributeName::ApproximateNumberOfMessages);
    let in_flight = number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible);
    let (mut seen, mut in_vain) = (HashSet::new(), 0);
    for _ in 0..MAX_RECEIVES {
        if in_vain == PATIENCE || (visible == 0 && in_vain > 0) {
            break;
        }
        let receive = sqs.receive_message().queue_url(url).max_number_of_messages(10).visibility_timeout(0);
        let receive =
            receive.send().await.map_err(|error| Failure::aws("looking into the session's queue", error))?;
        let before = seen.len();
        for message in receive.messages.unwrap_or_default() {
            if message.body.as_deref().is_some_and(|body| is_it(row, body, id)) {
                return Ok(Content::Waits);
            }
            seen.insert(message.message_id);
        }
        in_vain = if seen.len() == before { in_vain + 1 } else { 0 };
    }
    let looked_at = u32::try_from(seen.len()).unwrap_or(u32::MAX);
    Ok(match (visible > looked_at, in_flight) {
        (true, _) => Content::Unknown(visible),
        (false, 0) => Content::Absent,
        (false, in_flight) => Content::InFlight(in_flight),
    })
}

fn is_it(row: &Row, body: &str, id: &MessageId) -> bool {
    let previous = row.session.previous.as_ref().map(|key| &key.aes_key);
    let mut keys = std::iter::once(&row.session.aes_key).chain(previous);
    keys.any(|key| {
        let text = AesKey::from_base64(key).ok().and_then(|key| decrypt(&key, body).ok());
        text.and_then(|text| id_in(text.as_bytes())).is_some_and(|found| found == *id)
    })
}

fn is_no_queue<R>(error: &SdkError<GetQueueAttributesError, R>) -> bool {
    error.as_service_error().is_some_and(GetQueueAttributesError::is_queue_does_not_exist)
}
