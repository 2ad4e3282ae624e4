//! The rules of sqs-browser-events, as pure functions over plain data.
//!
//! Nothing here reads a clock, an environment, a random number or a socket: time, counters and ids
//! are arguments. The function crates decide with this crate and act with `sbe-aws`.
//!
//! # Layout
//!
//! - [`id`]: account, user, session and message ids as validated newtypes
//! - [`message`]: a published message, its text kept byte for byte
//! - [`broadcast`]: which messages may go to everyone
//! - [`envelope`]: events that are no messages, told from those that are
//! - [`target`]: the routing keys of a message, and the rule of a match
//! - [`route`]: which lookups a batch of messages needs, and which messages a session gets
//! - [`page`]: what all lists have in common: the size of a page, the token of the next
//! - [`part`]: parts of a lookup: what one reader reads, and how many are shared out
//! - [`handed_on`]: what a dispatcher hands on to another invocation of itself
//! - [`offline`]: which messages are handed over when nobody is there, and for whom nobody was found
//! - [`unreached`]: the events that tell of them, and how they are handed on
//! - [`payload`]: what the dispatcher hands to the sender and to the history, cut to size
//! - [`audience`]: the distinct users that a batch reaches, for their histories
//! - [`batch`]: batches within the limits of SQS and `EventBridge`
//! - [`cleanup`]: which queues nobody owns, and how very many are gone through
//! - [`frame`]: the encrypted body of an SQS message
//! - [`session`]: a browser session and its keys
//! - [`life`]: how a session is made, renewed and ended while other calls do the same
//! - [`history`]: the history of a user: entries, queries, pages
//! - [`recipient`]: a session as the dispatcher reads it
//! - [`version`]: the version of what functions hand to each other
//! - [`unread`]: how many messages of a history are unread
//! - [`presence`]: active sessions as presence shows them
//! - [`receipt`]: read receipts: their lists, chunks and message
//! - [`stages`]: what functions log of the way of a message

use std::borrow::Cow;

pub mod audience;
pub mod batch;
pub mod broadcast;
pub mod cleanup;
pub mod envelope;
pub mod frame;
pub mod handed_on;
pub mod history;
pub mod id;
pub mod life;
pub mod message;
pub mod offline;
pub mod page;
pub mod part;
pub mod payload;
pub mod presence;
pub mod receipt;
pub mod recipient;
pub mod route;
pub mod session;
pub mod stages;
pub mod target;
pub mod unreached;
pub mod unread;
pub mod version;

/// The alias of every function, by which it is called: a deployment moves it to the version that it publishes,
/// at once or by and by.
pub const ALIAS: &str = "live";

/// Bad input: which field is wrong, and what it must be.
///
/// The text is meant for the caller: it names the field and the rule and never repeats the value.
///
/// ```
/// let error = sbe_core::Invalid::new("userId", "must be an integer");
/// assert_eq!(error.to_string(), "userId must be an integer");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {rule}")]
pub struct Invalid {
    field: String,
    rule: Cow<'static, str>,
}

impl Invalid {
    /// An error about `field`; `rule` completes the sentence that starts with its name.
    pub fn new(field: impl Into<String>, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), rule: rule.into() }
    }

    /// What the field must be.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The name of the field that is wrong.
    pub fn field(&self) -> &str {
        &self.field
    }
}
