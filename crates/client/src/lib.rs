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
//! - [`sdk`]: the settings that all SDK clients share

pub mod api;
pub mod consumer;
pub mod sdk;
pub mod signing;
pub mod stack;
pub mod system;

pub use api::{Api, ApiError, Reply};
pub use consumer::{Consumer, Session};
pub use signing::Signer;
pub use stack::{Keys, Stack};
pub use system::{System, SystemError};
