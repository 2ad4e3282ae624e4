//! A session that polls its queue and decrypts.

use crate::{System, sdk};
use aws_config::Region;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_sqs::{
    Client,
    error::SdkError,
    operation::{
        change_message_visibility_batch::ChangeMessageVisibilityBatchError,
        delete_message_batch::DeleteMessageBatchError, receive_message::ReceiveMessageError,
    },
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
        MessageSystemAttributeName,
    },
};
use sbe_core::frame::{AesKey, decrypt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// A session as `/create`, `/renew` and `/status` answer it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// URL of its queue.
    pub sqs_url: String,
    /// Name of its queue.
    pub sqs_queue_name: String,
    /// Region of its queue.
    pub region: String,
    /// Access key id of its temporary keys.
    pub access_key: String,
    /// Secret of its temporary keys.
    pub secret_key: String,
    /// Session token of its temporary keys.
    pub session_token: String,
    /// When the keys end, in epoch seconds.
    pub expires: i64,
    /// When the session ends, in epoch seconds.
    pub ttl: i64,
    /// The Cognito identity of the keys.
    pub identity_id: String,
    /// Id of the session.
    pub session_id: String,
    /// Id of its account: an integer or a string.
    pub account_id: Value,
    /// Id of its user: an integer or a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Value>,
    /// The AES-256 key, base64.
    pub aes_key: String,
    /// The AES-256 key before the last rotation, while messages under it may wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_aes_key: Option<String>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Session");
        shown.field("account_id", &self.account_id).field("session_id", &self.session_id);
        shown.field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl Session {
    /// The message in a frame, under the present key or the one before it: under a wrong key it is no JSON.
    pub fn decrypt(&self, frame: &str) -> Option<String> {
        let keys = std::iter::once(&self.aes_key).chain(&self.previous_aes_key);
        let mut texts = keys.filter_map(|key| decrypt(&AesKey::from_base64(key).ok()?, frame).ok());
        texts.find(|text| serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok())
    }
}

/// A message of a queue, not deleted yet.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What SQS calls it: the same for each time that it comes.
    pub id: String,
    /// The JSON text; `None` where the body does not decrypt.
    pub text: Option<String>,
    /// By which it is deleted.
    pub handle: String,
    /// When SQS took it, in epoch milliseconds.
    pub sent: i64,
    /// How often it came, this time included.
    pub count: u32,
}

fn keys(session: &Session) -> SharedCredentialsProvider {
    let token = Some(session.session_token.clone());
    let keys = Credentials::new(&session.access_key, &session.secret_key, token, None, "session");
    SharedCredentialsProvider::new(keys)
}

/// Polls the queue of a session with the session's own keys.
#[derive(Debug, Clone)]
pub struct Consumer {
    /// The session.
    pub session: Session,
    /// SQS, with the session's own keys.
    pub sqs: Client,
}

impl Consumer {
    /// A consumer of a session. `endpoint` is that of a local system.
    pub fn new(session: Session, endpoint: Option<&str>) -> Self {
        let sdk = sdk::fixed(endpoint, &session.region, keys(&session));
        Self { sqs: Client::new(&sdk), session }
    }

    /// A consumer of a session of a system; it shares the connections of the system's other clients, so that
    /// there can be thousands.
    pub fn of(system: &System, session: Session) -> Self {
        let sdk = system.sdk().to_builder().credentials_provider(keys(&session));
        let sdk = sdk.region(Region::new(session.region.clone())).build();
        Self { sqs: Client::new(&sdk), session }
    }

    /// Waits up to `seconds` (0 to 20) for up to ten messages, decrypted and not deleted.
    pub async fn receive(&self, seconds: i32) -> Result<Vec<Delivery>, SdkError<ReceiveMessageError>> {
        let receive = self.sqs.receive_message().queue_url(&self.session.sqs_url).max_number_of_messages(10);
        let receive = receive
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let messages = receive.wait_time_seconds(seconds).send().await?.messages.unwrap_or_default();
        Ok(messages.into_iter().map(|message| self.open(message)).collect())
    }

    fn open(&self, message: Message) -> Delivery {
        let attributes = message.attributes.unwrap_or_default();
        let number =
            |name| attributes.get(&name).and_then(|text| text.parse::<i64>().ok()).unwrap_or_default();
        let count = number(MessageSystemAttributeName::ApproximateReceiveCount);
        Delivery {
            text: self.session.decrypt(&message.body.unwrap_or_default()),
            id: message.message_id.unwrap_or_default(),
            handle: message.receipt_handle.unwrap_or_default(),
            sent: number(MessageSystemAttributeName::SentTimestamp),
            count: u32::try_from(count).unwrap_or(1),
        }
    }

    /// Deletes up to ten messages; answers how many SQS did not delete. Those come again.
    pub async fn delete(&self, deliveries: &[Delivery]) -> Result<usize, SdkError<DeleteMessageBatchError>> {
        if deliveries.is_empty() {
            return Ok(0);
        }
        let entry = |(index, delivery): (usize, &Delivery)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(&delivery.handle).build().expect("id and handle are given")
        };
        let entries = deliveries.iter().enumerate().map(entry).collect();
        let delete = self.sqs.delete_message_batch().queue_url(&self.session.sqs_url);
        Ok(delete.set_entries(Some(entries)).send().await?.failed.len())
    }

    /// Makes up to ten messages visible again, for whoever polls next. Those for which that fails come
    /// again by themselves when their visibility timeout ends.
    pub async fn release(
        &self,
        deliveries: &[Delivery],
    ) -> Result<(), SdkError<ChangeMessageVisibilityBatchError>> {
        if deliveries.is_empty() {
            return Ok(());
        }
        let entry = |(index, delivery): (usize, &Delivery)| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
            let entry = entry.receipt_handle(&delivery.handle).visibility_timeout(0);
            entry.build().expect("id and handle are given")
        };
        let entries = deliveries.iter().enumerate().map(entry).collect();
        let release = self.sqs.change_message_visibility_batch().queue_url(&self.session.sqs_url);
        release.set_entries(Some(entries)).send().await.map(drop)
    }
}
