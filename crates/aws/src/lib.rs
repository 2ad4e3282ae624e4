//! Everything that sqs-browser-events asks of AWS.
//!
//! The only user of the AWS SDKs and the only reader of the environment. It carries out what the
//! functions decide and knows nothing of HTTP replies.
//!
//! # Layout
//!
//! - [`config`]: the environment, read once and validated; every default
//! - [`clients`]: one configured SDK client for each service
//! - [`sessions`]: the sessions table: one session, a page of all
//! - [`owners`]: the queues that sessions own
//! - [`lookups`]: lookups of the sessions that messages are for
//! - [`history`]: the history table: entries added and marked read
//! - [`pages`]: pages of histories, and which messages are unread
//! - [`unread`]: how many messages of a history are unread
//! - [`presence`]: active sessions of a user or an account
//! - [`queues`]: the session queues and the queue for rejected records
//! - [`identities`]: Cognito identities and their credentials
//! - [`parking`]: the queue of work that was given up
//! - [`leftovers`]: what an invocation leaves: handed on, or parked
//! - [`event_bus`]: the `EventBridge` bus that is told of messages which reach nobody
//! - [`functions`]: invocations of the other functions
//! - [`receipts`]: marks messages read and tells the user's sessions
//! - [`retry`]: full-jitter backoff within the time an invocation has left
//! - [`settle`]: does all of something by the deadline, and tells what is left
//! - [`error`]: what went wrong, and whether trying again can help
//! - [`random`]: random bytes and counters from the operating system
//! - [`time`]: the clock

pub mod clients;
pub mod config;
pub mod error;
pub mod event_bus;
pub mod functions;
pub mod history;
pub mod identities;
pub mod leftovers;
pub mod lookups;
pub mod owners;
pub mod pages;
pub mod parking;
pub mod presence;
pub mod queues;
pub mod random;
pub mod receipts;
pub mod retry;
pub mod sessions;
pub mod settle;
pub mod time;
pub mod unread;

pub use error::{Error, Kind, Result};
