//! Waits between tries: each drawn from all of a range that doubles ("full jitter").

use std::time::Duration;

/// How long to wait before the next try.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    ceiling: Duration,
}

impl Backoff {
    /// The first wait is up to `first`, later ones up to twice as long each, and `longest` at most.
    ///
    /// ```
    /// use sbe_client::backoff::Backoff;
    /// use std::time::Duration;
    /// let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
    /// assert!(backoff.next_wait() <= Duration::from_millis(100));
    /// assert!(backoff.next_wait() <= Duration::from_millis(200));
    /// ```
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, ceiling: first }
    }

    /// The wait before the next try.
    pub fn next_wait(&mut self) -> Duration {
        let wait = self.ceiling.mul_f64(fastrand::f64());
        self.ceiling = (self.ceiling * 2).min(self.longest);
        wait
    }

    /// After a success: the next wait is short again.
    pub fn reset(&mut self) {
        self.ceiling = self.first;
    }
}
