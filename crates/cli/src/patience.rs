//! Calls that are tried again while a service is throttled or fails for a moment.

use crate::failure::Failure;
use sbe_client::backoff::Backoff;
use std::time::Duration;
use tokio::time::sleep;

/// Tries, beside those of the SDK itself.
const TRIES: u32 = 8;

const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The result of a call, which is tried again after waits that grow, for about half a minute, as long as the
/// failure is one that passes.
pub async fn patiently<T>(call: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    for _ in 1..TRIES {
        match call().await {
            Err(Failure::Unavailable(_)) => sleep(backoff.next_wait()).await,
            result => return result,
        }
    }
    call().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn only_what_passes_is_tried_again() {
        let calls = Cell::new(0);
        let call = async |fail_until: u32, failure: fn(String) -> Failure| {
            calls.set(calls.get() + 1);
            if calls.get() < fail_until { Err(failure("no".into())) } else { Ok(()) }
        };
        assert!(patiently(|| call(3, Failure::Unavailable)).await.is_ok());
        assert_eq!(calls.replace(0), 3);
        assert!(patiently(|| call(5, Failure::Refused)).await.is_err());
        assert_eq!(calls.get(), 1);
    }
}
