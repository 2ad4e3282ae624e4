//! How old messages were when SQS had taken them.

use crate::told::Counts;
use sbe_core::payload::SendPayload;
use std::time::Duration;

/// The service level: a message is sent in time if it is no older than this.
const IN_TIME: Duration = Duration::from_secs(5);

/// The ages of a payload's messages, at the end of its sends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ages {
    /// The age of each message that was sent to any session, in milliseconds.
    pub(crate) millis: Vec<i64>,
    /// How many sends were in time: one for each message and session.
    pub(crate) in_time: u64,
    /// How many were not, or were given up.
    pub(crate) late: u64,
}

impl Ages {
    /// Of what was sent of a payload's messages, `now` in epoch milliseconds. Of messages whose time is not told
    /// there is nothing to say. Whether what is left `is_given_up`, or goes on in another invocation.
    pub(crate) fn of(payload: &SendPayload<'_>, counts: &[Counts], is_given_up: bool, now: i64) -> Self {
        let mut ages = Self::default();
        for (published, counts) in payload.published.iter().zip(counts) {
            ages.late += u64::from(counts.refused) + if is_given_up { u64::from(counts.left) } else { 0 };
            if counts.sent() == 0 {
                continue;
            }
            // Clocks differ a little from each other.
            let age = (now - published).max(0);
            ages.millis.push(age);
            let is_late = u128::try_from(age).unwrap_or_default() > IN_TIME.as_millis();
            *if is_late { &mut ages.late } else { &mut ages.in_time } += u64::from(counts.sent());
        }
        ages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Done,
        told::{tally, tests::delivery},
    };
    use sbe_core::version::Version;
    use serde_json::{Value, value::to_raw_value};

    #[test]
    fn what_was_sent_has_its_age_and_is_counted_by_session() {
        let text = to_raw_value(&Value::Null).unwrap();
        let deliveries = vec![delivery("a", &[0, 1]), delivery("b", &[0]), delivery("c", &[0, 2])];
        let payload = SendPayload {
            version: Version,
            messages: vec![&text; 3],
            published: vec![1_000, 7_001, 7_000],
            deliveries,
            depth: 0,
        };
        let done = Done { gone: vec![delivery("c", &[0, 2])], ..Done::default() };
        let expected = Ages { millis: vec![11_000, 4_999], in_time: 1, late: 2 };
        assert_eq!(Ages::of(&payload, &tally(&payload, &done), false, 12_000), expected);
        let refused = Done { refused: vec![delivery("c", &[0, 2])], ..Done::default() };
        let late = Ages { late: 4, ..expected.clone() };
        assert_eq!(Ages::of(&payload, &tally(&payload, &refused), false, 12_000), late);
        let left = Done { left: vec![delivery("c", &[0, 2])], ..Done::default() };
        assert_eq!(Ages::of(&payload, &tally(&payload, &left), false, 12_000), expected);
        assert_eq!(
            Ages::of(&payload, &tally(&payload, &left), true, 12_000),
            late,
            "it is not sent any more"
        );
        let earlier = SendPayload { published: Vec::new(), ..payload };
        assert_eq!(Ages::of(&earlier, &tally(&earlier, &done), false, 12_000), Ages::default());
    }
}
