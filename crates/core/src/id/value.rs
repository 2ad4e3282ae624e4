//! What account and user ids have in common: an integer or a string, in one canonical form.

use super::string;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Unexpected, Visitor},
};
use std::{fmt, sync::Arc};

/// What an account or user id must be.
pub(super) const RULE: &str = "must be an integer from -9223372036854775808 to 9223372036854775807, \
                               or a string of 1 to 128 characters without control characters";

const MAX_CHARS: usize = 128;

/// An integer, or a string that is not the text of one: equal ids have equal values.
///
/// A string is shared, so that a clone costs no more than that of a pointer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Value {
    Integer(i64),
    Text(Arc<str>),
}

impl Value {
    /// Reads the text of an id, which may be that of an integer.
    pub(super) fn parse(text: &str) -> Option<Self> {
        integer(text).map(Self::Integer).or_else(|| is_valid(text).then(|| Self::Text(text.into())))
    }

    /// Reads a JSON value. A number must be an integer as JSON writes it, down to the sign: `-0` is
    /// none, since the string `"-0"` is not the text of 0.
    pub(super) fn from_json(json: &str) -> Option<Self> {
        if json.starts_with('"') { Self::parse(&string(json)?) } else { integer(json).map(Self::Integer) }
    }

    /// The JSON text: a number for an integer, a string for a string.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an integer or a string is always JSON")
    }

    pub(super) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            Self::Text(_) => None,
        }
    }
}

/// The integer whose decimal text is exactly `text`.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // What `i64::from_str` takes beyond that: a plus sign, leading zeros, -0.
    let is_canonical = digits.starts_with(|digit: char| ('1'..='9').contains(&digit)) || text == "0";
    if is_canonical { text.parse().ok() } else { None }
}

fn is_valid(text: &str) -> bool {
    // A text has no more characters than bytes, so that short ones need not be counted.
    let is_short = text.len() <= MAX_CHARS || text.chars().count() <= MAX_CHARS;
    // Nearly all ids are plain ASCII, which is faster to tell byte by byte.
    let is_plain = || text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    !text.is_empty() && is_short && (is_plain() || !text.contains(char::is_control))
}

/// The canonical text: the decimal integer, or the string itself.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => integer.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Integer(integer) => serializer.serialize_i64(*integer),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl Visitor<'_> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer, or a string of 1 to 128 characters without control characters")
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<Value, E> {
        Ok(Value::Integer(integer))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<Value, E> {
        let signed = i64::try_from(integer).map(Value::Integer);
        signed.map_err(|_| E::invalid_value(Unexpected::Other("a larger integer"), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Value::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Other("another string"), &self))
    }
}
