//! The system from outside: what flows need to act as a backend, a browser and an operator.
//!
//! Flows run against the system that `SBE_STACK` names (the path of a `stack.json`), or against one
//! that they start on free ports and that ends with them.
//!
//! # Layout
//!
//! - [`sbe`]: the operator's command line, run as a process
//! - [`system`]: the running system
//! - [`backend`]: signed calls and stream records
//! - [`browser`]: a session that polls its queue with its own keys and decrypts

pub mod backend;
pub mod browser;
pub mod sbe;
pub mod system;

pub use backend::{Backend, Reply};
pub use browser::Browser;

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// An integer that no other flow has: an account or a user of its own.
pub fn unique() -> i64 {
    static NEXT: AtomicI64 = AtomicI64::new(0);
    let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    i64::try_from(start).unwrap_or_default() * 1000 + NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The present moment in epoch seconds.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or_default()
}

/// Asks again and again until the answer is `Some`.
///
/// # Panics
/// After a minute, naming what was waited for.
pub async fn eventually<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    for _ in 0..600 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("waited for {what} in vain");
}
