//! The form of what functions hand to each other, which is in its field `version`.
//!
//! Functions of two releases run side by side while a stack is updated or rolled back, and what is parked
//! waits for days: a release reads what the one before wrote, and leaves what a later one wrote for the later one.

use crate::{Invalid, message::Fields};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The version that this release writes, and the only one that it reads. What the sender and the history get has said
/// its version since version 1: without one it has the same form.
pub const VERSION: u32 = 1;

/// The field `version` of this release's payloads; a payload of another version does not parse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            VERSION => Ok(Self),
            _ => Err(D::Error::custom("another version")),
        }
    }
}

/// A payload of a later release. It must neither be taken for malformed nor carried out by half: the invocation
/// fails, so that it is tried again and, in the end, waits in the failed queue until that release is back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the payload has version {0}, which a later release reads; this one reads version {VERSION}")]
pub struct Later(String);

impl Later {
    /// What a payload that does not parse says of itself, in the object that is its field `mark` if it has one.
    ///
    /// ```
    /// use sbe_core::version::Later;
    /// let later = Later::of(r#"{"version":2,"sends":[]}"#, None).unwrap();
    /// assert!(later.to_string().starts_with("the payload has version 2"));
    /// assert_eq!(Later::of(r#"{"mark":{"version":2}}"#, Some("mark")), Some(later));
    /// assert_eq!(Later::of(r#"{"version":1,"messages":7}"#, None), None);
    /// assert!(Later::of(r#"{"version":4294967296}"#, None).is_some(), "however large it is");
    /// assert_eq!(Later::of(r#"{"version":1.5}"#, None), None);
    /// ```
    pub fn of(json: &str, mark: Option<&str>) -> Option<Self> {
        let fields: Fields<'_> = serde_json::from_str(json).ok()?;
        let version = match mark {
            Some(mark) => return Self::of(fields.get(mark).ok()??.get(), None),
            None => fields.get("version").ok()??,
        };
        is_later(version.get()).then(|| Self(version.get().to_owned()))
    }
}

/// Of the text of a JSON value. An integer that fits into no type is later, too.
fn is_later(version: &str) -> bool {
    version.bytes().all(|byte| byte.is_ascii_digit())
        && version.parse::<u32>().ok().is_none_or(|version| version > VERSION)
}

/// Why what another dispatcher has handed on is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// A later release made it.
    #[error(transparent)]
    Later(#[from] Later),
    /// No dispatcher of this environment made it.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl Unreadable {
    /// Why an event whose only field is that of `malformed` does not parse: a later release made it, or it is malformed.
    pub(crate) fn of(json: &str, malformed: Invalid) -> Self {
        match Later::of(json, Some(malformed.field())) {
            Some(later) => later.into(),
            None => malformed.into(),
        }
    }
}
