//! The clock.

use sbe_core::history::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The present moment.
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}

/// The present moment in whole epoch seconds.
pub fn now_seconds() -> i64 {
    now().seconds()
}
