//! A browser session, its keys and its life.
//!
//! `docs/PROTOCOL.md`: "A session's access keys work until `expires`. It receives messages until
//! `ttl`, so that it can still renew and find them. After `ttl` it is made anew."

use crate::{
    Invalid,
    frame::AesKey,
    id::{AccountId, SessionId, UserId},
    page,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The tag that ties a queue to the identity that may read it.
pub const IDENTITY_TAG: &str = "identityId";

/// A session as it is stored, and as its creator receives it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The account that the session was created under.
    pub account_id: AccountId,
    /// The session's id within the account.
    pub session_id: SessionId,
    /// The user that the session was created for, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The session's queue, where SQS answers for it.
    pub sqs_url: String,
    /// The name of that queue.
    pub sqs_queue_name: String,
    /// The AWS region of the queue.
    pub region: String,
    /// The Cognito identity that may read the queue.
    pub identity_id: String,
    /// Temporary access key of that identity.
    pub access_key: String,
    /// Secret of the access key.
    pub secret_key: String,
    /// Session token of the access key.
    pub session_token: String,
    /// When the access key stops working, in epoch seconds.
    pub expires: i64,
    /// When the session ends, in epoch seconds.
    pub ttl: i64,
    /// The base64 of the key of the session's frames.
    pub aes_key: String,
}

impl Session {
    /// Whether the session still lives at `now` (epoch seconds).
    pub fn is_active(&self, now: i64) -> bool {
        is_active(self.ttl, now)
    }
}

/// `Debug` shows ids only: a session is made of secrets.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("account_id", &self.account_id)
            .field("session_id", &self.session_id)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// DynamoDB removes an item some time after its `ttl`; until then the item is there but ended.
pub(crate) fn is_active(ttl: i64, now: i64) -> bool {
    ttl > now
}

/// What `/create` has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Creation {
    /// Make a queue, an AES key and an identity.
    New,
    /// Keep queue and AES key, get a new identity.
    Refresh(Box<Session>),
}

impl Creation {
    /// Decides between a refresh and a new session.
    ///
    /// A session that is created again for another user is made anew, so that the messages which
    /// wait for the former user cannot be read by the next one.
    pub fn plan(existing: Option<Session>, user: Option<UserId>, now: i64) -> Self {
        match existing {
            Some(session) if session.is_active(now) && session.user_id == user => {
                Self::Refresh(Box::new(session))
            }
            _ => Self::New,
        }
    }
}

/// A place in the list of all sessions: after the session with this key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The account of the session before this place.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// The id of the session before this place.
    #[serde(rename = "s")]
    pub session: SessionId,
}

impl Cursor {
    /// The opaque text that a page gives as `next`.
    pub fn to_token(&self) -> String {
        page::to_token(self)
    }

    /// Reads the text that a page gave as `next`.
    pub fn from_token(token: &str) -> Result<Self, Invalid> {
        page::from_token(token)
    }
}

/// The name of a new queue: never derived from ids, so that it cannot be guessed.
///
/// ```
/// let name = sbe_core::session::queue_name("prod", [0; 32]);
/// assert_eq!(name, "prod-brws-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
/// assert!(name.starts_with(&sbe_core::session::queue_prefix("prod")));
/// ```
pub fn queue_name(env: &str, random: [u8; 32]) -> String {
    queue_prefix(env) + &URL_SAFE_NO_PAD.encode(random)
}

/// What the names of an environment's session queues start with.
pub fn queue_prefix(env: &str) -> String {
    format!("{env}-brws-")
}

/// A new AES key in its text form.
pub fn new_aes_key(random: [u8; 32]) -> String {
    AesKey::new(random).to_base64()
}

/// How long SQS keeps a message that nobody fetches, in seconds.
///
/// ```
/// use sbe_core::session::MessageRetention;
/// assert_eq!(MessageRetention::parse("60").unwrap().seconds(), 60);
/// assert_eq!(
///     MessageRetention::parse("59").unwrap_err().to_string(),
///     "MessageRetentionPeriod must be an integer from 60 to 1209600 (seconds)"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRetention(u32);

impl MessageRetention {
    /// The name of the query parameter and of the SQS attribute.
    pub const FIELD: &'static str = "MessageRetentionPeriod";

    /// Reads a query parameter.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        text.parse()
            .ok()
            .filter(|seconds| (60..=1_209_600).contains(seconds))
            .map(Self)
            .ok_or(Invalid::new(Self::FIELD, "must be an integer from 60 to 1209600 (seconds)"))
    }

    /// The period in seconds.
    pub fn seconds(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(user: Option<i64>, ttl: i64) -> Session {
        Session {
            account_id: AccountId(1),
            session_id: SessionId::parse("s").unwrap(),
            user_id: user.map(UserId),
            sqs_url: "url".into(),
            sqs_queue_name: "name".into(),
            region: "r".into(),
            identity_id: "i".into(),
            access_key: "AKIA".into(),
            secret_key: "hidden".into(),
            session_token: "hidden".into(),
            expires: 50,
            ttl,
            aes_key: "hidden".into(),
        }
    }

    #[test]
    fn a_live_session_of_the_same_user_is_refreshed() {
        let plan =
            |user: Option<i64>, ttl| Creation::plan(Some(session(Some(7), ttl)), user.map(UserId), 100);
        assert_eq!(plan(Some(7), 101), Creation::Refresh(Box::new(session(Some(7), 101))));
        assert_eq!(plan(Some(7), 100), Creation::New, "past its ttl");
        assert_eq!(plan(Some(8), 101), Creation::New, "another user");
        assert_eq!(plan(None, 101), Creation::New, "no user any more");
        assert_eq!(Creation::plan(None, None, 100), Creation::New);
    }

    #[test]
    fn a_cursor_survives_its_token() {
        let cursor = Cursor { account: AccountId(-1), session: SessionId::parse("é/").unwrap() };
        assert_eq!(Cursor::from_token(&cursor.to_token()), Ok(cursor));
        for token in ["", "?", "e30"] {
            assert_eq!(Cursor::from_token(token).unwrap_err().field(), "next");
        }
    }

    #[test]
    fn a_session_hides_its_secrets_from_debug_output() {
        let shown = format!("{:?}", session(None, 1));
        assert!(!shown.contains("hidden") && !shown.contains("AKIA"), "{shown}");
    }

    #[test]
    fn the_reply_names_fields_as_documented() {
        let json = serde_json::to_value(session(None, 1)).unwrap();
        let mut names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "accessKey",
                "accountId",
                "aesKey",
                "expires",
                "identityId",
                "region",
                "secretKey",
                "sessionId",
                "sessionToken",
                "sqsQueueName",
                "sqsUrl",
                "ttl",
            ]
        );
    }
}
