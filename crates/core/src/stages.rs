//! What functions log of the way of a message, one JSON object a line, and `sbe trace` reads.
//!
//! ```json
//! {"timestamp":"2026-01-02T03:04:05.678901Z","level":"INFO","requestId":"5b1c…","stage":"sent",
//!  "messages":[{"messageId":"m","sent":2}]}
//! ```
//!
//! A line names messages by their ids and never holds their content. It tells sums, never a session each:
//! what each queue got is said by [`Stage::SentTo`], which is logged at debug. Sessions and queues are named
//! by a [`digest`]: a session's id may be that of a log-in, and a queue's URL is half of what opens it.

use crate::{
    Invalid,
    id::{AccountId, MessageId, UserId},
    message::Published,
    part::Segments,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A line tells of so many messages at most. With the longest ids it has some 160 KB: CloudWatch divides
/// lines of more than 256 KB, and then neither half is JSON.
pub const MESSAGES_PER_LINE: usize = 50;

/// A reason is cut to so many characters: it may name a field of the message, which may be very long.
const MAX_REASON_CHARS: usize = 300;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// When it was written: RFC 3339, UTC, with microseconds, so that lines sort as texts.
    pub timestamp: String,
    /// `WARN` of what was rejected or parked, `DEBUG` of single queues, else `INFO`.
    pub level: String,
    /// Lambda's id of the invocation. Lambda repeats a failed invocation under the same id.
    pub request_id: String,
    /// What was done, and with which messages.
    #[serde(flatten)]
    pub stage: Stage,
}

impl Line {
    /// Reads a line of a log; `None` for lines about anything else.
    ///
    /// ```
    /// use sbe_core::stages::Line;
    /// let line = r#"{"timestamp":"t","level":"INFO","requestId":"r","stage":"kept","messages":[{"messageId":"m"}]}"#;
    /// assert_eq!(Line::parse(line).unwrap().request_id, "r");
    /// assert!(Line::parse(r#"{"timestamp":"t","level":"INFO","message":"m"}"#).is_none());
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The line's JSON text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a line is always JSON")
    }
}

/// What was done, and with which messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Stage {
    /// The dispatcher took messages and looks up whom they are for.
    Accepted {
        /// How they came.
        source: Source,
        /// Which they are.
        messages: Vec<Accepted>,
    },
    /// The dispatcher refused messages.
    Rejected {
        /// How they came.
        source: Source,
        /// Which they are, and why.
        messages: Vec<Rejected>,
    },
    /// An invocation of the dispatcher has handed messages to the functions behind.
    Dispatched {
        /// How many invocations have handed them on before.
        #[serde(default, skip_serializing_if = "is_zero")]
        depth: u32,
        /// Of everyone: which part of the scan it was to read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        segments: Option<Segments>,
        /// Why some have failed. Whoever sent them is told, or tries again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// What became of each.
        messages: Vec<Dispatched>,
    },
    /// An invocation of the sender has sent messages to queues.
    Sent {
        /// For how many sessions each.
        messages: Vec<Sent>,
    },
    /// The same of one queue.
    SentTo {
        /// The [`digest`] of the queue's URL.
        queue: String,
        /// What became of each.
        messages: Vec<Sent>,
    },
    /// An invocation of the history adder has written messages to histories.
    Kept {
        /// For how many users each.
        messages: Vec<Kept>,
    },
    /// Work was put into the failed queue, where it waits for a person.
    Parked {
        /// The function that is to be invoked with it again.
        function: String,
        /// Why.
        reason: String,
        /// Whose work it is.
        messages: Vec<MessageId>,
    },
}

/// How messages came to the dispatcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// From the stream.
    Kinesis,
    /// By `/notify`.
    Http,
    /// By an invocation of the function, as read receipts do.
    Invocation,
}

/// A message that was taken, and whom it is for: with no key, everyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// The message.
    pub message_id: MessageId,
    /// Only sessions of this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Only sessions of this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Only the session whose id has this [`digest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// It is kept in no history.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sqs_only: bool,
    /// Kinesis's id of the event: shard and sequence number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
}

impl Accepted {
    /// What is told of a message.
    pub fn new(published: &Published, event_id: Option<&str>) -> Self {
        let target = published.message.target();
        Self {
            message_id: published.message.id().clone(),
            account_id: target.account.clone(),
            user_id: target.user.clone(),
            session: target.session.as_ref().map(|session| digest(session.as_str())),
            sqs_only: published.message.sqs_only(),
            event_id: event_id.map(str::to_owned),
        }
    }
}

/// A message that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejected {
    /// The id that it brought or, where none can be read, would have been given.
    pub message_id: MessageId,
    /// Which field is wrong, and what it must be.
    pub reason: String,
    /// Its size in bytes.
    pub size: usize,
    /// Kinesis's id of the event: shard and sequence number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
}

impl Rejected {
    /// What is told of a message of so many bytes.
    pub fn new(message_id: MessageId, reason: &Invalid, size: usize, event_id: Option<&str>) -> Self {
        let reason = reason.to_string().chars().take(MAX_REASON_CHARS).collect();
        Self { message_id, reason, size, event_id: event_id.map(str::to_owned) }
    }
}

/// What became of a message in one invocation of the dispatcher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dispatched {
    /// The message.
    pub message_id: MessageId,
    /// For how many sessions it was handed to the sender.
    pub sessions: u64,
    /// Invocations that were to carry on with it, each with a part of the rest.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub workers: u32,
    /// It did not reach all functions that it is for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub failed: bool,
}

/// What became of a message in one invocation of the sender: numbers of sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// The message.
    pub message_id: MessageId,
    /// SQS took it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sent: u32,
    /// The queue is not there any more: the session has ended.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gone: u32,
    /// Another invocation is to try.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub handed_back: u32,
    /// SQS refuses it for good.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u32,
}

impl Sent {
    /// Nothing yet.
    pub fn new(message_id: MessageId) -> Self {
        Self { message_id, sent: 0, gone: 0, handed_back: 0, refused: 0 }
    }
}

/// What became of a message in one invocation of the history adder: numbers of users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The message.
    pub message_id: MessageId,
    /// Their histories have it now.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub kept: u32,
    /// Their histories had it before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub known: u32,
    /// Another invocation is to try.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub handed_back: u32,
    /// DynamoDB refuses it for good.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u32,
}

impl Kept {
    /// Nothing yet.
    pub fn new(message_id: MessageId) -> Self {
        Self { message_id, kept: 0, known: 0, handed_back: 0, refused: 0 }
    }
}

/// What names a session's id or a queue's URL in a log: equal for equal texts, and tells nothing else.
///
/// ```
/// assert_eq!(sbe_core::stages::digest("tab-1"), "LMbDrmayv1yb");
/// ```
pub fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..9])
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "Serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "Serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{history::Timestamp, message::Message, target::Target};
    use serde_json::json;

    fn line(stage: Stage) -> Line {
        Line { timestamp: "t".into(), level: "INFO".into(), request_id: "r".into(), stage }
    }

    fn id(text: &str) -> MessageId {
        MessageId::parse(text).unwrap()
    }

    fn published(json: &str) -> Published {
        let message = Message::parse(json.as_bytes(), &Target::EVERYONE, || id("m")).unwrap();
        Published { message, created: Timestamp(0) }
    }

    /// The forms of all lines, as `sbe trace`, and queries of Logs Insights, rely on them.
    #[test]
    fn lines_have_these_forms_and_are_read_again() {
        let target =
            published(r#"{"accountId":1,"userId":"u","sessionId":"tab-1","_sqs_only":1,"text":"x"}"#);
        let everyone = published(r#"{"text":"x"}"#);
        let segments = Some(Segments { from: 0, to: 8, total: 40 });
        let (workers, failed) = (4, false);
        let dispatched = Dispatched { message_id: id("m"), sessions: 0, workers, failed };
        let sent = Sent { sent: 2, gone: 1, ..Sent::new(id("m")) };
        let reason = Invalid::new("userId", "must be x");
        for (stage, fields) in [
            (
                Stage::Accepted {
                    source: Source::Kinesis,
                    messages: vec![Accepted::new(&target, Some("s:1"))],
                },
                json!({"stage": "accepted", "source": "kinesis", "messages": [{"messageId": "m", "accountId": 1,
                    "userId": "u", "session": "LMbDrmayv1yb", "sqsOnly": true, "eventId": "s:1"}]}),
            ),
            (
                Stage::Accepted { source: Source::Http, messages: vec![Accepted::new(&everyone, None)] },
                json!({"stage": "accepted", "source": "http", "messages": [{"messageId": "m"}]}),
            ),
            (
                Stage::Rejected {
                    source: Source::Invocation,
                    messages: vec![Rejected::new(id("m"), &reason, 9, None)],
                },
                json!({"stage": "rejected", "source": "invocation",
                    "messages": [{"messageId": "m", "reason": "userId must be x", "size": 9}]}),
            ),
            (
                Stage::Dispatched { depth: 1, segments, error: None, messages: vec![dispatched] },
                json!({"stage": "dispatched", "depth": 1, "segments": {"from": 0, "to": 8, "total": 40},
                    "messages": [{"messageId": "m", "sessions": 0, "workers": 4}]}),
            ),
            (
                Stage::Sent { messages: vec![sent.clone()] },
                json!({"stage": "sent", "messages": [{"messageId": "m", "sent": 2, "gone": 1}]}),
            ),
            (
                Stage::SentTo { queue: digest("url"), messages: vec![sent] },
                json!({"stage": "sentTo", "queue": digest("url"), "messages": [{"messageId": "m", "sent": 2, "gone": 1}]}),
            ),
            (
                Stage::Kept { messages: vec![Kept { known: 1, ..Kept::new(id("m")) }] },
                json!({"stage": "kept", "messages": [{"messageId": "m", "known": 1}]}),
            ),
            (
                Stage::Parked { function: "f".into(), reason: "why".into(), messages: vec![id("m")] },
                json!({"stage": "parked", "function": "f", "reason": "why", "messages": ["m"]}),
            ),
        ] {
            let line = line(stage);
            let mut expected = json!({"timestamp": "t", "level": "INFO", "requestId": "r"});
            expected.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            assert_eq!(serde_json::from_str::<serde_json::Value>(&line.to_json()).unwrap(), expected);
            assert_eq!(Line::parse(&line.to_json()), Some(line));
        }
    }

    #[test]
    fn a_full_line_of_the_longest_ids_is_not_divided() {
        let control = "\u{1}".repeat(256);
        let wide = "\u{10FFFF}".repeat(128);
        let json = json!({"messageId": control, "accountId": wide, "userId": wide, "sessionId": control});
        let event_id = format!("shardId-{}:{}", "9".repeat(12), "9".repeat(56));
        let accepted = Accepted::new(&published(&json.to_string()), Some(&event_id));
        let reason = Invalid::new("u_".repeat(100_000), "is like userId");
        let rejected = Rejected::new(id(&control), &reason, usize::MAX, Some(&event_id));
        for stage in [
            Stage::Accepted { source: Source::Kinesis, messages: vec![accepted; MESSAGES_PER_LINE] },
            Stage::Rejected { source: Source::Kinesis, messages: vec![rejected; MESSAGES_PER_LINE] },
        ] {
            let bytes = line(stage).to_json().len();
            assert!(bytes < 200_000, "{bytes}");
        }
    }
}
