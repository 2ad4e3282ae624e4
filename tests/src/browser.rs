//! A session that polls its queue with its own keys and decrypts: what a browser does.

use crate::{backend::https, system::stack};
use aws_sdk_sqs::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
};
use sbe_core::frame::{AesKey, decrypt};
use serde_json::Value;

/// A browser with a session.
#[derive(Clone)]
pub struct Browser {
    /// The session as `/create` gave it.
    pub session: Value,
    /// SQS, with the session's own temporary keys.
    pub sqs: Client,
}

impl Browser {
    /// A browser with the session in a reply.
    pub fn new(reply: &Value) -> Self {
        let session = reply["session"].clone();
        let text = |name: &str| session[name].as_str().unwrap_or_default().to_owned();
        let keys = Credentials::new(
            text("accessKey"),
            text("secretKey"),
            Some(text("sessionToken")),
            None,
            "session",
        );
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(https())
            .endpoint_url(&stack().endpoint)
            .region(Region::new(text("region")))
            .credentials_provider(keys)
            .build();
        Self { sqs: Client::from_conf(config), session }
    }

    /// The URL of the session's queue.
    pub fn queue(&self) -> String {
        self.session["sqsUrl"].as_str().expect("a session has a queue").to_owned()
    }

    /// The next messages that the queue has, decrypted and deleted; none after `seconds`.
    ///
    /// # Panics
    /// When SQS refuses the poll, or a message does not decrypt.
    pub async fn poll(&self, seconds: i32) -> Vec<String> {
        let receive = self.sqs.receive_message().queue_url(self.queue());
        let reply = receive.max_number_of_messages(10).wait_time_seconds(seconds).send().await;
        let mut texts = Vec::new();
        for message in reply.expect("the session may poll its queue").messages.unwrap_or_default() {
            let body = message.body.as_deref().unwrap_or_default();
            texts.push(self.read(body).expect("the message decrypts"));
            let delete = self.sqs.delete_message().queue_url(self.queue());
            let handle = message.receipt_handle.unwrap_or_default();
            delete.receipt_handle(handle).send().await.expect("the session may delete");
        }
        texts
    }

    /// The message in a frame, under the present key or the one before it: under a wrong key it is no JSON.
    fn read(&self, body: &str) -> Option<String> {
        let keys = ["aesKey", "previousAesKey"].into_iter().filter_map(|name| self.session[name].as_str());
        let mut texts =
            keys.filter_map(|key| decrypt(&AesKey::from_base64(key).expect("a valid key"), body).ok());
        texts.find(|text| serde_json::from_str::<Value>(text).is_ok())
    }

    /// The field `n` of all messages whose field `flow` is `flow`, in the order in which they came:
    /// at least `count`, and whatever else comes within a second after those.
    ///
    /// # Panics
    /// When fewer come within 30 seconds.
    pub async fn receive(&self, flow: i64, count: usize) -> Vec<Value> {
        let mut numbers = Vec::new();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            let enough = numbers.len() >= count;
            let texts = self.poll(if enough { 1 } else { 5 }).await;
            if texts.is_empty() && enough {
                return numbers;
            }
            let late = std::time::Instant::now() > deadline;
            assert!(!late || enough, "{} of {count} messages came: {numbers:?}", numbers.len());
            let messages = texts.iter().map(|text| serde_json::from_str::<Value>(text).expect("JSON"));
            numbers.extend(
                messages.filter(|message| message["flow"] == flow).map(|message| message["n"].clone()),
            );
        }
    }
}
