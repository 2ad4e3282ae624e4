//! The history of a user: entries, queries, pages.
//!
//! `docs/PROTOCOL.md`: "Each distinct user reached keeps the message once, however many sessions".
//! A history is shown newest first, with the time of publishing and whether the user has read it.

use crate::{
    Invalid,
    id::{MessageId, UserId},
    message::{Message, merged, text_json},
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
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
    /// The entry of a message that was published at `created`, kept for `ttl` seconds from then on.
    pub fn new(user: UserId, created: Timestamp, message: &Message, ttl: i64) -> Self {
        Self {
            user,
            id: message.id().clone(),
            created,
            is_read: false,
            kind: message.kind().map(str::to_owned),
            json: message.json().to_owned(),
            ttl: created.seconds() + ttl,
        }
    }

    /// The message as `/messages/user/{userId}` shows it: its own fields, with `messageId`,
    /// `userId`, `created` and `is_read` in place of any of those names.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        merged(
            &self.json,
            &[
                ("messageId", text_json(self.id.as_str())),
                ("userId", self.user.to_json()),
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

/// An entry as the index by time holds it: all but the message. `DynamoDB` counts an item together with
/// its entries in local indexes, so that only this leaves room for the largest message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The message's id.
    pub id: MessageId,
    /// When it was published.
    pub created: Timestamp,
    /// Whether the user has read it.
    pub is_read: bool,
    /// The message's field `_type`, if it has one.
    pub kind: Option<String>,
    /// When it may be removed, in epoch seconds.
    pub ttl: i64,
}

/// A call reads at most so many heads, a megabyte: a page may then be shorter than asked for.
pub const MAX_HEADS: usize = 10_000;

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
    /// Only messages that were read, or only those that were not.
    pub is_read: Option<bool>,
    /// At most this many.
    pub limit: usize,
    /// Only what comes after this place.
    pub after: Option<Position>,
}

impl Query {
    /// Reads the query parameters `start`, `end`, `_type`, `is_read`, `limit` and `next`.
    pub fn parse<'a>(user: UserId, parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Invalid> {
        let (start, end) = period(&parameter)?;
        let after = parameter("next").map(Position::from_token).transpose()?;
        if after.as_ref().is_some_and(|position| !(start..=end).contains(&position.created())) {
            return Err(Invalid::new("next", "must be used with the start and end that it came with"));
        }
        Ok(Self {
            user,
            start,
            end,
            kinds: kinds(parameter("_type"))?,
            is_read: parameter("is_read").map(is_read).transpose()?,
            limit: page::limit(parameter("limit"))?,
            after,
        })
    }

    /// Whether an entry belongs to the answer at `now` (epoch seconds); expired ones do not, though
    /// DynamoDB may keep them for days.
    pub fn wants(&self, head: &Head, now: i64) -> bool {
        let kind_wanted =
            self.kinds.is_empty() || head.kind.as_ref().is_some_and(|kind| self.kinds.contains(kind));
        head.ttl > now
            && (self.start..=self.end).contains(&head.created)
            && kind_wanted
            && self.wants_read(head.is_read)
    }

    /// Whether messages that are read, or are not, belong to the answer.
    pub fn wants_read(&self, is_read: bool) -> bool {
        self.is_read.is_none_or(|wanted| wanted == is_read)
    }

    /// How many heads to ask for, when `found` of `read` are wanted.
    pub fn heads_to_read(&self, found: usize, read: usize) -> usize {
        page::to_read(self.limit, found, read)
    }
}

/// Reads the query parameters `start` and `end`.
pub(crate) fn period<'a>(
    parameter: impl Fn(&str) -> Option<&'a str>,
) -> Result<(Timestamp, Timestamp), Invalid> {
    let time = |name, default| parameter(name).map_or(Ok(default), |text| Timestamp::parse(name, text));
    let (start, end) = (time("start", Timestamp(0))?, time("end", Timestamp::MAX)?);
    if start > end { Err(Invalid::new("start", "must not be after end")) } else { Ok((start, end)) }
}

fn is_read(text: &str) -> Result<bool, Invalid> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(Invalid::new("is_read", "must be 0 or 1")),
    }
}

/// Reads the query parameter `_type`; absent, it names no types, which means all.
pub(crate) fn kinds(parameter: Option<&str>) -> Result<Vec<String>, Invalid> {
    let Some(text) = parameter else { return Ok(Vec::new()) };
    let kinds: Vec<String> = text.split(',').map(|kind| kind.trim().to_owned()).collect();
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
    /// The place after an entry.
    pub fn after(created: Timestamp, id: &MessageId) -> Self {
        Self { micros: created.0, id: id.clone() }
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
    use crate::target::Target;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn entry(json: &str) -> Entry {
        Entry {
            user: UserId::from(7),
            id: MessageId::parse("m").unwrap(),
            created: Timestamp(1_763_800_000_000_001),
            is_read: true,
            kind: Some("news".into()),
            json: json.into(),
            ttl: 200,
        }
    }

    fn head() -> Head {
        let Entry { id, created, is_read, kind, ttl, .. } = entry("{}");
        Head { id, created, is_read, kind, ttl }
    }

    #[test]
    fn an_entry_is_kept_from_the_time_of_publishing() {
        let id = || MessageId::parse("m").unwrap();
        let message = Message::parse(br#"{"_type":"news"}"#, &Target::EVERYONE, id).unwrap();
        let entry = Entry::new(UserId::from(7), Timestamp(5_900_000), &message, 10);
        assert_eq!((entry.ttl, entry.is_read, entry.kind.as_deref()), (15, false, Some("news")));
    }

    #[test]
    fn a_page_asks_for_one_head_more_and_for_ever_more_where_few_are_wanted() {
        let query = parse(&[("limit", "5")]).unwrap();
        assert_eq!(query.heads_to_read(0, 0), 6);
        assert_eq!((query.heads_to_read(2, 6), query.heads_to_read(1, 6)), (4, 5));
        let (mut read, mut calls) = (0, 0);
        while read < MAX_HEADS {
            read += query.heads_to_read(0, read);
            calls += 1;
        }
        assert!(calls <= 12, "{calls} calls for a history in which nothing is wanted");
    }

    fn parse(parameters: &[(&str, &'static str)]) -> Result<Query, Invalid> {
        let map: HashMap<&str, &'static str> = parameters.iter().copied().collect();
        Query::parse(UserId::from(7), |name| map.get(name).copied())
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
            ("is_read", "2"),
            ("is_read", ""),
            ("_type", "a, ,b"),
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
        let head = head();
        let token: &'static str = Position::after(head.created, &head.id).to_token().leak();
        assert!(parse(&[("next", token), ("start", "1763800000.000001")]).is_ok());
        for (name, value) in [("start", "1763800000.000002"), ("end", "1763800000")] {
            assert_eq!(parse(&[("next", token), (name, value)]).unwrap_err().field(), "next", "{name}");
        }
    }

    #[test]
    fn an_entry_is_wanted_by_time_type_life_and_whether_it_is_read() {
        let wants = |parameters: &[_], now| parse(parameters).unwrap().wants(&head(), now);
        assert!(wants(&[], 199));
        assert!(!wants(&[], 200), "expired");
        assert!(wants(&[("start", "1763800000.000001"), ("end", "1763800000.000001")], 0), "inclusive");
        assert!(!wants(&[("start", "1763800000.000002")], 0));
        assert!(!wants(&[("end", "1763800000")], 0));
        assert!(wants(&[("_type", "a,news")], 0));
        assert!(wants(&[("_type", " a , news ")], 0));
        assert!(!wants(&[("_type", "a")], 0));
        assert!(wants(&[("is_read", "1")], 0) && !wants(&[("is_read", "0")], 0));
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
