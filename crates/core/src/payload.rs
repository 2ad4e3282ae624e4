//! What the dispatcher hands to the sender and to the history, cut to size.
//!
//! A payload holds each message once, then entries that name messages by their index in it:
//!
//! ```json
//! {"version":1,"messages":[{"a":1}],"published":[1500],"deliveries":[{"sqsUrl":"…","aesKey":"…","messages":[0]}]}
//! {"version":1,"messages":[{"created":1.5,"message":{"a":1}}],"users":[{"userId":7,"messages":[0]}]}
//! ```
//!
//! Messages are cut into consecutive groups small enough that each payload has room for many
//! entries. Within a payload a session's messages keep their order; between the payloads of two
//! groups there is none, because Lambda runs them at the same time.

use crate::{
    history::Timestamp,
    id::{MessageId, UserId},
    message::{Message, text_json},
    recipient::Recipient,
    version::{VERSION, Version},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt::Write as _, ops::Range};

/// Payloads stay below this: a larger asynchronous invocation is billed in steps of 64 KiB.
pub const MAX_PAYLOAD_BYTES: usize = 256 * 1024;

/// Half of a payload for messages leaves the other half for entries: the split that needs the
/// fewest invocations when both are many.
const MAX_GROUP_BYTES: usize = MAX_PAYLOAD_BYTES / 2;

/// Room for the brackets and field names around messages and entries.
const ENVELOPE_BYTES: usize = 80;

/// Room for the time at which a message was published, and a comma.
const PUBLISHED_BYTES: usize = 21;

/// The sender's input.
#[derive(Deserialize, Serialize)]
pub struct SendPayload<'a> {
    /// Its form.
    #[serde(default)]
    pub version: Version,
    /// The messages' JSON text.
    #[serde(borrow)]
    pub messages: Vec<&'a RawValue>,
    /// When each of them was published, in epoch milliseconds. Earlier payloads do not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<i64>,
    /// Which session gets which of them.
    #[serde(borrow)]
    pub deliveries: Vec<Delivery<'a>>,
    /// How many invocations have handed this on before.
    #[serde(default)]
    pub depth: u32,
}

/// The messages for one session.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery<'a> {
    /// The session's queue.
    #[serde(borrow)]
    pub sqs_url: Cow<'a, str>,
    /// The base64 of the key of the session's frames.
    #[serde(borrow)]
    pub aes_key: Cow<'a, str>,
    /// Indexes into [`SendPayload::messages`], in the order of sending.
    pub messages: Vec<usize>,
}

/// A function hands what it had no time for to itself at most so often, well below the 16 invocations at
/// which Lambda takes it for a loop.
pub const MAX_DEPTH: u32 = 12;

/// The `depth` in a payload that is handed on for the `times`th time. Beyond [`MAX_DEPTH`] it is parked,
/// and has all of its tries again when a person replays it.
///
/// ```
/// use sbe_core::payload::{MAX_DEPTH, depth};
/// assert_eq!((depth(MAX_DEPTH), depth(MAX_DEPTH + 1)), (MAX_DEPTH, 0));
/// ```
pub fn depth(times: u32) -> u32 {
    if times > MAX_DEPTH { 0 } else { times }
}

/// The history's input: messages for users' histories.
#[derive(Deserialize, Serialize)]
pub struct HistoryPayload<'a> {
    /// Its form.
    #[serde(default)]
    pub version: Version,
    /// The messages with their time.
    #[serde(borrow)]
    pub messages: Vec<HistoryMessage<'a>>,
    /// Whose history gets which of them.
    pub users: Vec<HistoryUser>,
    /// How many invocations have handed this on before.
    #[serde(default)]
    pub depth: u32,
}

/// A message for histories.
#[derive(Clone, Deserialize, Serialize)]
pub struct HistoryMessage<'a> {
    /// When it was published, in epoch seconds.
    #[serde(borrow)]
    pub created: &'a RawValue,
    /// The message's JSON text.
    #[serde(borrow)]
    pub message: &'a RawValue,
}

/// The messages for one user's history.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryUser {
    /// The user.
    pub user_id: UserId,
    /// Indexes into [`HistoryPayload::messages`].
    pub messages: Vec<usize>,
}

/// What a user has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Read {
    /// The messages with these ids.
    #[serde(rename = "read")]
    Listed(Vec<MessageId>),
    /// Everything published up to this moment, which is in microseconds.
    AsOf(Timestamp),
}

/// The history's other input: what a user has read.
///
/// ```
/// use sbe_core::payload::{Read, ReceiptPayload};
/// let json = r#"{"version":1,"userId":7,"asOf":1500000,"call":"c","depth":0}"#;
/// let payload: ReceiptPayload = serde_json::from_str(json).unwrap();
/// assert!(matches!(payload.read, Read::AsOf(_)));
/// assert_eq!(payload.to_json(), json);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptPayload {
    /// Its form.
    #[serde(default)]
    pub version: Version,
    /// Who read it.
    pub user_id: UserId,
    /// What was read.
    #[serde(flatten)]
    pub read: Read,
    /// The call that says so: what it has marked is told, also if that is seen by another invocation.
    pub call: String,
    /// How many invocations have handed this on before.
    #[serde(default)]
    pub depth: u32,
}

impl ReceiptPayload {
    /// A part of the receipt, of the same user and call.
    #[must_use]
    pub fn part(&self, read: Read, depth: u32) -> Self {
        Self { read, depth, ..self.clone() }
    }

    /// The payload's JSON text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a receipt payload is always JSON")
    }
}

/// A payload that is ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// Its JSON text.
    pub json: String,
    /// The indexes, in the batch, of the messages in it.
    pub messages: Vec<usize>,
}

/// Cuts entries into payloads as they come: memory holds one open payload for each message group,
/// however many entries there are.
#[derive(Debug)]
pub struct PayloadCutter {
    entries_field: &'static str,
    /// When each message of the batch was published, in epoch milliseconds, where payloads say it apart.
    published: Vec<i64>,
    groups: Vec<Group>,
}

impl PayloadCutter {
    /// Payloads for the sender; `published` gives each message's time.
    pub fn deliveries<'a>(
        messages: impl IntoIterator<Item = &'a Message>,
        published: impl Fn(usize) -> Timestamp,
    ) -> Self {
        let texts: Vec<String> = messages.into_iter().map(|message| message.json().to_owned()).collect();
        let published = (0..texts.len()).map(|index| published(index).0 / 1000).collect();
        Self { published, ..Self::new("deliveries", texts) }
    }

    /// Payloads for the history; `created` gives each message's time.
    pub fn users<'a>(
        messages: impl IntoIterator<Item = &'a Message>,
        created: impl Fn(usize) -> Timestamp,
    ) -> Self {
        let element = |(index, message): (usize, &Message)| {
            format!(r#"{{"created":{},"message":{}}}"#, created(index), message.json())
        };
        Self::new("users", messages.into_iter().enumerate().map(element).collect())
    }

    fn new(entries_field: &'static str, messages: Vec<String>) -> Self {
        let sizes: Vec<usize> = messages.iter().map(String::len).collect();
        let mut messages = messages.into_iter();
        let groups = groups(&sizes, MAX_GROUP_BYTES)
            .into_iter()
            .map(|range| Group::new(range.start, messages.by_ref().take(range.len()).collect()))
            .collect();
        Self { entries_field, published: Vec::new(), groups }
    }

    /// Adds a session's messages; gives the payloads that this filled.
    pub fn push_recipient(&mut self, recipient: &Recipient, indexes: &[usize]) -> Vec<Payload> {
        let (url, key) = (text_json(&recipient.sqs_url), text_json(&recipient.aes_key));
        self.push(&["{\"sqsUrl\":", &url, ",\"aesKey\":", &key, ",\"messages\":["].concat(), indexes)
    }

    /// Adds messages for a user's history; gives the payloads that this filled.
    pub fn push_user(&mut self, user: &UserId, indexes: &[usize]) -> Vec<Payload> {
        self.push(&["{\"userId\":", &user.to_json(), ",\"messages\":["].concat(), indexes)
    }

    fn push(&mut self, head: &str, indexes: &[usize]) -> Vec<Payload> {
        let (field, published) = (self.entries_field, &self.published);
        let for_group = |group: &mut Group| {
            let start = indexes.partition_point(|index| *index < group.range.start);
            let end = indexes.partition_point(|index| *index < group.range.end);
            group.push(field, published, head, &indexes[start..end])
        };
        self.groups.iter_mut().filter_map(for_group).collect()
    }

    /// Closes the payloads that are open.
    pub fn flush(&mut self) -> Vec<Payload> {
        let (field, published) = (self.entries_field, &self.published);
        self.groups.iter_mut().filter_map(|group| group.take(field, published)).collect()
    }
}

/// Consecutive texts of at most `max` bytes together, with a comma each, or one that is larger by itself.
pub(crate) fn groups(sizes: &[usize], max: usize) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (index, size) in sizes.iter().enumerate() {
        bytes += size + 1;
        match groups.last_mut() {
            Some(group) if bytes <= max => group.end = index + 1,
            _ => {
                groups.push(index..index + 1);
                bytes = size + 1;
            }
        }
    }
    groups
}

/// A message group and the payload that is open for it.
#[derive(Debug)]
struct Group {
    range: Range<usize>,
    messages: Vec<String>,
    /// Where each message stands in the open payload, if it is in it.
    places: Vec<Option<usize>>,
    included: Vec<usize>,
    messages_json: String,
    entries_json: String,
}

impl Group {
    fn new(start: usize, messages: Vec<String>) -> Self {
        Self {
            range: start..start + messages.len(),
            places: vec![None; messages.len()],
            messages,
            included: Vec::new(),
            messages_json: String::new(),
            entries_json: String::new(),
        }
    }

    fn push(&mut self, field: &str, published: &[i64], head: &str, indexes: &[usize]) -> Option<Payload> {
        if indexes.is_empty() {
            return None;
        }
        let full = self.size_with(head, indexes) > MAX_PAYLOAD_BYTES;
        let filled = if full { self.take(field, published) } else { None };
        self.append(head, indexes);
        filled
    }

    /// An upper bound of the open payload's size with one more entry.
    fn size_with(&self, head: &str, indexes: &[usize]) -> usize {
        let missing = indexes.iter().map(|index| index - self.range.start);
        let added: usize = missing
            .filter(|local| self.places[*local].is_none())
            .map(|local| self.messages[local].len() + 1 + PUBLISHED_BYTES)
            .sum();
        let published = self.included.len() * PUBLISHED_BYTES;
        let digits = self.messages.len().to_string().len() + 1;
        let entry = head.len() + indexes.len() * digits + 3;
        ENVELOPE_BYTES + self.messages_json.len() + published + self.entries_json.len() + added + entry
    }

    fn append(&mut self, head: &str, indexes: &[usize]) {
        separate(&mut self.entries_json, '\0');
        self.entries_json.push_str(head);
        for index in indexes {
            let place = self.place(index - self.range.start);
            separate(&mut self.entries_json, '[');
            let _ = write!(self.entries_json, "{place}"); // writing to a String cannot fail
        }
        self.entries_json.push_str("]}");
    }

    /// The place of a message in the open payload, which it joins if it is not yet in it.
    fn place(&mut self, local: usize) -> usize {
        *self.places[local].get_or_insert_with(|| {
            separate(&mut self.messages_json, '\0');
            self.messages_json.push_str(&self.messages[local]);
            self.included.push(self.range.start + local);
            self.included.len() - 1
        })
    }

    /// Closes the open payload, if it has entries, and opens the next.
    fn take(&mut self, field: &str, published: &[i64]) -> Option<Payload> {
        if self.entries_json.is_empty() {
            return None;
        }
        let published = self.published(published);
        let (messages, entries) = (&self.messages_json, &self.entries_json);
        let json =
            format!(r#"{{"version":{VERSION},"messages":[{messages}],{published}"{field}":[{entries}]}}"#);
        self.messages_json.clear();
        self.entries_json.clear();
        self.places.fill(None);
        Some(Payload { json, messages: std::mem::take(&mut self.included) })
    }

    /// The field with the times of the messages in the open payload, where they are given.
    fn published(&self, all: &[i64]) -> String {
        if all.is_empty() {
            return String::new();
        }
        let times: Vec<String> = self.included.iter().map(|index| all[*index].to_string()).collect();
        format!(r#""published":[{}],"#, times.join(","))
    }
}

/// A comma between elements: none at the start of the text or after `opening`.
fn separate(text: &mut String, opening: char) {
    if !text.is_empty() && !text.ends_with(opening) {
        text.push(',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{AccountId, SessionId},
        target::Target,
    };
    use proptest::prelude::*;

    fn message(index: usize, bytes: usize) -> Message {
        let json = format!(r#"{{"n":{index},"pad":"{}"}}"#, "x".repeat(bytes));
        Message::parse(json.as_bytes(), &Target::EVERYONE, || MessageId::parse("m").unwrap()).unwrap()
    }

    /// The message's number as milliseconds.
    fn published(index: usize) -> Timestamp {
        Timestamp(i64::try_from(index).unwrap() * 1000)
    }

    fn recipient(index: usize) -> Recipient {
        Recipient {
            account_id: AccountId::from(1),
            session_id: SessionId::parse("s").unwrap(),
            user_id: None,
            sqs_url: format!("https://sqs.eu-west-1.amazonaws.com/123456789012/queue-{index}"),
            aes_key: "LkWUsGQKi8E9QoMJEeY1HLL8rdJNJr3fzDp+F9CpkCY=".into(),
            ttl: 0,
        }
    }

    /// Every (session, message) of the payloads, in the order in which they came.
    fn deliveries(payloads: &[Payload]) -> Vec<(String, u64)> {
        let mut all = Vec::new();
        for payload in payloads {
            let parsed: SendPayload<'_> = serde_json::from_str(&payload.json).unwrap();
            let number = |place: usize| {
                let message: serde_json::Value = serde_json::from_str(parsed.messages[place].get()).unwrap();
                message["n"].as_u64().unwrap()
            };
            for delivery in &parsed.deliveries {
                all.extend(
                    delivery.messages.iter().map(|place| (delivery.sqs_url.to_string(), number(*place))),
                );
            }
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn every_delivery_is_in_one_payload_in_order_and_below_the_limit(
            sizes in prop::collection::vec(0usize..60_000, 1..12),
            wanted in prop::collection::vec(prop::collection::btree_set(0usize..12, 0..12), 0..300),
        ) {
            let messages: Vec<Message> = sizes.iter().enumerate().map(|(i, size)| message(i, *size)).collect();
            let mut cutter = PayloadCutter::deliveries(&messages, published);
            let (mut payloads, mut expected) = (Vec::new(), Vec::new());
            for (index, set) in wanted.iter().enumerate() {
                let indexes: Vec<usize> = set.iter().copied().filter(|i| *i < messages.len()).collect();
                let session = recipient(index);
                expected.extend(indexes.iter().map(|i| (session.sqs_url.clone(), *i as u64)));
                payloads.extend(cutter.push_recipient(&session, &indexes));
            }
            payloads.extend(cutter.flush());
            for payload in &payloads {
                prop_assert!(payload.json.len() <= MAX_PAYLOAD_BYTES);
                prop_assert!(!payload.messages.is_empty());
            }
            let mut found = deliveries(&payloads);
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_session_finds_its_messages_of_one_group_in_order() {
        let messages: Vec<Message> = (0..20).map(|index| message(index, 1000)).collect();
        let mut cutter = PayloadCutter::deliveries(&messages, published);
        assert!(cutter.push_recipient(&recipient(0), &[3, 7]).is_empty());
        assert!(cutter.push_recipient(&recipient(1), &[0, 3, 19]).is_empty());
        let payloads = cutter.flush();
        assert_eq!(payloads.len(), 1);
        assert_eq!(payloads[0].messages, [3, 7, 0, 19]);
        let parsed: SendPayload<'_> = serde_json::from_str(&payloads[0].json).unwrap();
        assert_eq!(parsed.published, [3, 7, 0, 19], "each message has its time beside it");
        let order: Vec<u64> = deliveries(&payloads).into_iter().map(|(_, number)| number).collect();
        assert_eq!(order, [3, 7, 0, 3, 19]);
    }

    #[test]
    fn twenty_messages_to_ten_thousand_sessions_are_at_most_twelve_payloads() {
        let messages: Vec<Message> = (0..20).map(|index| message(index, 1000)).collect();
        let all: Vec<usize> = (0..20).collect();
        let mut cutter = PayloadCutter::deliveries(&messages, published);
        let filled = (0..10_000).map(|index| cutter.push_recipient(&recipient(index), &all).len());
        assert!(filled.sum::<usize>() + cutter.flush().len() <= 12);
    }

    #[test]
    fn the_largest_message_fits() {
        let messages = [message(0, crate::message::MAX_MESSAGE_BYTES - 20)];
        let mut cutter = PayloadCutter::deliveries(&messages, published);
        cutter.push_recipient(&recipient(0), &[0]);
        assert!(cutter.flush()[0].json.len() <= MAX_PAYLOAD_BYTES);
    }

    #[test]
    fn a_history_payload_carries_times_and_users() {
        let messages = [message(0, 1)];
        let mut cutter = PayloadCutter::users(&messages, |_| Timestamp(1_500_000));
        cutter.push_user(&UserId::from(7), &[0]);
        let payload = cutter.flush().remove(0);
        let parsed: HistoryPayload<'_> = serde_json::from_str(&payload.json).unwrap();
        assert_eq!(parsed.messages[0].created.get(), "1.500000");
        assert_eq!(parsed.messages[0].message.get(), messages[0].json());
        assert_eq!(
            (parsed.users[0].user_id.clone(), &parsed.users[0].messages[..]),
            (UserId::from(7), &[0][..])
        );
    }
}
