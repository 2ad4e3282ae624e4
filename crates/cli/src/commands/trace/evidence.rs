//! All that is known of one message.

use super::event::{Event, What};
use sbe_core::{
    id::{AccountId, MessageId, SessionId, UserId},
    stages::{Accepted, digest},
    target::Target,
};

/// What the log and the system say of a message.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The message.
    pub id: MessageId,
    /// The part of the log that was read, in epoch seconds.
    pub range: [i64; 2],
    /// What the functions log, such as `info`.
    pub log_level: String,
    /// What the log tells, in order of time.
    pub events: Vec<Event>,
    /// For whom it was asked.
    pub asked: Asked,
    /// The user's history has it.
    pub entry: Option<Entry>,
    /// Work of it that waits in the failed queue.
    pub failed: Vec<Waiting>,
    /// The reason for which it waits in the rejected queue.
    pub rejected: Option<String>,
    /// Whether all of the failed and the rejected queue was looked at.
    pub looked_at_all: bool,
}

/// For whom it is asked whether they got the message.
#[derive(Debug, Clone)]
pub enum Asked {
    /// Nobody: what became of the message at all.
    Nobody,
    /// One session; `None` if there is none.
    Session(AccountId, SessionId, Option<State>),
    /// All sessions of a user.
    User(UserId, Vec<State>),
}

/// A session as it is now.
#[derive(Debug, Clone)]
pub struct State {
    /// Its account.
    pub account: AccountId,
    /// Its id.
    pub session: SessionId,
    /// Its user, if it has one.
    pub user: Option<UserId>,
    /// When it was created, in epoch seconds.
    pub created: i64,
    /// When it ends, in epoch seconds.
    pub ttl: i64,
    /// The digest of its queue's URL.
    pub queue: String,
    /// What is in its queue.
    pub content: Content,
}

/// What a session's queue holds of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// There is no such queue.
    NoQueue,
    /// The message waits there.
    Waits,
    /// It is not there, but so many messages are received and not deleted yet.
    InFlight(u32),
    /// It is not there.
    Absent,
    /// Among so many messages it was not found, but not all could be looked at.
    Unknown(u32),
}

/// An entry of a user's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When the message was published, in epoch seconds.
    pub created: i64,
    /// Whether the user has read it.
    pub is_read: bool,
}

/// Work that waits in the failed queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// SQS's id of it, by which it is replayed.
    pub item: String,
    /// The function that is to be invoked again.
    pub function: String,
    /// Why it was given up.
    pub reason: String,
}

impl Evidence {
    /// The message as it was taken last, and when.
    pub fn accepted(&self) -> Option<(&str, &Accepted)> {
        self.events.iter().rev().find_map(|event| match &event.what {
            What::Accepted(_, accepted) => Some((event.at.as_str(), accepted)),
            _ => None,
        })
    }
}

/// The first routing key of a message that a session does not match.
pub fn differing(accepted: &Accepted, state: &State) -> Option<&'static str> {
    let target =
        Target { account: accepted.account_id.clone(), user: accepted.user_id.clone(), session: None };
    if target.account.is_some_and(|account| account != state.account) {
        return Some(AccountId::FIELD);
    }
    if target.user.is_some() && target.user != state.user {
        return Some(UserId::FIELD);
    }
    let wanted = accepted.session.as_ref();
    wanted.is_some_and(|wanted| *wanted != digest(state.session.as_str())).then_some(SessionId::FIELD)
}
