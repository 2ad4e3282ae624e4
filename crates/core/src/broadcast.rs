//! Broadcasts on purpose: what a message without routing keys must be like to be for everyone.
//!
//! `docs/PROTOCOL.md`: "A mistake never widens the audience."

use crate::{
    Invalid,
    id::{AccountId, SessionId, UserId},
    message::{EVERYONE, Message},
    target::Target,
};
use std::str::FromStr;

/// A field's name is repeated in an error up to so many characters.
const MAX_NAME_CHARS: usize = 64;

/// The deployment's rule for messages without routing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Broadcasts {
    /// They are for everyone.
    #[default]
    Open,
    /// They are for everyone if they have the field `_everyone`, and refused otherwise.
    Marked,
}

impl FromStr for Broadcasts {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "open" => Ok(Self::Open),
            "marked" => Ok(Self::Marked),
            _ => Err("must be `open` or `marked`"),
        }
    }
}

impl Broadcasts {
    /// Refuses a message that would be a broadcast and may not be one.
    ///
    /// ```
    /// use sbe_core::{broadcast::Broadcasts, id::MessageId, message::Message, target::Target};
    /// let id = || MessageId::parse("m").unwrap();
    /// let message = Message::parse(b"{}", &Target::EVERYONE, id).unwrap();
    /// assert!(Broadcasts::Open.check(&message).is_ok());
    /// assert_eq!(
    ///     Broadcasts::Marked.check(&message).unwrap_err().to_string(),
    ///     "_everyone must be in a message without accountId, userId or sessionId"
    /// );
    /// ```
    pub fn check(self, message: &Message) -> Result<(), Invalid> {
        if self == Self::Open || message.is_marked() || *message.target() != Target::EVERYONE {
            return Ok(());
        }
        Err(Invalid::new(EVERYONE, "must be in a message without accountId, userId or sessionId"))
    }
}

/// The error about a field of a broadcast that was meant for a routing key, if its name says so: it
/// differs from one only in case, `_` or `-`.
pub(crate) fn mistaken_key(name: &str) -> Option<Invalid> {
    let plain: String = name
        .chars()
        .filter(|char| !matches!(char, '_' | '-'))
        .map(|char| char.to_ascii_lowercase())
        .collect();
    let rule = match plain.as_str() {
        "accountid" => "must be written accountId, or _everyone be in the message: it would go to everyone",
        "userid" => "must be written userId, or _everyone be in the message: it would go to everyone",
        "sessionid" => "must be written sessionId, or _everyone be in the message: it would go to everyone",
        _ => return None,
    };
    let is_key = [AccountId::FIELD, UserId::FIELD, SessionId::FIELD].contains(&name);
    (!is_key).then(|| Invalid::new(name.chars().take(MAX_NAME_CHARS).collect::<String>(), rule))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::MessageId;

    fn parse(json: &str, path: &Target) -> Result<Message, Invalid> {
        Message::parse(json.as_bytes(), path, || MessageId::parse("m").unwrap())
    }

    #[test]
    fn a_field_that_looks_like_a_key_refuses_a_broadcast() {
        for name in ["user_id", "userid", "UserId", "USER-ID", "AccountID", "session-id", "_userId_"] {
            let error = parse(&format!(r#"{{"a":1,"{name}":7}}"#), &Target::EVERYONE).unwrap_err();
            assert_eq!(error.field(), name);
            assert!(error.rule().contains("_everyone"), "{error}");
        }
        for json in [
            r#"{"user_id":7,"_everyone":1}"#,
            r#"{"user_id":7,"userId":7}"#,
            r#"{"in":{"user_id":7}}"#,
            r#"{"user":7}"#,
        ] {
            assert!(parse(json, &Target::EVERYONE).is_ok(), "{json}");
        }
        let of_account = Target { account: Some(AccountId::from(1)), ..Target::EVERYONE };
        assert!(parse(r#"{"user_id":7}"#, &of_account).is_ok(), "the path says to whom");
    }

    #[test]
    fn a_long_name_is_cut() {
        let name = format!("user{}id", "_".repeat(1000));
        assert_eq!(mistaken_key(&name).unwrap().field().len(), MAX_NAME_CHARS);
    }

    #[test]
    fn what_was_accepted_is_read_again_whatever_the_rule_is_now() {
        let text = r#"{"user_id":7,"messageId":"m"}"#;
        assert_eq!(*Message::reread(text).unwrap().target(), Target::EVERYONE);
    }

    #[test]
    fn marked_broadcasts_are_for_everyone() {
        let check = |json: &str| Broadcasts::Marked.check(&parse(json, &Target::EVERYONE).unwrap());
        assert!(check(r#"{"_everyone":null}"#).is_ok());
        assert!(check(r#"{"userId":7}"#).is_ok());
        assert_eq!(check("{}").unwrap_err().field(), EVERYONE);
    }
}
