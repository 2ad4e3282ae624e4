//! The routing keys of a message, and the rule of a match.
//!
//! `docs/PROTOCOL.md`: "All keys present in a message must match the values that the session was
//! created with. A message without keys is for every session."

use crate::id::{AccountId, SessionId, UserId};

/// Whom a message is for: every key that is present must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Target {
    /// Only sessions of this account.
    pub account: Option<AccountId>,
    /// Only sessions of this user.
    pub user: Option<UserId>,
    /// Only this session.
    pub session: Option<SessionId>,
}

impl Target {
    /// Everyone: a target without keys.
    pub const EVERYONE: Target = Target { account: None, user: None, session: None };

    /// Whether `keys` are those of a session that this target reaches.
    ///
    /// ```
    /// use sbe_core::{id::*, target::*};
    /// let session = SessionId::parse("s").unwrap();
    /// let account = AccountId::from(1);
    /// let keys = SessionKeys { account: &account, session: &session, user: None };
    /// assert!(Target::EVERYONE.matches(keys));
    /// assert!(!Target { user: Some(UserId::from(1)), ..Target::EVERYONE }.matches(keys));
    /// ```
    pub fn matches(&self, keys: SessionKeys<'_>) -> bool {
        self.account.as_ref().is_none_or(|account| account == keys.account)
            && self.user.as_ref().is_none_or(|user| Some(user) == keys.user)
            && self.session.as_ref().is_none_or(|session| session == keys.session)
    }

    /// The same target with the keys of `winner` in place of its own, where `winner` has them.
    #[must_use]
    pub fn overridden_by(self, winner: &Target) -> Target {
        Target {
            account: winner.account.clone().or(self.account),
            user: winner.user.clone().or(self.user),
            session: winner.session.clone().or(self.session),
        }
    }
}

/// The values a session was created with, against which targets are matched.
#[derive(Debug, Clone, Copy)]
pub struct SessionKeys<'a> {
    /// The session's account.
    pub account: &'a AccountId,
    /// The session's id.
    pub session: &'a SessionId,
    /// The session's user, if it was created for one.
    pub user: Option<&'a UserId>,
}
