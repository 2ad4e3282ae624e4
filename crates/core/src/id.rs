//! Account, user, session and message ids as validated newtypes.
//!
//! `docs/PROTOCOL.md`: "`accountId` and `userId` are 64-bit signed integers; a string of digits is
//! taken as the integer it spells. `sessionId` is a string of 1 to 256 characters."

use crate::Invalid;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;

const INTEGER_RULE: &str = "must be an integer from -9223372036854775808 to 9223372036854775807";
const TEXT_RULE: &str = "must be a string of 1 to 256 characters";
const MAX_TEXT_CHARS: usize = 256;

macro_rules! integer_id {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// The name of this id in messages, paths and tables.
            pub const FIELD: &'static str = $field;

            /// Reads the id from a path or query parameter.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                parse_integer(text).map(Self).ok_or(Invalid::new($field, INTEGER_RULE))
            }

            /// Reads the id from a field of a message: a JSON integer, or a string that spells one.
            pub fn from_json(value: &RawValue) -> Result<Self, Invalid> {
                let text = value.get();
                let spelled = if text.starts_with('"') { string(text) } else { Some(text.to_owned()) };
                Self::parse(&spelled.ok_or(Invalid::new($field, INTEGER_RULE))?)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

integer_id!(
    /// The account that a session was created under.
    ///
    /// ```
    /// use sbe_core::id::AccountId;
    /// assert_eq!(AccountId::parse("-12"), Ok(AccountId(-12)));
    /// assert_eq!(
    ///     AccountId::parse("12.0").unwrap_err().to_string(),
    ///     "accountId must be an integer from -9223372036854775808 to 9223372036854775807"
    /// );
    /// ```
    AccountId,
    "accountId"
);

integer_id!(
    /// The user that a session may belong to; the key of a history.
    ///
    /// ```
    /// use sbe_core::id::UserId;
    /// assert_eq!(UserId::parse("7"), Ok(UserId(7)));
    /// assert!(UserId::parse("").is_err());
    /// ```
    UserId,
    "userId"
);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name of this id in messages, paths and tables.
            pub const FIELD: &'static str = $field;

            /// Takes the id from a path parameter, after percent-decoding.
            pub fn parse(text: impl Into<String>) -> Result<Self, Invalid> {
                let text = text.into();
                let valid = (1..=MAX_TEXT_CHARS).contains(&text.chars().count());
                if valid { Ok(Self(text)) } else { Err(Invalid::new($field, TEXT_RULE)) }
            }

            /// Reads the id from a field of a message, which must be a JSON string.
            pub fn from_json(value: &RawValue) -> Result<Self, Invalid> {
                string(value.get()).ok_or(Invalid::new($field, TEXT_RULE)).and_then(Self::parse)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

text_id!(
    /// A browser session, unique within its account.
    ///
    /// ```
    /// use sbe_core::id::SessionId;
    /// assert_eq!(SessionId::parse("tab-1").unwrap().as_str(), "tab-1");
    /// assert_eq!(
    ///     SessionId::parse("").unwrap_err().to_string(),
    ///     "sessionId must be a string of 1 to 256 characters"
    /// );
    /// ```
    SessionId,
    "sessionId"
);

text_id!(
    /// A message; the key by which browsers drop duplicates and users mark messages read.
    MessageId,
    "messageId"
);

/// The integer that `text` spells: an optional minus sign and decimal digits, nothing else.
fn parse_integer(text: &str) -> Option<i64> {
    // `i64::from_str` would also take a plus sign, which JSON does not.
    if text.starts_with('+') { None } else { text.parse().ok() }
}

/// The content of a JSON string, or `None` for any other JSON value.
fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn integers_and_integer_strings_are_ids() {
        for (json, id) in [
            ("5", 5),
            ("\"5\"", 5),
            ("-9", -9),
            ("9223372036854775807", i64::MAX),
            ("\"-9223372036854775808\"", i64::MIN),
        ] {
            assert_eq!(UserId::from_json(&raw(json)), Ok(UserId(id)), "{json}");
        }
    }

    #[test]
    fn anything_else_is_not_an_integer_id() {
        for json in [
            "null",
            "true",
            "1.0",
            "1e3",
            "[1]",
            "{}",
            "\"\"",
            "\" 5\"",
            "\"+5\"",
            "\"5.0\"",
            "9223372036854775808",
        ] {
            let error = UserId::from_json(&raw(json)).unwrap_err();
            assert_eq!(error.field(), "userId", "{json}");
        }
    }

    #[test]
    fn session_ids_are_counted_in_characters() {
        assert!(SessionId::parse("é".repeat(256)).is_ok());
        assert!(SessionId::parse("e".repeat(257)).is_err());
        for json in ["null", "7", "[]", "\"\""] {
            assert!(SessionId::from_json(&raw(json)).is_err(), "{json}");
        }
    }
}
