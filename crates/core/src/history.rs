//! The history of a user: entries, queries, pages.
//!
//! `docs/PROTOCOL.md`: "Each distinct user reached keeps the message once, however many sessions."
//! A history is shown newest first, with the time of publishing and whether the user has read it.

use crate::{
    Invalid,
    id::{MessageId, UserId},
    message::{merged, text_json},
    page,
};
use serde::{Deserialize, Serialize};
use std::fmt;

const TIME_RULE: &str = "must be epoch seconds, such as 1763800000 or 1763800000.25";
const MICROS: i64 = 1_000_000;

/// A moment, in microseconds since the epoch. Its text form is decimal seconds.
///
/// ```
/// use sbe_core::history::Timestamp;
/// assert_eq!(Timestamp::parse("start", "12.5").unwrap().to_string(), "12.500000");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Later than every moment that a history can hold.
    pub const MAX: Timestamp = Timestamp(9_999_999_999_999_999);

    /// Reads decimal epoch seconds with up to six fractional digits; more are cut off.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        Self::from_decimal(text).ok_or_else(|| Invalid::new(field, TIME_RULE))
    }

    fn from_decimal(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return None;
        }
        let micros: i64 = format!("{fraction:0<6}")[..6].parse().ok()?;
        let moment = whole.parse::<i64>().ok()?.checked_mul(MICROS)?.checked_add(micros)?;
        (moment <= Self::MAX.0).then_some(Self(moment))
    }

    /// The moment in whole epoch seconds.
    pub fn seconds(self) -> i64 {
        self.0 / MICROS
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / MICROS, self.0 % MICROS)
    }
}

/// A message in a user's history.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose history it is in.
    pub user: UserId,
    /// The message's id.
    pub id: MessageId,
    /// When it was published.
    pub created: Timestamp,
    /// Whether the user has read it.
    pub is_read: bool,
    /// The message's field `_type`, if it has one.
    pub kind: Option<String>,
    /// The message's JSON text.
    pub json: String,
    /// When it may be removed, in epoch seconds.
    pub ttl: i64,
}

impl Entry {
    /// The message as `/messages/user/{userId}` shows it: its own fields, with `messageId`,
    /// `userId`, `created` and `is_read` in place of any of those names.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        merged(
            &self.json,
            &[
                ("messageId", text_json(self.id.as_str())),
                ("userId", self.user.to_string()),
                ("created", self.created.to_string()),
                ("is_read", u8::from(self.is_read).to_string()),
            ],
        )
    }
}

/// `Debug` shows ids only: messages are never logged.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("user", &self.user).field("id", &self.id).finish_non_exhaustive()
    }
}

/// A request for a part of a user's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Whose history.
    pub user: UserId,
    /// Not before this moment.
    pub start: Timestamp,
    /// Not after this moment.
    pub end: Timestamp,
    /// Only messages of these types; empty means all.
    pub kinds: Vec<String>,
    /// At most this many.
    pub limit: usize,
    /// Only what comes after this place.
    pub after: Option<Position>,
}

impl Query {
    /// Reads the query parameters `start`, `end`, `_type`, `limit` and `next`.
    pub fn parse<'a>(user: UserId, parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Invalid> {
        let time = |name, default| parameter(name).map_or(Ok(default), |text| Timestamp::parse(name, text));
        let (start, end) = (time("start", Timestamp(0))?, time("end", Timestamp::MAX)?);
        if start > end {
            return Err(Invalid::new("start", "must not be after end"));
        }
        let after = parameter("next").map(Position::from_token).transpose()?;
        if after.as_ref().is_some_and(|position| !(start..=end).contains(&position.created())) {
            return Err(Invalid::new("next", "must be used with the start and end that it came with"));
        }
        Ok(Self {
            user,
            start,
            end,
            kinds: parameter("_type").map(kinds).transpose()?.unwrap_or_default(),
            limit: page::limit(parameter("limit"))?,
            after,
        })
    }

    /// Whether an entry belongs to the answer at `now` (epoch seconds); expired ones do not, though
    /// DynamoDB may keep them for days.
    pub fn wants(&self, entry: &Entry, now: i64) -> bool {
        let kind_wanted =
            self.kinds.is_empty() || entry.kind.as_ref().is_some_and(|kind| self.kinds.contains(kind));
        entry.ttl > now && (self.start..=self.end).contains(&entry.created) && kind_wanted
    }
}

fn kinds(text: &str) -> Result<Vec<String>, Invalid> {
    let kinds: Vec<String> = text.split(',').map(str::to_owned).collect();
    if kinds.iter().any(String::is_empty) {
        return Err(Invalid::new("_type", "must be a type, or several separated by commas"));
    }
    Ok(kinds)
}

/// A place in a history, newest first: after the entry with this time and id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    #[serde(rename = "c")]
    micros: i64,
    #[serde(rename = "m")]
    id: MessageId,
}

impl Position {
    /// The place after `entry`.
    pub fn after(entry: &Entry) -> Self {
        Self { micros: entry.created.0, id: entry.id.clone() }
    }

    /// When the entry before this place was published.
    pub fn created(&self) -> Timestamp {
        Timestamp(self.micros)
    }

    /// The id of the entry before this place.
    pub fn id(&self) -> &MessageId {
        &self.id
    }

    /// The opaque text that a page gives as `next`.
    pub fn to_token(&self) -> String {
        page::to_token(self)
    }

    fn from_token(token: &str) -> Result<Self, Invalid> {
        let position: Self = page::from_token(token)?;
        let in_range = (0..=Timestamp::MAX.0).contains(&position.micros);
        if in_range { Ok(position) } else { Err(page::not_a_token()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn entry(json: &str) -> Entry {
        Entry {
            user: UserId(7),
            id: MessageId::parse("m").unwrap(),
            created: Timestamp(1_763_800_000_000_001),
            is_read: true,
            kind: Some("news".into()),
            json: json.into(),
            ttl: 200,
        }
    }

    fn parse(parameters: &[(&str, &'static str)]) -> Result<Query, Invalid> {
        let map: HashMap<&str, &'static str> = parameters.iter().copied().collect();
        Query::parse(UserId(7), |name| map.get(name).copied())
    }

    #[test]
    fn our_fields_win_over_fields_of_the_message() {
        let json = entry(r#"{"created":"mine","a":1.0,"is_read":9,"userId":"x"}"#).to_json().unwrap();
        assert_eq!(json, r#"{"a":1.0,"messageId":"m","userId":7,"created":1763800000.000001,"is_read":1}"#);
    }

    #[test]
    fn parameters_have_defaults_and_rules() {
        let query = parse(&[]).unwrap();
        assert_eq!((query.start, query.end, query.limit), (Timestamp(0), Timestamp::MAX, 100));
        for (name, value) in [
            ("start", "x"),
            ("start", "-1"),
            ("start", "1e9"),
            ("start", "1."),
            ("start", "inf"),
            ("end", ""),
            ("end", "99999999999999999999"),
            ("limit", "0"),
            ("limit", "1001"),
            ("_type", "a,,b"),
            ("next", "?"),
            ("next", "e30"),
        ] {
            assert_eq!(parse(&[(name, value)]).unwrap_err().field(), name, "{name}={value}");
        }
        let turned = parse(&[("start", "2"), ("end", "1.5")]).unwrap_err();
        assert_eq!(turned.to_string(), "start must not be after end");
    }

    #[test]
    fn a_position_belongs_to_its_time() {
        let token: &'static str = Position::after(&entry("{}")).to_token().leak();
        assert!(parse(&[("next", token), ("start", "1763800000.000001")]).is_ok());
        for (name, value) in [("start", "1763800000.000002"), ("end", "1763800000")] {
            assert_eq!(parse(&[("next", token), (name, value)]).unwrap_err().field(), "next", "{name}");
        }
    }

    #[test]
    fn an_entry_is_wanted_within_its_time_type_and_life() {
        let wants = |parameters: &[_], now| parse(parameters).unwrap().wants(&entry("{}"), now);
        assert!(wants(&[], 199));
        assert!(!wants(&[], 200), "expired");
        assert!(wants(&[("start", "1763800000.000001"), ("end", "1763800000.000001")], 0), "inclusive");
        assert!(!wants(&[("start", "1763800000.000002")], 0));
        assert!(!wants(&[("end", "1763800000")], 0));
        assert!(wants(&[("_type", "a,news")], 0));
        assert!(!wants(&[("_type", "a")], 0));
    }

    proptest! {
        #[test]
        fn times_survive_their_text(micros in 0..=Timestamp::MAX.0) {
            let time = Timestamp(micros);
            prop_assert_eq!(Timestamp::parse("t", &time.to_string()), Ok(time));
        }

        #[test]
        fn positions_survive_their_token(micros in 0..=Timestamp::MAX.0, id in ".{1,50}") {
            let position = Position { micros, id: MessageId::parse(id).unwrap() };
            prop_assert_eq!(Position::from_token(&position.to_token()), Ok(position));
        }
    }
}
