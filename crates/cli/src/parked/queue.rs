//! Calls of SQS. An entry that was received is hidden from others until it is deleted, given back, or
//! [`Queue::hidden`] is over.

use crate::failure::Failure;
use aws_sdk_sqs::{
    Client,
    operation::receive_message::ReceiveMessageError,
    types::{ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName::SentTimestamp},
};
use futures::{StreamExt as _, stream};
use sbe_core::message::text_json;
use serde_json::value::RawValue;
use std::{cell::RefCell, time::Duration};

/// How long an entry is hidden, if the queue says nothing else.
const HIDDEN: Duration = Duration::from_mins(5);

/// Batches that are given back at the same time.
const AT_ONCE: usize = 16;

/// An entry that is hidden from others.
#[derive(Debug, Clone)]
pub struct Held {
    /// The id of its SQS message.
    pub id: String,
    /// By which it is deleted or given back.
    pub handle: String,
    /// What was parked.
    pub body: String,
    /// When it was parked, in epoch milliseconds.
    pub sent: i64,
}

impl Held {
    /// The entry as JSON with this body. A body that is JSON stays as it is, so that numbers keep their digits.
    pub fn to_json(&self, body: &str) -> String {
        let is_json = serde_json::from_str::<&RawValue>(body).is_ok();
        // In JSON, line breaks are only between values.
        let body = if is_json { body.replace(['\n', '\r'], " ") } else { text_json(body) };
        format!(r#"{{"id":{},"parked":{},"body":{body}}}"#, text_json(&self.id), self.sent)
    }
}

impl From<Message> for Held {
    fn from(message: Message) -> Self {
        let sent = message.attributes.as_ref().and_then(|all| all.get(&SentTimestamp)?.parse().ok());
        Self {
            id: message.message_id.unwrap_or_default(),
            handle: message.receipt_handle.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            sent: sent.unwrap_or_default(),
        }
    }
}

/// Entries that could not be given back.
#[derive(Debug)]
pub struct StillHidden {
    /// How many: they stay hidden for [`Queue::hidden`] at most.
    pub entries: usize,
    /// Why; `None` where there was no time.
    pub reason: Option<Failure>,
}

/// One of the two queues.
#[derive(Debug, Clone)]
pub struct Queue {
    /// What it is called: `failed` or `rejected`.
    pub name: &'static str,
    /// How long an entry is hidden.
    pub hidden: Duration,
    sqs: Client,
    url: String,
}

impl Queue {
    /// The queue at a URL.
    pub fn new(name: &'static str, sqs: Client, url: &str) -> Self {
        Self { name, hidden: HIDDEN, sqs, url: url.to_owned() }
    }

    fn hidden_seconds(&self) -> i32 {
        i32::try_from(self.hidden.as_secs()).unwrap_or(i32::MAX)
    }

    /// Up to `max` (1 to 10) entries; none when for a second there was none to be had. `None`: SQS hides no
    /// more, which it does for 120,000 at a time.
    pub async fn receive(&self, max: i32) -> Result<Option<Vec<Held>>, Failure> {
        let receive = self.sqs.receive_message().queue_url(&self.url).max_number_of_messages(max);
        let receive = receive.message_system_attribute_names(SentTimestamp);
        match receive.visibility_timeout(self.hidden_seconds()).wait_time_seconds(1).send().await {
            Ok(reply) => Ok(Some(reply.messages.unwrap_or_default().into_iter().map(Held::from).collect())),
            Err(error) if error.as_service_error().is_some_and(ReceiveMessageError::is_over_limit) => {
                Ok(None)
            }
            Err(error) => Err(Failure::aws(&format!("reading the {} queue", self.name), error)),
        }
    }

    /// Deletes an entry for good.
    pub async fn delete(&self, held: &Held) -> Result<(), Failure> {
        let delete = self.sqs.delete_message().queue_url(&self.url).receipt_handle(&held.handle);
        let result = delete.send().await;
        result.map(drop).map_err(|error| Failure::aws("deleting an entry", error))
    }

    /// Hides an entry for [`hidden`](Self::hidden) from now on.
    pub async fn hide(&self, held: &Held) -> Result<(), Failure> {
        let change = self.sqs.change_message_visibility().queue_url(&self.url);
        let result =
            change.receipt_handle(&held.handle).visibility_timeout(self.hidden_seconds()).send().await;
        result.map(drop).map_err(|error| Failure::aws("keeping an entry hidden", error))
    }

    /// Gives entries back, so that others see them at once. What is not given back comes back by itself.
    pub async fn give_back(&self, handles: &[String], time: Duration) -> StillHidden {
        let still = RefCell::new(StillHidden { entries: handles.len(), reason: None });
        let batches = stream::iter(handles.chunks(10)).map(|batch| self.give_back_batch(batch));
        let work = batches.buffer_unordered(AT_ONCE).for_each(async |given| match given {
            Ok(given) => still.borrow_mut().entries -= given,
            Err(failure) => still.borrow_mut().reason = Some(failure),
        });
        let _ = tokio::time::timeout(time, work).await;
        still.into_inner()
    }

    /// How many of the batch are not hidden any more.
    async fn give_back_batch(&self, handles: &[String]) -> Result<usize, Failure> {
        let entry = |(index, handle): (usize, &String)| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(handle).visibility_timeout(0).build().expect("id and handle are given")
        };
        let entries = handles.iter().enumerate().map(entry).collect();
        let change = self.sqs.change_message_visibility_batch().queue_url(&self.url);
        // An entry that SQS refuses is hidden no more, or deleted.
        let result = change.set_entries(Some(entries)).send().await;
        result.map(|_| handles.len()).map_err(|error| Failure::aws("giving entries back", error))
    }
}
