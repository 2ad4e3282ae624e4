//! The message as it is to be published: changed, and checked by the rules that the dispatcher has.

use sbe_core::{
    Invalid,
    broadcast::Broadcasts,
    envelope,
    handed_on::HandedOn,
    id::MessageId,
    message::{Fields, MAX_MESSAGE_BYTES, Message, ObjectWriter},
    target::Target,
    unreached::HandedOnEvents,
};
use std::str::FromStr;

/// A field and what it is to be: JSON, or else a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    name: String,
    json: String,
}

impl FromStr for Setting {
    type Err = String;

    /// ```
    /// use sbe_cli::commands::rejected::correct::Setting;
    /// assert_eq!("userId=7".parse::<Setting>(), "userId= 7 ".parse());
    /// assert_eq!("text=a b".parse::<Setting>(), "text=\"a b\"".parse());
    /// assert!("userId".parse::<Setting>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("must be FIELD=VALUE")?;
        let is_json = serde_json::from_str::<&serde_json::value::RawValue>(value).is_ok();
        let json = if is_json { value.trim().to_owned() } else { sbe_core::message::text_json(value) };
        Ok(Self { name: name.to_owned(), json })
    }
}

/// The message with fields set and left out; everything else keeps its text and its place.
pub fn changed(message: &[u8], set: &[Setting], unset: &[String]) -> Result<String, Invalid> {
    let fields: Fields<'_> = serde_json::from_slice(message).map_err(|_| {
        Invalid::new("message", "must be a JSON object in UTF-8 for fields to be set: use --edit")
    })?;
    let setting = |name: &str| set.iter().find(|setting| setting.name == name);
    let mut written = ObjectWriter::default();
    for (name, value) in fields.iter().filter(|(name, _)| !unset.iter().any(|unset| unset == name)) {
        if setting(name).is_none() {
            written.add(name, value.get());
        }
    }
    for setting in set {
        written.add(&setting.name, &setting.json);
    }
    Ok(written.finish())
}

/// The message with an id, if it may be published.
///
/// # Errors
/// Also where a message would go to everyone without the field `_everyone`, whatever the deployment allows:
/// correcting a message never widens its audience by mistake. What only looks like a message (an event, or
/// work that functions hand to each other) has no routing keys and would go to everyone.
pub fn checked(text: &[u8], default_id: impl FnOnce() -> MessageId) -> Result<Message, Invalid> {
    if let Ok(text) = std::str::from_utf8(text) {
        let is_work = HandedOn::is_one(text) || HandedOnEvents::is_one(text);
        if is_work || envelope::records(text)?.is_some() {
            return Err(Invalid::new("message", "must be one message, and not work or an event: drop it"));
        }
    }
    let message = Broadcasts::Marked.admit(Message::parse(text, &Target::EVERYONE, default_id)?)?;
    if message.json().len() > MAX_MESSAGE_BYTES {
        return Err(Invalid::new("message", "must be at most 256000 bytes of JSON, its messageId included"));
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> MessageId {
        MessageId::parse("given").unwrap()
    }

    fn json(text: &str) -> Result<String, String> {
        let message = checked(text.as_bytes(), id).map_err(|invalid| invalid.to_string())?;
        Ok(message.json().to_owned())
    }

    #[test]
    fn fields_are_changed_and_others_keep_their_text() {
        let set = ["userId=7".parse().unwrap(), "text=hi".parse().unwrap()];
        let message = br#"{"z":1.10,"userId":null,"n":12345678901234567890123,"user_id":7}"#;
        let changed = changed(message, &set, &["user_id".into()]).unwrap();
        assert_eq!(changed, r#"{"z":1.10,"n":12345678901234567890123,"userId":7,"text":"hi"}"#);
        assert_eq!(json(&changed).unwrap(), changed.replace('}', r#","messageId":"given"}"#));
    }

    #[test]
    fn what_is_no_message_is_not_changed() {
        assert!(changed(b"[1]", &[], &[]).is_err());
        assert!(changed(b"\xff", &[], &[]).is_err());
    }

    #[test]
    fn nothing_goes_to_everyone_by_mistake() {
        assert!(json("{}").unwrap_err().contains("_everyone"));
        assert!(json(r#"{"_everyone":true}"#).is_ok());
        assert!(json(r#"{"Records":[{"userId":7}],"_everyone":1}"#).is_err());
        assert!(json(r#"{"Records":[{"userId":7}]}"#).is_err());
        assert!(json(r#"{"userId":null}"#).unwrap_err().starts_with("userId must be"));
    }

    #[test]
    fn the_id_counts_too() {
        let largest = format!(r#"{{"userId":7,"a":"{}"}}"#, "x".repeat(MAX_MESSAGE_BYTES - 19));
        assert_eq!(largest.len(), MAX_MESSAGE_BYTES);
        assert!(json(&largest).unwrap_err().contains("messageId"));
    }
}
