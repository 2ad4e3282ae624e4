//! Which entries are meant.

use super::{Facts, queue::Held};
use crate::times;
use clap::Args;
use std::time::Duration;

/// Which entries: without ids and options, all.
#[derive(Debug, Clone, Default, Args)]
pub struct Selection {
    /// Ids of entries, or what they begin with.
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub like: Like,
}

/// What entries have in common.
#[derive(Debug, Clone, Default, Args)]
pub struct Like {
    /// Those whose reason has this text in it, in any case.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// Those that are older, such as 1h.
    #[arg(long, value_name = "TIME", value_parser = times::duration)]
    pub older_than: Option<Duration>,

    /// The oldest N of them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
}

impl Selection {
    /// Whether an entry is meant, at `now` in epoch milliseconds. `origin` is what the entry's must be, or end
    /// with after a dash.
    pub fn takes(&self, held: &Held, facts: &Facts, origin: Option<&str>, now: i64) -> bool {
        let is_named = self.ids.is_empty() || self.ids.iter().any(|id| held.id.starts_with(id));
        let of = |origin: &str| facts.origin == origin || facts.origin.ends_with(&format!("-{origin}"));
        let has = |reason: &String| facts.reason.to_lowercase().contains(&reason.to_lowercase());
        let age = now.saturating_sub(held.sent);
        let is_older = |than: Duration| age > i64::try_from(than.as_millis()).unwrap_or(i64::MAX);
        is_named
            && origin.is_none_or(of)
            && self.like.reason.as_ref().is_none_or(has)
            && self.like.older_than.is_none_or(is_older)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_asked_for_must_hold() {
        let held = Held { id: "abc-1".into(), handle: String::new(), body: String::new(), sent: 5_000 };
        let facts = Facts { origin: "dev-sqs-browser-sqs-sender".into(), reason: "AccessDenied: no".into() };
        let select = |ids: &[&str], reason: Option<&str>, older_than: Option<u64>| Selection {
            ids: ids.iter().map(ToString::to_string).collect(),
            like: Like {
                reason: reason.map(Into::into),
                older_than: older_than.map(Duration::from_secs),
                limit: None,
            },
        };
        let takes = |selection: Selection, origin| selection.takes(&held, &facts, origin, 10_000);
        assert!(takes(select(&[], None, None), None));
        assert!(takes(select(&["x", "abc"], Some("accessdenied"), Some(4)), Some("sqs-sender")));
        assert!(takes(select(&[], None, None), Some("dev-sqs-browser-sqs-sender")));
        assert!(!takes(select(&["x"], None, None), None));
        assert!(!takes(select(&[], Some("throttled"), None), None));
        assert!(!takes(select(&[], None, Some(5)), None));
        assert!(!takes(select(&[], None, None), Some("sender")) || facts.origin.ends_with("-sender"));
        assert!(!takes(select(&[], None, None), Some("event-dispatcher")));
    }
}
