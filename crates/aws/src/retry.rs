//! Full-jitter backoff within the time an invocation has left.
//!
//! The SDK can only repeat whole calls, and does not know how much time there is. This is for
//! entries of a batch that failed by themselves, for calls that the SDK gave up on, and for the
//! functions of the fan-out, whose clients do not retry by themselves.

use crate::{Error, Kind, Result};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Time kept back at the end of an invocation to report what was not done.
const RESERVE: Duration = Duration::from_secs(2);

/// When an invocation has to stop trying.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// From the moment at which Lambda ends the invocation, in milliseconds since the epoch.
    pub fn from_epoch_millis(millis: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::after(Duration::from_millis(millis).saturating_sub(now).saturating_sub(RESERVE))
    }

    /// This long from now.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// This deadline, or `time` from now, whichever is sooner.
    #[must_use]
    pub fn at_most(self, time: Duration) -> Self {
        Self(self.0.min(Instant::now() + time))
    }

    /// This deadline less some time that is kept aside: a quarter of what is left at most.
    #[must_use]
    pub fn sooner_by(self, aside: Duration) -> Self {
        Self(self.0 - aside.min(self.remaining() / 4))
    }

    /// This moment, and some time after it.
    #[must_use]
    pub fn later_by(self, time: Duration) -> Self {
        Self(self.0 + time)
    }

    /// Waits until this moment; false, and at once, if `deadline` comes first.
    pub async fn wait_until(self, deadline: Self) -> bool {
        if deadline.0 <= self.0 {
            return false;
        }
        tokio::time::sleep_until(self.0).await;
        true
    }

    /// This deadline and the reserve behind it: for reporting what was not done.
    #[must_use]
    pub fn with_reserve(self) -> Self {
        // A part of the reserve stays for the reply itself.
        Self(self.0 + RESERVE * 3 / 4)
    }

    /// The time left.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether there is no time left.
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }
}

/// Waits that double at most and are drawn from all of their range ("full jitter").
#[derive(Debug)]
pub struct Backoff {
    ceiling: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(5);

    /// A backoff that has not waited yet.
    pub fn new() -> Self {
        Self { ceiling: Self::FIRST }
    }

    /// Waits; false, and at once, if the deadline would pass first.
    pub async fn wait(&mut self, deadline: Deadline) -> bool {
        let wait = self.ceiling.mul_f64(fastrand::f64());
        self.ceiling = (self.ceiling * 2).min(Self::LONGEST);
        if wait >= deadline.remaining() {
            return false;
        }
        tokio::time::sleep(wait).await;
        true
    }
}

/// One call, given up at the deadline; none at all if that has passed.
pub async fn within<T>(deadline: Deadline, call: impl Future<Output = Result<T>>) -> Result<T> {
    if deadline.has_passed() {
        return Err(Error::new("A call", Kind::Unavailable, "NoTimeLeft"));
    }
    let result = tokio::time::timeout_at(deadline.0, call).await;
    result.unwrap_or_else(|_| Err(Error::new("A call", Kind::Unavailable, "NoTimeLeft")))
}

/// Calls until it succeeds, fails for good, or the deadline would pass.
pub async fn retry<T, F>(deadline: Deadline, mut call: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut backoff = Backoff::new();
    loop {
        match within(deadline, call()).await {
            Err(error) if error.is_transient() && backoff.wait(deadline).await => {}
            result => return result,
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_backoff_ends_before_the_deadline() {
        let deadline = Deadline::after(Duration::from_millis(300));
        let mut backoff = Backoff::new();
        let mut waits = 0;
        while backoff.wait(deadline).await {
            waits += 1;
        }
        assert!(waits < 300, "the ceiling of a wait doubles: {waits}");
        assert!(backoff.ceiling > Backoff::FIRST);
    }

    #[tokio::test]
    async fn only_transient_failures_are_tried_again() {
        let deadline = Deadline::after(Duration::from_secs(5));
        for (kind, calls_expected) in [(crate::Kind::Throttled, 3), (crate::Kind::Refused, 1)] {
            let mut calls = 0;
            let result = retry(deadline, || {
                calls += 1;
                let done = calls == 3;
                async move { if done { Ok(()) } else { Err(crate::Error::new("Call", kind, "code")) } }
            });
            assert_eq!(result.await.is_ok(), calls_expected == 3);
            assert_eq!(calls, calls_expected, "{kind:?}");
        }
    }

    #[tokio::test]
    async fn a_call_is_given_up_at_the_deadline_and_not_begun_after_it() {
        let deadline = Deadline::after(Duration::from_millis(50));
        let mut calls = 0;
        let result: Result<()> = retry(deadline, || {
            calls += 1;
            std::future::pending()
        })
        .await;
        assert!(result.is_err_and(|error| error.is_transient()));
        assert!(deadline.has_passed());
        assert_eq!(calls, 1);
        let unreached = std::future::poll_fn(|_| panic!("a call was begun"));
        assert!(within::<()>(deadline, unreached).await.is_err());
    }
}
