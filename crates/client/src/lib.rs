//! What a backend, an operator and a consumer do with a system.
//!
//! A system is found by the `stack.json` of a local one, or by the CloudFormation stack of a
//! deployed one. Its HTTP API is called with SigV4 signatures; its AWS services are reached by SDK
//! clients with the same keys; a session polls its queue with its own keys and decrypts.
//!
//! # Layout
//!
//! - [`stack`]: `stack.json`, by which a local system is reached
//! - [`system`]: a system, local or deployed: its names, and SDK clients for its services
//! - [`signing`]: SigV4 for HTTP calls
//! - [`api`]: calls of the HTTP API
//! - [`consumer`]: a session that polls its queue and decrypts
//! - [`trouble`]: what it means for a consumer when SQS refuses
//! - [`stream`]: puts messages on the Kinesis stream
//! - [`backoff`]: waits between tries
//! - [`sdk`]: the settings that all SDK clients share

pub mod api;
pub mod backoff;
#[cfg(feature = "system")]
pub mod consumer;
#[cfg(feature = "system")]
pub mod sdk;
pub mod signing;
pub mod stack;
#[cfg(feature = "system")]
pub mod stream;
#[cfg(feature = "system")]
pub mod system;
#[cfg(feature = "system")]
pub mod trouble;

pub use api::{Api, ApiError, Reply};
#[cfg(feature = "system")]
pub use consumer::{Consumer, Session};
pub use signing::Signer;
pub use stack::{Keys, Stack};
#[cfg(feature = "system")]
pub use system::{System, SystemError};

use std::error::Error;

/// The functions: the names of their packages and binaries, and what their names end with after the environment's.
pub const FUNCTIONS: [&str; 6] = [
    "session-manager",
    "event-dispatcher",
    "sqs-sender",
    "user-history-adder",
    "session-update-processor",
    "messages-api",
];

/// An error with all its causes in one line; one that repeats its cause is told once.
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        next = cause.source();
        if texts.last().is_none_or(|last| !last.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}
