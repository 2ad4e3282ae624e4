//! Session and message ids: any short text.

use super::string;
use crate::Invalid;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;

const RULE: &str = "must be a string of 1 to 256 characters";
const MAX_CHARS: usize = 256;

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
                let valid = (1..=MAX_CHARS).contains(&text.chars().count());
                if valid { Ok(Self(text)) } else { Err(Invalid::new($field, RULE)) }
            }

            /// Reads the id from a field of a message, which must be a JSON string.
            pub fn from_json(value: &RawValue) -> Result<Self, Invalid> {
                string(value.get()).ok_or(Invalid::new($field, RULE)).and_then(Self::parse)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_are_counted_in_characters() {
        assert!(SessionId::parse("é".repeat(256)).is_ok());
        assert!(SessionId::parse("e".repeat(257)).is_err());
        for json in ["null", "7", "[]", "\"\""] {
            let raw = RawValue::from_string(json.to_owned()).unwrap();
            assert!(SessionId::from_json(&raw).is_err(), "{json}");
        }
    }
}
