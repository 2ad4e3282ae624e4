//! How many a second.

use std::{str::FromStr, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// So many in a second or a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    per_second: f64,
}

impl Rate {
    /// As many as SQS takes.
    pub const UNLIMITED: Self = Self { per_second: 1e6 };
}

impl FromStr for Rate {
    type Err = String;

    /// ```
    /// use sbe_cli::parked::pace::Rate;
    /// assert_eq!("10/s".parse::<Rate>(), "600/m".parse());
    /// assert_eq!("10".parse::<Rate>(), "10/s".parse());
    /// for wrong in ["0/s", "-1", "1/h", "fast", "1/m/s", "100000"] {
    ///     assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
    /// }
    /// ```
    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
        let number = number.parse::<u32>().ok().filter(|number| (1..=10_000).contains(number));
        let seconds = match unit {
            "s" => Some(1.0),
            "m" => Some(60.0),
            _ => None,
        };
        let rate =
            number.zip(seconds).map(|(number, seconds)| Self { per_second: f64::from(number) / seconds });
        rate.ok_or_else(|| "must be 1 to 10000 a second or a minute, such as 50/s or 10/m".into())
    }
}

/// Lets one pass after the other.
#[derive(Debug)]
pub struct Pace {
    rate: Rate,
    next: Mutex<Instant>,
}

impl Pace {
    /// The first may pass at once.
    pub fn new(rate: Rate) -> Self {
        Self { rate, next: Mutex::new(Instant::now()) }
    }

    /// Waits for one's turn.
    pub async fn turn(&self) {
        let turn = {
            let mut next = self.next.lock().await;
            let turn = (*next).max(Instant::now());
            *next = turn + Duration::from_secs_f64(1.0 / self.rate.per_second);
            turn
        };
        sleep_until(turn).await;
    }

    /// How many pass in a minute, of up to ten.
    pub fn ten_at_most(&self) -> i32 {
        let fit = (1..10).take_while(|n| f64::from(*n) < self.rate.per_second * 60.0);
        fit.last().map_or(1, |n| n + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_passes_too_early() {
        let pace = Pace::new("100/s".parse().unwrap());
        let start = Instant::now();
        for _ in 0..5 {
            pace.turn().await;
        }
        assert!(start.elapsed() >= Duration::from_millis(40));
    }

    #[test]
    fn no_more_are_held_than_pass_in_a_minute() {
        let held = |rate: &str| Pace::new(rate.parse().unwrap()).ten_at_most();
        assert_eq!(["1/m", "3/m", "1/s", "50/s"].map(held), [1, 3, 10, 10]);
    }
}
