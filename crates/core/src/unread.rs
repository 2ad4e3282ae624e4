//! How many messages of a history are unread, in all and by type.
//!
//! `docs/PROTOCOL.md`: "The numbers are exact up to 10,000. Where more are unread, or the time ends before
//! all are counted, `"at_least":true` says so, and there are at least as many as the numbers say."

use crate::{
    Invalid,
    history::{Timestamp, kinds, period},
    id::UserId,
    message::text_json,
    page,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Messages that are counted at most.
pub const MAX_COUNTED: usize = 10_000;

/// The types of a count are at most so long in a reply, whatever publishers put there: it stays far
/// below Lambda's limit of 6 MB.
const MAX_TYPES_BYTES: usize = 2 * 1024 * 1024;

/// What a type takes in a reply beside its name.
const NUMBER_BYTES: usize = 10;

/// Which messages of a user are counted.
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
}

impl Query {
    /// Reads the query parameters `start`, `end` and `_type`.
    pub fn parse<'a>(user: UserId, parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Invalid> {
        let (start, end) = period(&parameter)?;
        Ok(Self { user, start, end, kinds: kinds(parameter("_type"))? })
    }

    /// Whether messages of this type are counted.
    pub fn wants(&self, kind: Option<&str>) -> bool {
        self.kinds.is_empty() || kind.is_some_and(|kind| self.kinds.iter().any(|wanted| wanted == kind))
    }
}

/// How many messages are unread.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UnreadCount {
    /// All that were counted.
    pub unread: usize,
    /// The same by type; `""` counts the messages without a type.
    pub by_type: BTreeMap<String, usize>,
    /// Whether there may be more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
    #[serde(skip)]
    types_bytes: usize,
}

impl UnreadCount {
    /// Counts a message of this type, if there is room. Without any, there are at least as many as
    /// were counted, and nothing more is to be read.
    pub fn add(&mut self, kind: Option<&str>) {
        let kind = kind.unwrap_or_default();
        let is_new = !self.by_type.contains_key(kind);
        let bytes = if is_new { text_json(kind).len() + NUMBER_BYTES } else { 0 };
        self.at_least |= self.unread == MAX_COUNTED || self.types_bytes + bytes > MAX_TYPES_BYTES;
        if self.at_least {
            return;
        }
        self.unread += 1;
        self.types_bytes += bytes;
        match self.by_type.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(self.by_type.insert(kind.to_owned(), 1)),
        }
    }

    /// How many entries to ask for after `read` of them.
    pub fn entries_to_read(&self, read: usize) -> usize {
        page::to_read(MAX_COUNTED, self.unread, read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn count<'a>(kinds: impl IntoIterator<Item = Option<&'a str>>) -> UnreadCount {
        let mut count = UnreadCount::default();
        kinds.into_iter().for_each(|kind| count.add(kind));
        count
    }

    #[test]
    fn messages_are_counted_by_type() {
        let shown = serde_json::to_value(count([Some("news"), None, Some("news"), Some("")])).unwrap();
        assert_eq!(shown, json!({"unread": 4, "by_type": {"": 2, "news": 2}}));
        assert_eq!(serde_json::to_value(count([])).unwrap(), json!({"unread": 0, "by_type": {}}));
    }

    #[test]
    fn a_count_is_exact_up_to_ten_thousand() {
        let exact = count(vec![Some("a"); MAX_COUNTED]);
        assert_eq!((exact.unread, exact.at_least), (10_000, false));
        let more = count(vec![Some("a"); MAX_COUNTED + 1]);
        assert_eq!((more.unread, more.by_type["a"], more.at_least), (10_000, 10_000, true));
    }

    #[test]
    fn very_many_long_types_stay_below_the_limit_of_a_reply() {
        let kinds: Vec<String> = (0..MAX_COUNTED).map(|n| format!("{n:05}{}", "\u{1}".repeat(251))).collect();
        let count = count(kinds.iter().map(|kind| Some(kind.as_str())));
        assert!(count.at_least && count.unread > 1000, "{}", count.unread);
        assert_eq!(count.by_type.values().sum::<usize>(), count.unread);
        assert!(serde_json::to_string(&count).unwrap().len() < MAX_TYPES_BYTES + 100);
    }

    #[test]
    fn parameters_are_those_of_a_history() {
        let parse = |parameters: &[(&str, &'static str)]| {
            Query::parse(UserId::from(7), |name| {
                parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
            })
        };
        let all = parse(&[]).unwrap();
        assert_eq!((all.start, all.end), (Timestamp(0), Timestamp::MAX));
        assert!(all.wants(None) && all.wants(Some("a")));
        let some = parse(&[("_type", "a,b")]).unwrap();
        assert!(some.wants(Some("b")) && !some.wants(None) && !some.wants(Some("c")));
        for (name, value) in [("start", "x"), ("end", "-1"), ("_type", "a,,b")] {
            assert_eq!(parse(&[(name, value)]).unwrap_err().field(), name);
        }
        assert_eq!(parse(&[("start", "2"), ("end", "1")]).unwrap_err().field(), "start");
    }
}
