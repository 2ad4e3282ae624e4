//! Times as people write and read them.

use aws_smithy_types::{DateTime, date_time::Format};
use sbe_core::history::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MICROS: i64 = 1_000_000;

/// How durations may be written, for help and errors.
pub const DURATION_RULE: &str = "a number with s, m, h or d, such as 90s, 5m, 1h or 2d";

/// The present moment.
pub fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
}

/// Reads a duration; a number alone is seconds.
///
/// ```
/// use sbe_cli::times::duration;
/// use std::time::Duration;
/// assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
/// assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
/// assert!(duration("soon").is_err());
/// ```
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("must be {DURATION_RULE}");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

/// Reads a moment: epoch seconds, an RFC 3339 time, `now`, or how long ago, such as `1h`.
///
/// ```
/// use sbe_cli::times::moment;
/// assert_eq!(moment("1763800000.25").unwrap().to_string(), "1763800000.250000");
/// assert_eq!(moment("2025-11-22T08:26:40Z").unwrap().seconds(), 1_763_800_000);
/// assert!(moment("1h").unwrap() < moment("now").unwrap());
/// ```
pub fn moment(text: &str) -> Result<Timestamp, String> {
    if text == "now" {
        return Ok(now());
    }
    if let Ok(moment) = Timestamp::parse("time", text) {
        return Ok(moment);
    }
    if let Ok(ago) = duration(text) {
        return Ok(before(now(), ago));
    }
    rfc3339(text).ok_or_else(|| {
        format!("must be epoch seconds, a time such as 2026-01-31T12:00:00Z, now, or how long ago: {DURATION_RULE}")
    })
}

/// Reads an RFC 3339 time.
///
/// ```
/// use sbe_cli::times::rfc3339;
/// assert_eq!(rfc3339("2025-11-22T08:26:40.5Z").unwrap().to_string(), "1763800000.500000");
/// assert_eq!(rfc3339("1h"), None);
/// ```
pub fn rfc3339(text: &str) -> Option<Timestamp> {
    let time = DateTime::from_str(text, Format::DateTimeWithOffset).ok()?;
    let micros = i64::try_from(time.as_nanos() / 1000).ok()?;
    (0..=Timestamp::MAX.0).contains(&micros).then_some(Timestamp(micros))
}

/// A moment so long before another, and not before 1970.
pub fn before(moment: Timestamp, ago: Duration) -> Timestamp {
    Timestamp(moment.0.saturating_sub(i64::try_from(ago.as_micros()).unwrap_or(i64::MAX)).max(0))
}

/// A moment for people, in UTC, by the second: `2025-11-22 08:26:40Z`.
pub fn readable(moment: Timestamp) -> String {
    let time = DateTime::from_secs(moment.seconds()).fmt(Format::DateTime);
    time.map_or_else(|_| moment.to_string(), |text| text.replace('T', " "))
}

/// Epoch seconds for people, with how far away they are: `2025-11-22 08:26:40Z (in 59 min)`.
pub fn readable_with_distance(seconds: i64, now: Timestamp) -> String {
    let moment = Timestamp(seconds.saturating_mul(MICROS));
    let distance = seconds - now.seconds();
    let length = length(distance.unsigned_abs());
    let distance = if distance < 0 { format!("{length} ago") } else { format!("in {length}") };
    format!("{} ({distance})", readable(moment))
}

/// A number of seconds for people, in at most two units: `45 s`, `59 min`, `1 h 59 min`, `3 d 4 h`.
pub fn length(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => two((seconds / 3600, "h"), (seconds % 3600 / 60, "min")),
        _ => two((seconds / 86_400, "d"), (seconds % 86_400 / 3600, "h")),
    }
}

fn two((large, unit): (u64, &str), (small, small_unit): (u64, &str)) -> String {
    if small == 0 { format!("{large} {unit}") } else { format!("{large} {unit} {small} {small_unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "m", "-5m", "5 m", "1.5h", "5w", "99999999999999999999", "9999999999999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in ["", "yesterday", "-1", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-01-01"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lengths_have_at_most_two_units() {
        let lengths = [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min"),
            (3600, "1 h"),
            (7199, "1 h 59 min"),
            (90_000, "1 d 1 h"),
        ];
        for (seconds, text) in lengths {
            assert_eq!(length(seconds), text);
        }
    }

    #[test]
    fn moments_are_read_by_people() {
        let now = Timestamp(1_763_800_000 * MICROS);
        assert_eq!(readable(now), "2025-11-22 08:26:40Z");
        assert_eq!(readable_with_distance(1_763_803_599, now), "2025-11-22 09:26:39Z (in 59 min)");
        assert_eq!(readable_with_distance(1_763_799_990, now), "2025-11-22 08:26:30Z (10 s ago)");
    }
}
