//! Account, user, session and message ids as validated newtypes.
//!
//! `docs/PROTOCOL.md`: "`accountId` and `userId` are 64-bit signed integers, or strings of 1 to 128
//! characters without control characters. A string that is exactly the decimal text of such an
//! integer is that integer."
//!
//! # Layout
//!
//! - `value`: what account and user ids have in common
//! - `text`: session and message ids

mod text;
mod value;

pub use text::{MessageId, SessionId};

use crate::Invalid;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;
use value::{RULE, Value};

macro_rules! integer_or_text_id {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Value);

        impl $name {
            /// The name of this id in messages, paths and tables.
            pub const FIELD: &'static str = $field;

            /// Reads the id from a path parameter, after percent-decoding, or from a table.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                Value::parse(text).map(Self).ok_or(Invalid::new($field, RULE))
            }

            /// Reads the id from a field of a message: a JSON integer or a JSON string.
            pub fn from_json(value: &RawValue) -> Result<Self, Invalid> {
                Value::from_json(value.get()).map(Self).ok_or(Invalid::new($field, RULE))
            }

            /// The id as JSON text: a number for an integer, a string for a string.
            pub fn to_json(&self) -> String {
                self.0.to_json()
            }

            /// The integer that the id is, unless it is a string.
            pub fn as_integer(&self) -> Option<i64> {
                self.0.as_integer()
            }
        }

        /// The canonical text, by which tables know the id: [`Self::parse`] reads it.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<i64> for $name {
            fn from(integer: i64) -> Self {
                Self(Value::Integer(integer))
            }
        }
    };
}

integer_or_text_id!(
    /// The account that a session was created under.
    ///
    /// ```
    /// use sbe_core::id::AccountId;
    /// assert_eq!(AccountId::parse("-12"), Ok(AccountId::from(-12)));
    /// assert_ne!(AccountId::parse("-12.0"), Ok(AccountId::from(-12)));
    /// assert_eq!(
    ///     AccountId::parse("").unwrap_err().to_string(),
    ///     "accountId must be an integer from -9223372036854775808 to 9223372036854775807, \
    ///      or a string of 1 to 128 characters without control characters"
    /// );
    /// ```
    AccountId,
    "accountId"
);

integer_or_text_id!(
    /// The user that a session may belong to. It alone is the key of a history, so that it must be
    /// unique in an environment, not only in an account; ids such as `acme:7` can make it so.
    ///
    /// ```
    /// use sbe_core::id::UserId;
    /// assert_eq!(UserId::parse("7").unwrap().to_json(), "7");
    /// assert_eq!(UserId::parse("auth0|5f7c").unwrap().to_json(), "\"auth0|5f7c\"");
    /// assert!(UserId::parse("\n").is_err());
    /// ```
    UserId,
    "userId"
);

/// The content of a JSON string, or `None` for any other JSON value.
fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

#[cfg(test)]
mod tests;
