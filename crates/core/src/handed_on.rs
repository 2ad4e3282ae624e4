//! What a dispatcher hands on to another invocation of itself: messages, and whom to look up for them.
//!
//! ```json
//! {"sqs-browser-events/handed-on":{"version":1,"env":"prod","depth":1,"lookups":["all"],
//!  "part":{"lookup":"all","segments":{"from":0,"to":8,"total":40}},
//!  "messages":[{"created":1.5,"message":{"messageId":"m"}}]}}
//! ```

use crate::{
    Invalid,
    history::Timestamp,
    message::{Message, Published, is_object_with},
    part::Part,
    payload::{HistoryMessage, MAX_DEPTH, groups},
    route::{Lookup, Router},
    version::{Unreadable, VERSION, Version},
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Lambda takes asynchronous events of up to 1 MB.
const MAX_EVENT_BYTES: usize = 1_000_000;

/// Room for all but messages and lookups.
const ENVELOPE_BYTES: usize = 8_192;

/// The name of the event's only field, which no message has by chance.
const FIELD: &str = "sqs-browser-events/handed-on";

/// A part of a lookup that another invocation is to carry out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandedOn<'a> {
    version: Version,
    #[serde(borrow)]
    env: Cow<'a, str>,
    /// How many invocations have handed on before.
    pub depth: u32,
    /// The lookups of the whole batch that decide who delivers, sorted.
    pub lookups: Vec<Lookup>,
    /// What is to be read.
    pub part: Part,
    /// The messages that the part may have to deliver.
    #[serde(borrow)]
    messages: Vec<HistoryMessage<'a>>,
    /// Those of them, by index, that are handed over should the part find nobody either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event<'a> {
    #[serde(borrow, rename = "sqs-browser-events/handed-on")]
    handed_on: HandedOn<'a>,
}

/// An event that is ready to be sent.
#[derive(Debug)]
pub struct HandOn {
    /// Its JSON text.
    pub json: String,
    /// The indexes, in the batch, of the messages in it.
    pub messages: Vec<usize>,
}

/// The events by which others carry `part` out for the messages of a batch that need it: one, unless the
/// messages are too large for one. `waiting` are those for which nobody was found so far.
pub fn hand_on(
    env: &str,
    depth: u32,
    router: &Router,
    messages: &[Published],
    part: &Part,
    waiting: &[usize],
) -> Vec<HandOn> {
    let lookups = router.deciding(&part.lookup);
    let lookups_json = serde_json::to_string(&lookups).expect("lookups are always JSON");
    let room = MAX_EVENT_BYTES.saturating_sub(ENVELOPE_BYTES + lookups_json.len());
    let needing = router.needing(&part.lookup);
    let texts: Vec<String> = needing.iter().map(|index| dated(&messages[*index])).collect();
    let sizes: Vec<usize> = texts.iter().map(String::len).collect();
    let part_json = serde_json::to_string(part).expect("a part is always JSON");
    let env = crate::message::text_json(env);
    let event = |range: std::ops::Range<usize>| HandOn {
        json: format!(
            r#"{{"{FIELD}":{{"version":{VERSION},"env":{env},"depth":{depth},"lookups":{lookups_json},"part":{part_json},"messages":[{}]{}}}}}"#,
            texts[range.clone()].join(","),
            waiting_field(&needing[range.clone()], waiting),
        ),
        messages: needing[range].to_vec(),
    };
    groups(&sizes, room).into_iter().map(event).collect()
}

/// The field that says which of `messages` wait, by their place among them.
fn waiting_field(messages: &[usize], waiting: &[usize]) -> String {
    let places = (0..messages.len()).filter(|place| waiting.contains(&messages[*place]));
    let places: Vec<String> = places.map(|place| place.to_string()).collect();
    if places.is_empty() { String::new() } else { format!(r#","waiting":[{}]"#, places.join(",")) }
}

/// A message with its time, as JSON.
fn dated(Published { created, message }: &Published) -> String {
    format!(r#"{{"created":{created},"message":{}}}"#, message.json())
}

impl<'a> HandedOn<'a> {
    /// Whether an event says that it was handed on.
    pub fn is_one(json: &str) -> bool {
        is_object_with(json, FIELD)
    }

    /// Reads an event of the environment `env`.
    ///
    /// # Errors
    /// When it is not as [`hand_on`] makes it: a later release's, another program's or another environment's.
    pub fn parse(json: &'a str, env: &str) -> Result<Self, Unreadable> {
        let malformed = |rule| Invalid::new(FIELD, rule);
        let event: Event<'a> = serde_json::from_str(json).map_err(|_| {
            Unreadable::of(json, malformed("must be an event that a dispatcher has handed on"))
        })?;
        let handed_on = event.handed_on;
        if handed_on.env != env {
            return Err(malformed("must be of this environment").into());
        }
        let is_valid = handed_on.part.is_valid()
            && handed_on.lookups.is_sorted()
            && handed_on.lookups.contains(&handed_on.part.lookup)
            && handed_on.depth <= MAX_DEPTH
            && !handed_on.messages.is_empty()
            && handed_on.waiting.iter().all(|index| *index < handed_on.messages.len());
        is_valid.then_some(handed_on).ok_or(malformed("must be consistent in itself").into())
    }

    /// Its messages with their times.
    ///
    /// # Errors
    /// When one of them is none.
    pub fn messages(&self) -> Result<Vec<Published>, Invalid> {
        let read = |dated: &HistoryMessage<'_>| {
            let created = Timestamp::parse("created", dated.created.get())?;
            Ok(Published { created, message: Message::reread(dated.message.get())? })
        };
        self.messages.iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{AccountId, MessageId},
        part::Segments,
        target::Target,
    };

    fn message(json: &str) -> Published {
        let id = || MessageId::parse("m").unwrap();
        let message = Message::parse(json.as_bytes(), &Target::EVERYONE, id).unwrap();
        Published { created: Timestamp(1_500_000), message }
    }

    fn router(messages: &[Published]) -> Router {
        Router::new(messages.iter().map(|published| &published.message))
    }

    fn everyone() -> Part {
        Part::everyone(Segments::for_sessions(None))
    }

    #[test]
    fn what_is_handed_on_is_read_again() {
        let messages = [message(r#"{"a":1}"#), message(r#"{"accountId":1}"#), message(r#"{"b":1.10}"#)];
        let events = hand_on("e\"nv", 3, &router(&messages), &messages, &everyone(), &[2]);
        assert_eq!((events.len(), &events[0].messages[..]), (1, &[0, 2][..]));
        assert!(HandedOn::is_one(&events[0].json));
        let read = HandedOn::parse(&events[0].json, "e\"nv").unwrap();
        assert_eq!((read.depth, &read.part, &read.lookups[..]), (3, &everyone(), &[Lookup::All][..]));
        assert_eq!(read.messages().unwrap(), [messages[0].clone(), messages[2].clone()]);
        assert_eq!(read.waiting, [1], "the second of the two");
    }

    #[test]
    fn an_event_has_room_for_messages_and_lookups_or_is_several() {
        let large = || message(&format!(r#"{{"accountId":1,"text":"{}"}}"#, "x".repeat(250_000)));
        let session = |n| message(&format!(r#"{{"accountId":1,"sessionId":"{n:0>256}"}}"#));
        let messages: Vec<_> = (0..6).map(|_| large()).chain((0..400).map(session)).collect();
        let account = Part::of(Lookup::Account(AccountId::from(1)));
        let events = hand_on("env", 0, &router(&messages), &messages, &account, &[]);
        let handed_on: Vec<usize> = events.iter().flat_map(|event| event.messages.clone()).collect();
        assert_eq!(handed_on, [0, 1, 2, 3, 4, 5]);
        assert!(events.len() > 1);
        for event in &events {
            assert!(event.json.len() <= MAX_EVENT_BYTES);
            assert_eq!(HandedOn::parse(&event.json, "env").unwrap().lookups.len(), 401);
        }
    }

    #[test]
    fn what_is_foreign_or_malformed_is_refused() {
        let messages = [message("{}")];
        let good = hand_on("env", 0, &router(&messages), &messages, &everyone(), &[0]).remove(0).json;
        assert!(HandedOn::parse(&good, "env").is_ok());
        for (from, to) in [
            (r#""version":1"#, r#""version":2"#),
            (r#""env":"env""#, r#""env":"other""#),
            (r#""depth":0"#, r#""depth":13"#),
            (r#""lookups":["all"]"#, r#""lookups":[]"#),
            (r#""from":0"#, r#""from":9"#),
            (r#""messages":[{"#, r#""messages":[],"more":[{"#),
            (r#""waiting":[0]"#, r#""waiting":[1]"#),
            ("]}}", r#"]},"more":1}"#),
        ] {
            assert!(good.contains(from), "{from}");
            assert!(HandedOn::parse(&good.replace(from, to), "env").is_err(), "{to}");
        }
        for message in [r#"{"text":"sqs-browser-events/handed-on"}"#, r#"[{"a":1}]"#, "[{}]", "7"] {
            assert!(!HandedOn::is_one(message), "{message}");
        }
        let without_id = good.replace(r#""messageId":"m""#, r#""n":1"#);
        assert!(HandedOn::parse(&without_id, "env").unwrap().messages().is_err());
    }
}
