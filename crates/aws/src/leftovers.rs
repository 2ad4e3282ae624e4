//! What an invocation leaves: handed on to a further one, or parked for a person.

use crate::{
    Error, Kind,
    functions::Functions,
    parking::Parking,
    retry::{Deadline, retry},
    settle::{Settled, settle},
};
use sbe_core::payload::MAX_DEPTH;

/// Why work is parked that was handed on for the last time.
pub const TOO_OFTEN: &str = "there was no time for it in as many invocations as there may be";

/// Whether work that is handed on for the `times`th time is parked instead, for [`TOO_OFTEN`].
pub fn is_parked(times: u32) -> bool {
    times > MAX_DEPTH
}

/// How many of `left` are handed on for the `times`th time, and how many are parked instead.
///
/// ```
/// use sbe_aws::leftovers::handed_on_or_parked;
/// assert_eq!((handed_on_or_parked(7, 12), handed_on_or_parked(7, 13)), ((7, 0), (0, 7)));
/// ```
pub fn handed_on_or_parked(left: usize, times: u32) -> (usize, usize) {
    if is_parked(times) { (0, left) } else { (left, 0) }
}

/// Where what is left goes.
#[derive(Debug, Clone)]
pub struct Leftovers {
    functions: Functions,
    parking: Parking,
    concurrency: usize,
}

/// Payloads that could be neither handed on nor parked, and why.
#[derive(Debug, thiserror::Error)]
#[error("{} payloads could not be handed on", payloads.len())]
pub struct NotHandedOn {
    /// They. One may have been handed on all the same, if it was the answer that was lost.
    pub payloads: Vec<String>,
    /// The first one's failure.
    #[source]
    pub error: Error,
}

impl Leftovers {
    pub(crate) fn new(functions: Functions, parking: Parking, concurrency: usize) -> Self {
        Self { functions, parking, concurrency }
    }

    /// Invokes `function` with each of the payloads and does not wait for it. It is the `times`th time that
    /// their work is handed on; beyond [`MAX_DEPTH`] it is parked instead.
    ///
    /// # Errors
    /// With the payloads that there was no way or no time to hand on.
    pub async fn hand_on(
        &self,
        function: &str,
        payloads: Vec<String>,
        times: u32,
        deadline: Deadline,
    ) -> Result<(), NotHandedOn> {
        if is_parked(times) {
            return self.park(function, TOO_OFTEN, payloads, deadline).await;
        }
        let invoke = async |payload: &String| self.functions.invoke_async(function, payload.clone()).await;
        all_of(settle(payloads, self.concurrency, deadline, invoke).await)
    }

    /// The same for one payload.
    pub async fn hand_on_one(
        &self,
        function: &str,
        payload: &str,
        times: u32,
        deadline: Deadline,
    ) -> Result<(), Error> {
        if is_parked(times) {
            self.park_one(function, TOO_OFTEN, payload, deadline).await
        } else {
            retry(deadline, || self.functions.invoke_async(function, payload.to_owned())).await
        }
    }

    /// Parks one payload of `function` that it cannot do.
    pub async fn park_one(
        &self,
        function: &str,
        reason: &str,
        payload: &str,
        deadline: Deadline,
    ) -> Result<(), Error> {
        retry(deadline, || self.parking.park(function, reason, payload)).await
    }

    /// Parks payloads of `function` that it cannot do.
    ///
    /// # Errors
    /// With the payloads that there was no way or no time to park.
    pub async fn park(
        &self,
        function: &str,
        reason: &str,
        payloads: Vec<String>,
        deadline: Deadline,
    ) -> Result<(), NotHandedOn> {
        let park = async |payload: &String| self.parking.park(function, reason, payload).await;
        all_of(settle(payloads, self.concurrency, deadline, park).await)
    }
}

fn all_of(settled: Settled<String, ()>) -> Result<(), NotHandedOn> {
    let Settled { refused, left: mut payloads, .. } = settled;
    let (refused, errors): (Vec<String>, Vec<Error>) = refused.into_iter().unzip();
    payloads.extend(refused);
    if payloads.is_empty() {
        return Ok(());
    }
    let no_time = || Error::new("Handing work on", Kind::Unavailable, "NoTimeLeft");
    Err(NotHandedOn { payloads, error: errors.into_iter().next().unwrap_or_else(no_time) })
}
