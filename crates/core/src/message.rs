//! A published message, its text kept byte for byte.
//!
//! `docs/PROTOCOL.md`: "A message is a JSON object of at most 256,000 bytes in UTF-8. What the system
//! does not need to change it does not touch: large integers, floats, nesting, Unicode and the order of
//! keys are kept."

use crate::{
    Invalid,
    broadcast::{EVERYONE, no_mistaken_key},
    history::Timestamp,
    id::{AccountId, MessageId, SessionId, UserId},
    offline::{Handover, OFFLINE},
    target::Target,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::{borrow::Cow, fmt};

/// The largest message, in bytes of JSON text as it was published.
pub const MAX_MESSAGE_BYTES: usize = 256_000;

/// The most messages that one HTTP call or direct invocation may publish.
pub const MAX_MESSAGES_PER_CALL: usize = 500;

/// Present (with any value): the message is sent to queues but kept in no history.
pub const SQS_ONLY: &str = "_sqs_only";

/// The application's own type of a message, by which a history can be filtered.
pub const TYPE: &str = "_type";

/// A message ready to be routed and sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    id: MessageId,
    target: Target,
    kind: Option<String>,
    sqs_only: bool,
    offline: Option<Handover>,
    for_everyone: bool,
    json: String,
}

impl Message {
    /// Reads a published message.
    ///
    /// `path` holds the keys given by an HTTP path: they replace keys of the message. `default_id`
    /// is called when the message brings no `messageId`.
    ///
    /// Errors name the field: a routing key that is present but malformed refuses the message, so
    /// that a mistake never widens its audience. So does a field that looks like a routing key in a
    /// message without any, unless the message has `_everyone`.
    ///
    /// ```
    /// use sbe_core::{id::MessageId, message::Message, target::Target};
    /// let id = || MessageId::parse("m1").unwrap();
    /// let message = Message::parse(br#"{"userId":7,"price":1.10}"#, &Target::EVERYONE, id).unwrap();
    /// assert_eq!(message.json(), r#"{"userId":7,"price":1.10,"messageId":"m1"}"#);
    ///
    /// let error = Message::parse(br#"{"userId":null}"#, &Target::EVERYONE, id).unwrap_err();
    /// assert!(error.to_string().starts_with("userId must be an integer"));
    /// ```
    pub fn parse(
        json: &[u8],
        path: &Target,
        default_id: impl FnOnce() -> MessageId,
    ) -> Result<Self, Invalid> {
        if json.len() > MAX_MESSAGE_BYTES {
            return Err(Invalid::new("message", "must be at most 256000 bytes of JSON"));
        }
        let fields: Fields<'_> = serde_json::from_slice(json)
            .map_err(|_| Invalid::new("message", "must be a JSON object in UTF-8"))?;
        let message = Self::from_fields(&fields, path, default_id)?;
        if fields.get(EVERYONE)?.is_some_and(|value| matches!(value.get(), "false" | "null")) {
            return Err(Invalid::new(EVERYONE, "must not be false or null"));
        }
        if message.target == Target::EVERYONE && !message.for_everyone {
            no_mistaken_key(fields.names())?;
        }
        Ok(message)
    }

    /// Reads a message that was parsed before, from its [`json`](Self::json).
    pub fn reread(json: &str) -> Result<Self, Invalid> {
        let fields: Fields<'_> =
            serde_json::from_str(json).map_err(|_| Invalid::new("message", "must be a JSON object"))?;
        let missing = Invalid::new(MessageId::FIELD, "must be in a message that was parsed before");
        let id = fields.get(MessageId::FIELD)?.ok_or(missing).and_then(MessageId::from_json)?;
        Self::from_fields(&fields, &Target::EVERYONE, || id)
    }

    fn from_fields(
        fields: &Fields<'_>,
        path: &Target,
        default_id: impl FnOnce() -> MessageId,
    ) -> Result<Self, Invalid> {
        // A key that the path gives is not read from the message: it is replaced.
        let own = |name, given: bool| if given { Ok(None) } else { fields.get(name) };
        let own_target = Target {
            account: own(AccountId::FIELD, path.account.is_some())?.map(AccountId::from_json).transpose()?,
            user: own(UserId::FIELD, path.user.is_some())?.map(UserId::from_json).transpose()?,
            session: own(SessionId::FIELD, path.session.is_some())?.map(SessionId::from_json).transpose()?,
        };
        let own_id = fields.get(MessageId::FIELD)?.map(MessageId::from_json).transpose()?;
        let added_id = own_id.is_none().then(default_id);
        Ok(Self {
            target: own_target.overridden_by(path),
            kind: fields.get(TYPE)?.and_then(kind),
            sqs_only: fields.get(SQS_ONLY)?.is_some(),
            offline: fields.get(OFFLINE)?.map(Handover::of),
            for_everyone: fields.get(EVERYONE)?.is_some(),
            json: fields.with_additions(path, added_id.as_ref()),
            id: own_id.or(added_id).expect("a message has its own id or was just given one"),
        })
    }

    /// The message's own id, or the one it was given.
    pub fn id(&self) -> &MessageId {
        &self.id
    }

    /// Whom the message is for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The field `_type`, if it is a string of up to 256 characters.
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// Whether the message asked to be kept in no history.
    pub fn sqs_only(&self) -> bool {
        self.sqs_only
    }

    /// What the message asks to be handed over when nobody is there, if anything.
    pub fn offline(&self) -> Option<Handover> {
        self.offline
    }

    /// Whether the message says that it is meant for everyone, should it have no routing keys.
    pub fn is_for_everyone(&self) -> bool {
        self.for_everyone
    }

    /// The JSON text that browsers receive.
    pub fn json(&self) -> &str {
        &self.json
    }
}

/// A message and when it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The message.
    pub message: Message,
    /// When it was published: histories are ordered by it.
    pub created: Timestamp,
}

/// `Debug` shows the id only: messages are never logged.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The `messageId` in a message's text, whatever else may be wrong with it; `None` if it has none that is
/// valid.
///
/// ```
/// use sbe_core::message::id_in;
/// assert_eq!(id_in(br#"{"userId":null,"messageId":"m"}"#).unwrap().as_str(), "m");
/// assert!(id_in(br#"{"messageId":7}"#).is_none() && id_in(b"[]").is_none());
/// ```
pub fn id_in(json: &[u8]) -> Option<MessageId> {
    #[derive(serde::Deserialize)]
    struct Named<'a> {
        #[serde(borrow, rename = "messageId")]
        id: &'a RawValue,
    }
    // Serde would take the elements of an array for the fields.
    let is_object = json.trim_ascii_start().starts_with(b"{");
    let named: Named<'_> = is_object.then(|| serde_json::from_slice(json).ok()).flatten()?;
    MessageId::from_json(named.id).ok()
}

/// The id of a message that brings none: base64url (no padding) of the SHA-256 of `parts`.
///
/// From Kinesis the part is the record's eventID, which a replay repeats, so that a replayed event
/// has the same id.
///
/// ```
/// let id = sbe_core::message::derived_id(["shardId-000000000000:1"]);
/// assert_eq!(id.as_str(), "QI_kk8Y7CkbnG7VrulxwY_pub01CM0zC8C2L2PNrVn8");
/// ```
pub fn derived_id<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> MessageId {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let text = URL_SAFE_NO_PAD.encode(hash.finalize());
    MessageId::parse(text).expect("43 characters are a valid id")
}

/// A `_type` that histories can be filtered by: a string of up to 256 characters.
fn kind(value: &RawValue) -> Option<String> {
    let kind: String = serde_json::from_str(value.get()).ok()?;
    (kind.chars().count() <= 256).then_some(kind)
}

/// A JSON object of string fields, as HTTP query parameters become a message.
pub fn object_of_strings<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut object = ObjectWriter::default();
    for (name, value) in fields {
        object.add(name, &text_json(value));
    }
    object.finish()
}

/// The fields of a JSON object: their order and the text of their values are kept.
///
/// ```
/// use sbe_core::message::Fields;
/// let fields: Fields<'_> = serde_json::from_str(r#"{"z":1.10,"a":12345678901234567890}"#).unwrap();
/// let texts: Vec<_> = fields.iter().map(|(name, value)| (name, value.get())).collect();
/// assert_eq!(texts, [("z", "1.10"), ("a", "12345678901234567890")]);
/// ```
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// The names and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    /// The names, in their order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    /// The value of a field that this system reads; given twice, it would be ambiguous.
    pub fn get(&self, name: &str) -> Result<Option<&'a RawValue>, Invalid> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| *value);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Invalid::new(name, "must be given only once")),
            (value, None) => Ok(value),
        }
    }

    /// The object's text with the keys of `path` in place of its own, and `id` if there is one.
    fn with_additions(&self, path: &Target, id: Option<&MessageId>) -> String {
        let additions = [
            (AccountId::FIELD, path.account.as_ref().map(AccountId::to_json)),
            (UserId::FIELD, path.user.as_ref().map(UserId::to_json)),
            (SessionId::FIELD, path.session.as_ref().map(|id| text_json(id.as_str()))),
            (MessageId::FIELD, id.map(|id| text_json(id.as_str()))),
        ];
        let replaced = |key: &str| additions.iter().any(|(name, value)| *name == key && value.is_some());
        let mut object = ObjectWriter::default();
        for (key, value) in self.0.iter().filter(|(key, _)| !replaced(key)) {
            object.add(key, value.get());
        }
        for (name, value) in additions {
            if let Some(value) = value {
                object.add(name, &value);
            }
        }
        object.finish()
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    fields.push((key, value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// A key, borrowed from the text where it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Writes a JSON object field by field, from values that are JSON already.
#[derive(Debug, Default)]
pub struct ObjectWriter {
    text: String,
}

impl ObjectWriter {
    /// Adds a field; `json` is its value's JSON text.
    pub fn add(&mut self, name: &str, json: &str) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        self.text.push_str(&text_json(name));
        self.text.push(':');
        self.text.push_str(json);
    }

    /// The whole object.
    pub fn finish(mut self) -> String {
        self.text.push_str(if self.text.is_empty() { "{}" } else { "}" });
        self.text
    }
}

/// A text as a JSON string.
pub fn text_json(text: &str) -> String {
    serde_json::to_string(text).expect("a string is always JSON")
}

/// Whether a JSON text is an object with a field of this name. Serde's own structs take arrays as well.
pub(crate) fn is_object_with(json: &str, name: &str) -> bool {
    serde_json::from_str::<Fields<'_>>(json).is_ok_and(|fields| fields.0.iter().any(|(key, _)| key == name))
}

/// The fields of a JSON object with their values' text, for those who add fields of their own.
pub(crate) fn merged(json: &str, own: &[(&str, String)]) -> Result<String, serde_json::Error> {
    let fields: Fields<'_> = serde_json::from_str(json)?;
    let mut object = ObjectWriter::default();
    for (key, value) in fields.0.iter().filter(|(key, _)| !own.iter().any(|(name, _)| name == key)) {
        object.add(key, value.get());
    }
    for (name, value) in own {
        object.add(name, value);
    }
    Ok(object.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn default_id() -> MessageId {
        MessageId::parse("given").unwrap()
    }

    fn parse(json: &str) -> Result<Message, Invalid> {
        Message::parse(json.as_bytes(), &Target::EVERYONE, default_id)
    }

    #[test]
    fn values_pass_through_as_they_were_written() {
        let text = r#"{"z":12345678901234567890123,"a":1.10,"e":1E+400,"n":{"b":[null,{"c":"\u00e9 é"}]},"s":"a\/b","messageId":"m"}"#;
        assert_eq!(parse(text).unwrap().json(), text);
    }

    #[test]
    fn an_object_without_an_id_is_given_one_at_its_end() {
        assert_eq!(parse("{}").unwrap().json(), r#"{"messageId":"given"}"#);
        assert_eq!(parse(r#" {"a" : 1 } "#).unwrap().json(), r#"{"a":1,"messageId":"given"}"#);
    }

    #[test]
    fn keys_of_the_path_win_and_are_typed() {
        let path = Target {
            account: Some(AccountId::from(1)),
            session: Some(SessionId::parse("a\"b").unwrap()),
            ..Target::EVERYONE
        };
        // The path replaces even a malformed key.
        let message = Message::parse(br#"{"accountId":null,"x":1,"userId":"3"}"#, &path, default_id).unwrap();
        assert_eq!(
            message.json(),
            r#"{"x":1,"userId":"3","accountId":1,"sessionId":"a\"b","messageId":"given"}"#
        );
        assert_eq!(message.target(), &Target { user: Some(UserId::from(3)), ..path });
    }

    #[test]
    fn malformed_messages_name_the_field() {
        for (json, field) in [
            ("", "message"),
            ("[]", "message"),
            ("null", "message"),
            ("\"text\"", "message"),
            ("{", "message"),
            ("{} {}", "message"),
            (r#"{"userId":null}"#, "userId"),
            (r#"{"userId":1.5}"#, "userId"),
            (r#"{"userId":"a\u0000"}"#, "userId"),
            (r#"{"accountId":""}"#, "accountId"),
            (r#"{"sessionId":5}"#, "sessionId"),
            (r#"{"sessionId":""}"#, "sessionId"),
            (r#"{"messageId":5}"#, "messageId"),
            (r#"{"userId":1,"userId":2}"#, "userId"),
            (r#"{"\u0075serId":1,"userId":1}"#, "userId"),
        ] {
            assert_eq!(parse(json).unwrap_err().field(), field, "{json}");
        }
        assert_eq!(
            Message::parse(b"{\"a\":\"\xff\"}", &Target::EVERYONE, default_id).unwrap_err().field(),
            "message"
        );
    }

    #[test]
    fn the_limit_is_on_the_text_as_published() {
        let of_size = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
        assert!(parse(&of_size(MAX_MESSAGE_BYTES)).is_ok());
        assert!(parse(&of_size(MAX_MESSAGE_BYTES + 1)).is_err());
    }

    #[test]
    fn a_message_is_the_same_when_read_again() {
        let message = parse(r#"{"_type":"a","userId":"5","x":1.50}"#).unwrap();
        assert_eq!(Message::reread(message.json()), Ok(message));
        assert_eq!(Message::reread("{}").unwrap_err().field(), "messageId");
    }

    #[test]
    fn type_and_sqs_only_are_read() {
        let message = parse(r#"{"_type":"news","_sqs_only":false}"#).unwrap();
        assert_eq!((message.kind(), message.sqs_only()), (Some("news"), true));
        let message = parse(r#"{"_type":7}"#).unwrap();
        assert_eq!((message.kind(), message.sqs_only()), (None, false));
    }

    proptest! {
        #[test]
        fn a_malformed_key_is_never_taken_for_an_absent_one(
            key in prop::sample::select(vec!["accountId", "userId", "sessionId"]),
            value in "null|true|-?(0|[1-9][0-9]{0,24})\\.[0-9]{1,3}|\"[a-z ]{0,5}\"|\\[\\]|\\{\\}|[1-9][0-9]{19,29}",
        ) {
            let target = match parse(&format!(r#"{{"{key}":{value}}}"#)) {
                Ok(message) => message.target().clone(),
                Err(error) => { prop_assert_eq!(error.field(), key); return Ok(()); }
            };
            prop_assert_ne!(target, Target::EVERYONE);
        }

        #[test]
        fn fields_keep_their_order_and_text(
            fields in prop::collection::vec(("[a-z]{1,8}", any::<f64>().prop_filter("finite", |f| f.is_finite())), 0..8),
        ) {
            let mut object = ObjectWriter::default();
            for (name, value) in &fields {
                object.add(name, &value.to_string());
            }
            object.add("messageId", "\"m\"");
            let text = object.finish();
            let message = parse(&text).unwrap();
            prop_assert_eq!(message.json(), text);
        }
    }
}
