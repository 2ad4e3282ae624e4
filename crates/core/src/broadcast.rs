//! Which messages may go to everyone: those that mean it.
//!
//! `docs/PROTOCOL.md`: "A message without keys is for every session."

use crate::{
    Invalid,
    id::{AccountId, SessionId, UserId},
    message::Message,
    target::Target,
};

/// Present (with any value but `false` and `null`): a message without routing keys is meant for everyone.
pub const EVERYONE: &str = "_everyone";

/// Which messages without routing keys are taken for broadcasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Broadcasts {
    /// All.
    #[default]
    Open,
    /// Those with the field `_everyone`.
    Marked,
}

impl Broadcasts {
    /// Reads the deployment's setting, `open` or `marked`.
    ///
    /// ```
    /// use sbe_core::broadcast::Broadcasts;
    /// assert_eq!(Broadcasts::parse("marked"), Some(Broadcasts::Marked));
    /// assert_eq!(Broadcasts::parse("closed"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "open" => Some(Self::Open),
            "marked" => Some(Self::Marked),
            _ => None,
        }
    }

    /// The message, unless it is a broadcast that this setting refuses.
    ///
    /// Asked when a message is published, never when it is read again: what was accepted stays accepted.
    ///
    /// # Errors
    /// Naming `_everyone`.
    pub fn admit(self, message: Message) -> Result<Message, Invalid> {
        let is_refused =
            self == Self::Marked && *message.target() == Target::EVERYONE && !message.is_for_everyone();
        if is_refused {
            return Err(Invalid::new(
                EVERYONE,
                "must be in a message without accountId, userId and sessionId",
            ));
        }
        Ok(message)
    }
}

/// Refuses a field that differs from a routing key only in case, `_` or `-`.
pub(crate) fn no_mistaken_key<'a>(mut names: impl Iterator<Item = &'a str>) -> Result<(), Invalid> {
    match names.find_map(|name| Some((name, mistaken_for(name)?))) {
        Some((name, key)) => Err(Invalid::new(
            name,
            format!("is not a routing key: did you mean {key}? A broadcast with this field needs {EVERYONE}"),
        )),
        None => Ok(()),
    }
}

fn mistaken_for(name: &str) -> Option<&'static str> {
    let bare = |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase();
    let name = bare(name);
    [AccountId::FIELD, UserId::FIELD, SessionId::FIELD].into_iter().find(|key| bare(key) == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::MessageId;

    fn parse(json: &str) -> Result<Message, Invalid> {
        Message::parse(json.as_bytes(), &Target::EVERYONE, || MessageId::parse("m").unwrap())
    }

    #[test]
    fn a_mistaken_key_is_refused_with_both_names() {
        for (name, key) in [
            ("user_id", "userId"),
            ("userid", "userId"),
            ("AccountID", "accountId"),
            ("session-id", "sessionId"),
            ("_USER_ID_", "userId"),
        ] {
            let error = parse(&format!(r#"{{"text":1,"{name}":7}}"#)).unwrap_err().to_string();
            let expected = format!(
                "{name} is not a routing key: did you mean {key}? A broadcast with this field needs _everyone"
            );
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn what_cannot_be_a_mistake_is_accepted() {
        for json in [
            r#"{"user_id":7,"_everyone":1}"#,
            r#"{"user_id":7,"userId":8}"#,
            r#"{"data":{"user_id":7}}"#,
            r#"{"users":7,"id":7,"user id":7}"#,
        ] {
            assert!(parse(json).is_ok(), "{json}");
        }
        let path = Target { account: Some(AccountId::from(1)), ..Target::EVERYONE };
        let id = || MessageId::parse("m").unwrap();
        assert!(Message::parse(br#"{"user_id":7}"#, &path, id).is_ok());
    }

    #[test]
    fn everyone_is_meant_or_not_and_widens_nothing() {
        for value in ["false", "null"] {
            assert_eq!(parse(&format!(r#"{{"_everyone":{value}}}"#)).unwrap_err().field(), EVERYONE);
        }
        let narrow = parse(r#"{"_everyone":true,"userId":7}"#).unwrap();
        assert_eq!(narrow.target().user, Some(UserId::from(7)));
    }

    #[test]
    fn the_setting_is_asked_of_broadcasts_only() {
        for (json, marked) in [
            ("{}", false),
            (r#"{"_everyone":true}"#, true),
            (r#"{"_everyone":""}"#, true),
            (r#"{"userId":7}"#, true),
        ] {
            assert!(Broadcasts::Open.admit(parse(json).unwrap()).is_ok(), "{json}");
            assert_eq!(Broadcasts::Marked.admit(parse(json).unwrap()).is_ok(), marked, "{json}");
        }
    }

    #[test]
    fn what_was_accepted_before_is_read_again() {
        for json in [r#"{"user_id":7,"messageId":"m"}"#, r#"{"_everyone":null,"messageId":"m"}"#] {
            assert!(Message::reread(json).is_ok(), "{json}");
        }
    }
}
