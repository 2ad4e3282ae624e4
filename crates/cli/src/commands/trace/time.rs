//! Times as people read them.

use aws_smithy_types::{DateTime, date_time::Format};

/// The epoch seconds of an RFC 3339 text; the earliest of all where it is none.
pub fn seconds(text: &str) -> i64 {
    DateTime::from_str(text, Format::DateTime).map_or(i64::MIN, |time| time.secs())
}

/// Epoch seconds as RFC 3339, UTC.
pub fn text(seconds: i64) -> String {
    DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_else(|_| seconds.to_string())
}
