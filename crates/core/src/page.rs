//! What all lists have in common: the size of a page, and the token of the next one.

use crate::Invalid;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

/// The page size when `limit` is absent.
pub const DEFAULT_LIMIT: usize = 100;

/// The largest page.
pub const MAX_LIMIT: usize = 1000;

/// Reads the query parameter `limit`.
///
/// ```
/// use sbe_core::page::limit;
/// assert_eq!(limit(None), Ok(100));
/// assert_eq!(limit(Some("0")).unwrap_err().to_string(), "limit must be an integer from 1 to 1000");
/// ```
pub fn limit(parameter: Option<&str>) -> Result<usize, Invalid> {
    let Some(text) = parameter else { return Ok(DEFAULT_LIMIT) };
    let within = |limit: &usize| (1..=MAX_LIMIT).contains(limit);
    text.parse().ok().filter(within).ok_or(Invalid::new("limit", "must be an integer from 1 to 1000"))
}

/// How many entries to ask for, when `found` of the `read` ones are wanted: one more than are missing
/// tells whether there is a next page; and at least as many as were passed over so far, so that a long
/// stretch of what is not wanted takes few calls.
pub fn to_read(limit: usize, found: usize, read: usize) -> usize {
    (limit + 1).saturating_sub(found).max(read.saturating_sub(found)).max(1)
}

/// A place in a list as the opaque text that a page gives as `next`.
pub(crate) fn to_token(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).expect("a place is always JSON"))
}

/// Reads the text that a page gave as `next`.
pub(crate) fn from_token<T: DeserializeOwned>(token: &str) -> Result<T, Invalid> {
    let json = URL_SAFE_NO_PAD.decode(token).ok();
    json.and_then(|json| serde_json::from_slice(&json).ok()).ok_or(not_a_token())
}

/// The error about a `next` that no page gave.
pub(crate) fn not_a_token() -> Invalid {
    Invalid::new("next", "must be the value of `next` in the page before")
}
