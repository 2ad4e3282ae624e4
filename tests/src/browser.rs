//! A session that polls its queue with its own keys and decrypts: what a browser does.

use crate::system::stack;
use aws_sdk_sqs::Client;
use sbe_client::Consumer;
use serde_json::Value;

/// A browser with a session.
#[derive(Clone)]
pub struct Browser {
    /// The session as `/create` gave it.
    pub session: Value,
    /// SQS, with the session's own temporary keys.
    pub sqs: Client,
    consumer: Consumer,
}

impl Browser {
    /// A browser with the session in a reply.
    ///
    /// # Panics
    /// When it is no session.
    pub fn new(reply: &Value) -> Self {
        let session = reply["session"].clone();
        let fields = serde_json::from_value(session.clone()).expect("a session has its fields");
        let consumer = Consumer::new(fields, Some(&stack().endpoint));
        Self { session, sqs: consumer.sqs.clone(), consumer }
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
        let deliveries = self.consumer.receive(seconds).await.expect("the session may poll its queue");
        let left = self.consumer.delete(&deliveries).await.expect("the session may delete");
        assert_eq!(left, 0, "all are deleted");
        deliveries.into_iter().map(|delivery| delivery.text.expect("the message decrypts")).collect()
    }

    /// The message with this `messageId`; others that come are passed over.
    ///
    /// # Panics
    /// When nothing comes for ten seconds.
    pub async fn message(&self, id: &Value) -> Value {
        loop {
            let texts = self.poll(10).await;
            assert!(!texts.is_empty(), "waited for {id} in vain");
            let mut messages = texts.iter().map(|text| serde_json::from_str::<Value>(text).expect("JSON"));
            if let Some(message) = messages.find(|message| message["messageId"] == *id) {
                return message;
            }
        }
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
