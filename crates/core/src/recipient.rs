//! A session as the dispatcher reads it: no more than it takes to match, encrypt and send.

use crate::{
    id::{AccountId, SessionId, UserId},
    session::is_active,
    target::SessionKeys,
};
use serde::Deserialize;

/// What the dispatcher needs of a session.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipient {
    /// The session's account.
    pub account_id: AccountId,
    /// The session's id.
    pub session_id: SessionId,
    /// The session's user, if it has one.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// The session's queue.
    pub sqs_url: String,
    /// The base64 of the key of the session's frames.
    pub aes_key: String,
    /// When the session ends, in epoch seconds.
    pub ttl: i64,
}

impl Recipient {
    /// The attributes that a lookup projects: the fields of this type.
    pub const ATTRIBUTES: [&'static str; 6] = ["accountId", "sessionId", "userId", "sqsUrl", "aesKey", "ttl"];

    /// The keys that targets are matched against.
    pub fn keys(&self) -> SessionKeys<'_> {
        SessionKeys { account: &self.account_id, session: &self.session_id, user: self.user_id.as_ref() }
    }

    /// Whether the session still lives at `now` (epoch seconds).
    pub fn is_active(&self, now: i64) -> bool {
        is_active(self.ttl, now)
    }
}
