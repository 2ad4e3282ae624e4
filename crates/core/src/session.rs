//! A browser session, its keys and its life.
//!
//! `docs/PROTOCOL.md`: "A session's access keys work until `expires`. It receives messages until
//! `ttl`, so that it can still renew and find them. After `ttl` it is made anew."
//!
//! How a session is made, renewed and ended is in [`crate::life`].

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

/// Cognito's access keys work for so many seconds, unless the pool says otherwise.
pub const KEYS_LIFE: i64 = 3600;

/// A session as it is stored: what a lookup needs, and how to get access keys. Never the keys.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// The AWS region of the queue.
    pub region: String,
    /// The Cognito identity that may read the queue.
    #[serde(flatten)]
    pub identity: Identity,
    /// The base64 of the key of the session's frames.
    pub aes_key: String,
    /// The key before this one, if the key was changed. Frames under it may still wait.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousKey>,
    /// How long the queue keeps messages.
    pub message_retention: MessageRetention,
    /// When the session was made, in epoch seconds.
    pub created: i64,
    /// When it was last renewed or refreshed, in epoch seconds.
    pub renewed: i64,
    /// Until when the access keys that were given then work at least, in epoch seconds.
    pub expires: i64,
    /// When the session ends, in epoch seconds.
    pub ttl: i64,
}

/// A session's former AES key.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PreviousKey {
    /// Its base64.
    #[serde(rename = "previousAesKey")]
    pub aes_key: String,
    /// When it was replaced, in epoch seconds.
    pub rotated: i64,
}

/// A frame may be on its way for so long (seconds) after its key was read: an asynchronous invocation
/// may wait an hour.
const IN_FLIGHT: i64 = 3600;

/// A Cognito identity, and the name under which it was asked for.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Cognito's id of it, such as `eu-west-1:7b0e…`.
    #[serde(rename = "identityId")]
    pub id: String,
    /// The random developer user identifier that opens it; `None` for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub developer_user_identifier: Option<String>,
}

/// Temporary access keys of an identity.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Keys {
    /// Access key id.
    pub access_key: String,
    /// Secret of the access key.
    pub secret_key: String,
    /// Session token.
    pub session_token: String,
    /// When they stop working, in epoch seconds.
    pub expires: i64,
}

impl Session {
    /// Whether the session still lives at `now` (epoch seconds).
    pub fn is_active(&self, now: i64) -> bool {
        is_active(self.ttl, now)
    }

    /// The former AES key, as long as frames under it may wait at `now` (epoch seconds).
    pub fn previous_key(&self, now: i64) -> Option<&PreviousKey> {
        let needed = i64::from(self.message_retention.seconds()) + IN_FLIGHT;
        self.previous.as_ref().filter(|previous| now < previous.rotated + needed)
    }

    /// The name of the session's queue: the last part of its URL.
    pub fn queue_name(&self) -> &str {
        self.sqs_url.rsplit('/').next().unwrap_or_default()
    }

    /// The session as `/create`, `/renew` and `/status` of one session show it at `now` (epoch seconds),
    /// with access keys.
    pub fn with_keys<'a>(&'a self, keys: &'a Keys, now: i64) -> impl Serialize + 'a {
        WithKeys {
            shown: self.shown(),
            identity_id: &self.identity.id,
            access_key: &keys.access_key,
            secret_key: &keys.secret_key,
            session_token: &keys.session_token,
            aes_key: &self.aes_key,
            previous_aes_key: self.previous_key(now).map(|previous| previous.aes_key.as_str()),
            // A session that ends before its keys do is of no use afterwards.
            expires: keys.expires.min(self.ttl),
        }
    }

    /// The session as the list of all shows it: nothing that is a secret, or worth one.
    pub fn without_secrets(&self) -> impl Serialize + '_ {
        WithoutSecrets { shown: self.shown(), expires: self.expires }
    }

    fn shown(&self) -> Shown<'_> {
        Shown {
            account_id: &self.account_id,
            session_id: &self.session_id,
            user_id: self.user_id.as_ref(),
            sqs_url: &self.sqs_url,
            sqs_queue_name: self.queue_name(),
            region: &self.region,
            ttl: self.ttl,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    account_id: &'a AccountId,
    session_id: &'a SessionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a UserId>,
    sqs_url: &'a str,
    sqs_queue_name: &'a str,
    region: &'a str,
    ttl: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WithKeys<'a> {
    #[serde(flatten)]
    shown: Shown<'a>,
    identity_id: &'a str,
    access_key: &'a str,
    secret_key: &'a str,
    session_token: &'a str,
    aes_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_aes_key: Option<&'a str>,
    expires: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WithoutSecrets<'a> {
    #[serde(flatten)]
    shown: Shown<'a>,
    expires: i64,
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

/// `Debug` shows the time only: the rest is secret.
impl fmt::Debug for PreviousKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreviousKey").field("rotated", &self.rotated).finish_non_exhaustive()
    }
}

/// `Debug` shows nothing: what opens an identity is a secret.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// `Debug` shows the time only: the rest is secret.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// DynamoDB removes an item some time after its `ttl`; until then the item is there but ended.
pub(crate) fn is_active(ttl: i64, now: i64) -> bool {
    ttl > now
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

/// The key that a rotation brings. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NewKey(pub String);

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NewKey").finish_non_exhaustive()
    }
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
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

    fn session() -> Session {
        Session {
            account_id: AccountId::from(1),
            session_id: SessionId::parse("s").unwrap(),
            user_id: Some(UserId::from(7)),
            sqs_url: "https://sqs.eu-west-1.amazonaws.com/1/prod-brws-x".into(),
            region: "eu-west-1".into(),
            identity: Identity { id: "hidden".into(), developer_user_identifier: Some("hidden".into()) },
            aes_key: "hidden".into(),
            previous: Some(PreviousKey { aes_key: "hidden".into(), rotated: 10 }),
            message_retention: MessageRetention(60),
            created: 10,
            renewed: 20,
            expires: 30,
            ttl: 40,
        }
    }

    fn keys(expires: i64) -> Keys {
        let text = || "hidden".to_owned();
        Keys { access_key: text(), secret_key: text(), session_token: text(), expires }
    }

    fn names(shown: &impl Serialize) -> Vec<String> {
        let json = serde_json::to_value(shown).unwrap();
        let mut names: Vec<String> = json.as_object().unwrap().keys().cloned().collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_cursor_survives_its_token() {
        let cursor = Cursor { account: AccountId::from(-1), session: SessionId::parse("é/").unwrap() };
        assert_eq!(Cursor::from_token(&cursor.to_token()), Ok(cursor));
        for token in ["", "?", "e30"] {
            assert_eq!(Cursor::from_token(token).unwrap_err().field(), "next");
        }
    }

    #[test]
    fn secrets_stay_out_of_debug_output_and_of_lists() {
        let shown = format!("{:?} {:?} {:?}", session(), session().identity, keys(1));
        assert!(!shown.contains("hidden"), "{shown}");
        let listed = serde_json::to_string(&session().without_secrets()).unwrap();
        assert!(!listed.contains("hidden"), "{listed}");
    }

    #[test]
    fn what_is_stored_has_no_access_keys() {
        let stored = [
            "accountId",
            "aesKey",
            "created",
            "developerUserIdentifier",
            "expires",
            "identityId",
            "messageRetention",
            "previousAesKey",
            "region",
            "renewed",
            "rotated",
            "sessionId",
            "sqsUrl",
            "ttl",
            "userId",
        ];
        assert_eq!(names(&session()), stored);
        let text = serde_json::to_string(&session()).unwrap();
        assert_eq!(serde_json::from_str::<Session>(&text).unwrap(), session());
    }

    #[test]
    fn the_reply_names_fields_as_documented() {
        let reply = [
            "accessKey",
            "accountId",
            "aesKey",
            "expires",
            "identityId",
            "previousAesKey",
            "region",
            "secretKey",
            "sessionId",
            "sessionToken",
            "sqsQueueName",
            "sqsUrl",
            "ttl",
            "userId",
        ];
        assert_eq!(names(&session().with_keys(&keys(1), 20)), reply);
        assert_eq!(session().queue_name(), "prod-brws-x");
    }

    #[test]
    fn a_former_key_is_shown_while_frames_under_it_may_wait() {
        assert!(session().previous_key(10 + 60 + IN_FLIGHT - 1).is_some());
        assert!(session().previous_key(10 + 60 + IN_FLIGHT).is_none());
        assert!(!names(&session().with_keys(&keys(1), 9999)).contains(&"previousAesKey".to_owned()));
        let never = Session { previous: None, ..session() };
        assert_eq!(serde_json::from_value::<Session>(serde_json::to_value(&never).unwrap()).unwrap(), never);
    }

    #[test]
    fn keys_are_of_no_use_after_the_session() {
        let expires =
            |keys: Keys| serde_json::to_value(session().with_keys(&keys, 20)).unwrap()["expires"].clone();
        assert_eq!((expires(keys(35)), expires(keys(45))), (35.into(), 40.into()));
    }
}
