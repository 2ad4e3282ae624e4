//! The session queues and the queue for rejected records.

use crate::{Error, Kind, Result, config::Config, error::kind_of_code, settle::FailedEntry};
use aws_sdk_sqs::{
    Client,
    types::{QueueAttributeName, SendMessageBatchRequestEntry},
};
use sbe_core::session::{IDENTITY_TAG, MessageRetention};

/// SQS.
#[derive(Debug, Clone)]
pub struct Queues {
    sqs: Client,
    env: String,
}

impl Queues {
    pub(crate) fn new(sqs: Client, config: &Config) -> Self {
        Self { sqs, env: config.env.clone() }
    }

    /// Creates a queue that `identity_id` may read; gives its URL. It has the tags of the template's resources too,
    /// by which costs are found.
    pub async fn create(&self, name: &str, retention: MessageRetention, identity_id: &str) -> Result<String> {
        let reply = self
            .sqs
            .create_queue()
            .queue_name(name)
            .attributes(QueueAttributeName::MessageRetentionPeriod, retention.seconds().to_string())
            .tags(IDENTITY_TAG, identity_id)
            .tags("application", "sqs-browser-events")
            .tags("environment", &self.env)
            .send()
            .await
            .map_err(Error::sdk("CreateQueue"))?;
        reply.queue_url.ok_or(Error::new("CreateQueue", Kind::Refused, "no queue URL in the reply"))
    }

    /// Gives the queue to another identity: the former one's keys stop working on it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the queue is gone.
    pub async fn tag(&self, url: &str, identity_id: &str) -> Result<()> {
        let tag = self.sqs.tag_queue().queue_url(url).tags(IDENTITY_TAG, identity_id);
        tag.send().await.map(drop).map_err(Error::sdk("TagQueue"))
    }

    /// Changes how long the queue keeps messages.
    pub async fn set_retention(&self, url: &str, retention: MessageRetention) -> Result<()> {
        self.sqs
            .set_queue_attributes()
            .queue_url(url)
            .attributes(QueueAttributeName::MessageRetentionPeriod, retention.seconds().to_string())
            .send()
            .await
            .map(drop)
            .map_err(Error::sdk("SetQueueAttributes"))
    }

    /// Deletes a queue; one that is gone already is as good.
    pub async fn delete(&self, url: &str) -> Result<()> {
        match self.sqs.delete_queue().queue_url(url).send().await.map_err(Error::sdk("DeleteQueue")) {
            Err(error) if error.kind() != Kind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// A page of the URLs of queues whose name starts with `prefix`, after the page that gave
    /// `next`, and what gives the next page, if there is one.
    pub async fn page(&self, prefix: &str, next: Option<String>) -> Result<(Vec<String>, Option<String>)> {
        // Without MaxResults SQS lists the first 1,000 queues only.
        let list = self.sqs.list_queues().queue_name_prefix(prefix).max_results(1000).set_next_token(next);
        let reply = list.send().await.map_err(Error::sdk("ListQueues"))?;
        Ok((reply.queue_urls.unwrap_or_default(), reply.next_token))
    }

    /// When a queue was created, in epoch seconds; `None` if it is gone.
    pub async fn created(&self, url: &str) -> Result<Option<i64>> {
        let name = QueueAttributeName::CreatedTimestamp;
        let get = self.sqs.get_queue_attributes().queue_url(url).attribute_names(name.clone());
        match get.send().await.map_err(Error::sdk("GetQueueAttributes")) {
            Ok(reply) => Ok(reply.attributes.and_then(|mut all| all.remove(&name)?.parse().ok())),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends one message, a JSON text.
    pub async fn send(&self, url: &str, json: &str) -> Result<()> {
        let send = self.sqs.send_message().queue_url(url).message_body(escaped(json));
        send.send().await.map(drop).map_err(Error::sdk("SendMessage"))
    }

    /// Sends up to ten messages in one call; gives the entries that SQS did not take.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the queue is gone.
    pub async fn send_batch<'a>(
        &self,
        url: &str,
        bodies: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<FailedEntry>> {
        let entries: Vec<SendMessageBatchRequestEntry> =
            bodies.into_iter().enumerate().map(|(index, body)| entry(index, body)).collect::<Result<_>>()?;
        let count = entries.len();
        let batch = self.sqs.send_message_batch().queue_url(url).set_entries(Some(entries));
        let reply = batch.send().await.map_err(Error::sdk("SendMessageBatch"))?;
        let failed = reply.failed.into_iter().map(|failed| {
            let index = failed.id.parse().ok().filter(|index| *index < count);
            let transient = !failed.sender_fault || kind_of_code(&failed.code) == Kind::Throttled;
            let unknown = Error::new("SendMessageBatch", Kind::Refused, "unknown entry in the reply");
            Ok(FailedEntry { index: index.ok_or(unknown)?, transient })
        });
        failed.collect()
    }
}

/// A JSON text in characters that SQS takes. JSON allows two more, which can only stand in strings.
pub(crate) fn escaped(json: &str) -> String {
    json.replace('\u{FFFE}', "\\uFFFE").replace('\u{FFFF}', "\\uFFFF")
}

fn entry(index: usize, body: &str) -> Result<SendMessageBatchRequestEntry> {
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(body)
        .build()
        .map_err(|error| Error::new("SendMessageBatch", Kind::Refused, error.to_string()))
}
