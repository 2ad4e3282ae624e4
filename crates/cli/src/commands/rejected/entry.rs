//! Reads an entry of the rejected queue, as `EventDispatcher` parks it (`crates/event-dispatcher/src/park.rs`).

use crate::parked::Facts;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sbe_core::{id::MessageId, message::derived_id};
use serde::Deserialize;

/// A rejected message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// `kinesis` or `invocation`.
    pub source: String,
    /// The id that the message brings or would have been given.
    pub message_id: Option<String>,
    /// Which field is wrong and what it must be.
    pub reason: String,
    /// The record's sequence number, or the invocation's request id.
    pub sequence_number: String,
    /// The partition key of the Kinesis record.
    pub partition_key: Option<String>,
    /// The size of the message in bytes.
    pub size: usize,
    data: Option<String>,
}

impl Entry {
    /// Reads the body of an SQS message.
    pub fn read(body: &str) -> serde_json::Result<Self> {
        serde_json::from_str(body)
    }

    /// What is told of an entry that cannot be read.
    pub fn unreadable() -> Facts {
        Facts { origin: "unknown".into(), reason: "it is not in a form that this release knows".into() }
    }

    /// How it came, and why it was rejected.
    pub fn facts(&self) -> Facts {
        Facts { origin: self.source.clone(), reason: self.reason.clone() }
    }

    /// The message; `None` where it was too large to be kept.
    pub fn message(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.data.as_ref()?).ok()
    }

    /// The id that the message is given if it brings none: that which it would have had, or one that is made of
    /// the entry's own. A second record of the same message thus has the same id.
    pub fn default_id(&self, entry_id: &str) -> MessageId {
        let id = self.message_id.as_deref().and_then(|id| MessageId::parse(id).ok());
        id.unwrap_or_else(|| derived_id([entry_id]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dispatcher_parks() {
        let body = r#"{"source":"kinesis","reason":"userId must be","messageId":"m-1","sequenceNumber":"5",
            "partitionKey":"1","size":2,"data":"e30="}"#;
        let entry = Entry::read(body).unwrap();
        assert_eq!(entry.message().unwrap(), b"{}");
        assert_eq!(entry.default_id("x").as_str(), "m-1", "the one that it would have had");
        let large = r#"{"source":"invocation","reason":"r","sequenceNumber":"5","size":2000000}"#;
        let large = Entry::read(large).unwrap();
        assert!(large.message().is_none());
        assert_eq!(large.default_id("x"), large.default_id("x"));
        assert_ne!(large.default_id("x"), large.default_id("y"));
    }
}
