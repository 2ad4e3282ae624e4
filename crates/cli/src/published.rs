//! Messages before they are published: given an id, so that a call that is repeated publishes nothing twice.

use sbe_core::{
    id::{AccountId, MessageId, SessionId, UserId},
    message::{Fields, MAX_MESSAGE_BYTES, ObjectWriter, text_json},
    target::Target,
};
use serde_json::value::RawValue;
use uuid::Uuid;

/// Ids that no other run gives: a random prefix and a number.
#[derive(Debug, Clone)]
pub struct Ids {
    prefix: String,
}

impl Ids {
    /// Ids with this prefix, or with a random one.
    pub fn new(prefix: Option<String>) -> Self {
        Self { prefix: prefix.unwrap_or_else(|| Uuid::new_v4().simple().to_string()) }
    }

    /// What they begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The id with a number.
    pub fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.prefix)
    }
}

/// A message, or a list of them, each with the keys of `target` in place of its own and with an id. What is
/// neither stays as it is, for the API to refuse.
pub fn with_ids(text: &str, target: &Target) -> String {
    let ids = Ids::new(None);
    let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(text) else {
        return with_id(text, target, &ids.id(1));
    };
    let messages = (1..).zip(list).map(|(number, message)| with_id(message.get(), target, &ids.id(number)));
    format!("[{}]", messages.collect::<Vec<_>>().join(","))
}

/// A message with the keys of `target` in place of its own, and with this id if it has none.
fn with_id(message: &str, target: &Target, id: &str) -> String {
    let Ok(fields) = serde_json::from_str::<Fields<'_>>(message) else { return message.to_owned() };
    let keys = [
        (AccountId::FIELD, target.account.as_ref().map(AccountId::to_json)),
        (UserId::FIELD, target.user.as_ref().map(UserId::to_json)),
        (SessionId::FIELD, target.session.as_ref().map(|id| text_json(id.as_str()))),
    ];
    let is_replaced = |name: &str| keys.iter().any(|(key, value)| *key == name && value.is_some());
    let mut written = ObjectWriter::default();
    for (name, value) in fields.iter().filter(|(name, _)| !is_replaced(name)) {
        written.add(name, value.get());
    }
    for (key, value) in &keys {
        if let Some(value) = value {
            written.add(key, value);
        }
    }
    let has_id = fields.iter().any(|(name, _)| name == MessageId::FIELD);
    let id = text_json(id);
    // The largest message has no room for an id.
    if !has_id && message.len() + id.len() + MessageId::FIELD.len() + 4 <= MAX_MESSAGE_BYTES {
        written.add(MessageId::FIELD, &id);
    }
    written.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> Target {
        Target { user: Some(UserId::from(7)), ..Target::EVERYONE }
    }

    #[test]
    fn a_message_without_an_id_is_given_one() {
        let message = with_id(r#"{"z":1.10,"userId":null}"#, &user(), "x-1");
        assert_eq!(message, r#"{"z":1.10,"userId":7,"messageId":"x-1"}"#);
        let message = with_id(r#"{"messageId":"mine","n":12345678901234567890}"#, &Target::EVERYONE, "x-1");
        assert_eq!(message, r#"{"messageId":"mine","n":12345678901234567890}"#);
    }

    #[test]
    fn each_of_a_list_has_an_id_of_its_own() {
        let list = with_ids(r#"[{"n":1},{"n":2},7]"#, &Target::EVERYONE);
        let messages: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
        assert_ne!(messages[0]["messageId"], messages[1]["messageId"]);
        assert!(messages[0]["messageId"].is_string());
        assert_eq!(messages[2], 7, "for the API to refuse");
        assert_eq!(with_ids("no JSON", &user()), "no JSON");
    }

    #[test]
    fn the_largest_message_stays_as_it_is() {
        let largest = format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_MESSAGE_BYTES - 8));
        assert_eq!(with_ids(&largest, &Target::EVERYONE), largest);
    }
}
