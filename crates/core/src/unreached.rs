//! The events that tell of messages which reached nobody, and how they are handed on.
//!
//! ```json
//! {"sqs-browser-events/unreached":{"version":1,"env":"prod","depth":1,"events":[
//!  {"userId":7,"messageId":"m","type":"invoice","created":1.5,"message":{"userId":7,"messageId":"m"}}]}}
//! ```

use crate::{
    Invalid,
    handed_on::HandOn,
    id::{AccountId, MessageId, SessionId, UserId},
    message::{Published, is_object_with, text_json},
    offline::Handover,
    payload::{MAX_DEPTH, groups},
    version::{Unreadable, VERSION, Version},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The `source` of the events.
pub const SOURCE: &str = "sqs-browser-events";

/// Their `detail-type`.
pub const DETAIL_TYPE: &str = "message.unreached";

/// All entries of one call together stay below this: `EventBridge` took 256 KB for years, and takes 1 MB
/// now. The former is right wherever the system runs, and for every target of a rule.
pub const MAX_CALL_BYTES: usize = 256 * 1024 - 1;

/// What `EventBridge` counts for an entry besides its detail.
const ENTRY_BYTES: usize = SOURCE.len() + DETAIL_TYPE.len() + 14;

/// Lambda takes asynchronous events of up to 1 MB; room is left for all but the events in it.
const MAX_EVENTS_BYTES: usize = 990_000;

/// The name of the only field of what is handed on, which no message has by chance.
const FIELD: &str = "sqs-browser-events/unreached";

/// A message that reached nobody: an event's `detail`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unreached {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account_id: Option<AccountId>,
    user_id: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_id: Option<SessionId>,
    message_id: MessageId,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// In epoch seconds.
    created: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<Box<RawValue>>,
}

impl Unreached {
    /// Tells of a message, if it is addressed to a user. One that is too large for an event is told of
    /// without itself.
    pub fn new(published: &Published, handover: Handover) -> Option<Self> {
        let Published { message, created } = published;
        let raw = |json: String| RawValue::from_string(json).ok();
        let target = message.target().clone();
        let event = Self {
            account_id: target.account,
            user_id: target.user?,
            session_id: target.session,
            message_id: message.id().clone(),
            kind: message.kind().map(str::to_owned),
            created: raw(created.to_string())?,
            message: if handover == Handover::Message { raw(message.json().to_owned()) } else { None },
        };
        let fits = ENTRY_BYTES + event.detail().len() <= MAX_CALL_BYTES;
        Some(if fits { event } else { event.without_message() })
    }

    /// The same without the message itself.
    #[must_use]
    pub fn without_message(self) -> Self {
        Self { message: None, ..self }
    }

    /// Which message it tells of.
    pub fn message_id(&self) -> &MessageId {
        &self.message_id
    }

    /// Whether the message itself is in it.
    pub fn has_message(&self) -> bool {
        self.message.is_some()
    }

    /// The event's `detail`, as JSON.
    pub fn detail(&self) -> String {
        serde_json::to_string(self).expect("an event is always JSON")
    }
}

/// What `EventBridge` counts for an entry with this detail, in bytes.
pub fn entry_bytes(detail: &str) -> usize {
    ENTRY_BYTES + detail.len()
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark<T> {
    #[serde(rename = "sqs-browser-events/unreached")]
    unreached: T,
}

/// Events that another invocation was to put.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandedOnEvents {
    version: Version,
    env: String,
    /// How many invocations have handed them on before.
    pub depth: u32,
    /// The events.
    pub events: Vec<Unreached>,
}

impl HandedOnEvents {
    /// Whether an invocation says that it brings such.
    pub fn is_one(json: &str) -> bool {
        is_object_with(json, FIELD)
    }

    /// Reads those of the environment `env`.
    ///
    /// # Errors
    /// When they are not as [`hand_on`] makes them: a later release's, another program's or another environment's.
    pub fn parse(json: &str, env: &str) -> Result<Self, Unreadable> {
        let malformed = |rule| Invalid::new(FIELD, rule);
        let mark: Mark<Self> = serde_json::from_str(json)
            .map_err(|_| Unreadable::of(json, malformed("must be events that a dispatcher has handed on")))?;
        let handed_on = mark.unreached;
        if handed_on.env != env {
            return Err(malformed("must be of this environment").into());
        }
        let is_valid = handed_on.depth <= MAX_DEPTH && !handed_on.events.is_empty();
        is_valid.then_some(handed_on).ok_or(malformed("must be consistent in itself").into())
    }
}

/// The invocations that put events, each given with the index of its message: one, unless they are too
/// large for one.
pub fn hand_on(env: &str, depth: u32, events: &[(usize, Unreached)]) -> Vec<HandOn> {
    let details: Vec<String> = events.iter().map(|(_, event)| event.detail()).collect();
    let sizes: Vec<usize> = details.iter().map(String::len).collect();
    let env = text_json(env);
    let invocation = |range: std::ops::Range<usize>| HandOn {
        json: format!(
            r#"{{"{FIELD}":{{"version":{VERSION},"env":{env},"depth":{depth},"events":[{}]}}}}"#,
            details[range.clone()].join(",")
        ),
        messages: events[range].iter().map(|(index, _)| *index).collect(),
    };
    groups(&sizes, MAX_EVENTS_BYTES).into_iter().map(invocation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        history::Timestamp,
        message::{MAX_MESSAGE_BYTES, Message},
        target::Target,
    };

    fn event(json: &str, handover: Handover) -> Unreached {
        let id = || MessageId::parse("m").unwrap();
        let message = Message::parse(json.as_bytes(), &Target::EVERYONE, id).unwrap();
        Unreached::new(&Published { created: Timestamp(1_500_000), message }, handover).unwrap()
    }

    #[test]
    fn an_event_has_the_ids_as_they_are_and_the_message_as_it_was_written() {
        let json = r#"{"userId":"7","accountId":"acme|7","sessionId":"s","_type":"a","price":1.10,"big":12345678901234567890123}"#;
        let ids = r#"{"accountId":"acme|7","userId":7,"sessionId":"s","messageId":"m","type":"a","created":1.500000"#;
        assert_eq!(event(json, Handover::Ids).detail(), format!("{ids}}}"));
        let message = json.replace('}', r#","messageId":"m"}"#);
        assert_eq!(event(json, Handover::Message).detail(), format!(r#"{ids},"message":{message}}}"#));
        let bare = event(r#"{"userId":"auth0|5f7c","_type":7}"#, Handover::Ids).detail();
        assert_eq!(bare, r#"{"userId":"auth0|5f7c","messageId":"m","created":1.500000}"#);
    }

    #[test]
    fn only_the_largest_messages_are_told_of_without_themselves() {
        let of_size = |bytes: usize, id: &str| {
            let head = format!(r#"{{"userId":7,"messageId":"{id}","a":""#);
            event(&format!("{head}{}\"}}", "x".repeat(bytes - head.len() - 2)), Handover::Message)
        };
        let usual = of_size(MAX_MESSAGE_BYTES, "m");
        assert!(usual.has_message() && entry_bytes(&usual.detail()) <= MAX_CALL_BYTES);
        // The longest ids, of which those of the path are in the event twice.
        let control = "\u{1}".repeat(256);
        let path = Target {
            account: Some(AccountId::parse(&"\u{10348}".repeat(128)).unwrap()),
            user: Some(UserId::parse(&"\u{10348}".repeat(128)).unwrap()),
            session: Some(SessionId::parse(control.as_str()).unwrap()),
        };
        let escaped = text_json(&control);
        let head = format!(r#"{{"messageId":{escaped},"_type":{escaped},"a":""#);
        let of_size = |bytes: usize| {
            let json = format!("{head}{}\"}}", "x".repeat(bytes - head.len() - 2));
            let message = Message::parse(json.as_bytes(), &path, || panic!("it has an id")).unwrap();
            Unreached::new(&Published { created: Timestamp(1), message }, Handover::Message).unwrap()
        };
        let largest = of_size(MAX_MESSAGE_BYTES);
        assert!(!largest.has_message() && entry_bytes(&largest.detail()) < 10_000);
        assert!(of_size(MAX_MESSAGE_BYTES - 10_000).has_message());
    }

    #[test]
    fn what_is_handed_on_is_read_again() {
        let large = format!(r#"{{"userId":1,"text":"{}"}}"#, "x".repeat(200_000));
        let events: Vec<(usize, Unreached)> = (0..9)
            .map(|n| {
                (
                    n,
                    if n % 2 == 0 {
                        event(&large, Handover::Message)
                    } else {
                        event(r#"{"userId":2}"#, Handover::Ids)
                    },
                )
            })
            .collect();
        let handed_on = hand_on("e\"nv", 3, &events);
        assert!(handed_on.len() > 1);
        let messages: Vec<usize> = handed_on.iter().flat_map(|event| event.messages.clone()).collect();
        assert_eq!(messages, (0..9).collect::<Vec<_>>());
        let mut details = Vec::new();
        for HandOn { json, .. } in &handed_on {
            assert!(json.len() <= 1_000_000 && HandedOnEvents::is_one(json));
            let read = HandedOnEvents::parse(json, "e\"nv").unwrap();
            assert_eq!(read.depth, 3);
            details.extend(read.events.iter().map(Unreached::detail));
        }
        assert_eq!(details, events.iter().map(|(_, event)| event.detail()).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_foreign_or_malformed_is_refused() {
        let good = hand_on("env", 0, &[(0, event(r#"{"userId":2}"#, Handover::Message))]).remove(0).json;
        assert!(HandedOnEvents::parse(&good, "env").is_ok());
        for (from, to) in [
            (r#""version":1"#, r#""version":2"#),
            (r#""env":"env""#, r#""env":"other""#),
            (r#""depth":0"#, r#""depth":13"#),
            (r#""messageId":"m","created""#, r#""created""#),
            (r#""events":[{"#, r#""events":[],"more":[{"#),
            ("}}]}}", r#"}}]},"more":1}"#),
        ] {
            assert!(good.contains(from), "{from} in {good}");
            assert!(HandedOnEvents::parse(&good.replacen(from, to, 1), "env").is_err(), "{to}");
        }
        assert!(!HandedOnEvents::is_one(r#"{"text":"sqs-browser-events/unreached"}"#));
    }
}
