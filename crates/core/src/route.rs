//! Which lookups a batch of messages needs, and which messages a session gets.
//!
//! A batch is routed as a whole: its distinct targets become the fewest lookups ([`Router::lookups`]),
//! and every session that they find is matched against all messages at once ([`Router::route`]).
//! Where two lookups find the same session, exactly one of them, its owner, delivers to it. So a
//! session gets each of its messages once and in order, with no memory of the sessions seen.
//!
//! Broadcasts travel by themselves: everyone is looked up apart, and whoever that finds gets the
//! broadcasts and nothing else. So no message to a few ever waits for a scan of all.

use crate::{
    id::{AccountId, SessionId, UserId},
    message::Message,
    target::{SessionKeys, Target},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// One read of the sessions table. The order of the variants is their order of preference.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Lookup {
    /// The one session of this key: a consistent `GetItem`.
    Key(AccountId, SessionId),
    /// Every session: a parallel `Scan` of the smallest index that has all.
    All,
    /// The sessions of an account: a `Query` of the table.
    Account(AccountId),
    /// The sessions of a user: a `Query` of the index by `userId`.
    User(UserId),
    /// The sessions with an id, of any account: a `Query` of the index by `sessionId`.
    Session(SessionId),
}

impl Lookup {
    /// The cheapest read that finds every session of `target`.
    ///
    /// ```
    /// use sbe_core::{id::*, route::Lookup, target::Target};
    /// let target = Target { account: Some(AccountId::from(1)), user: Some(UserId::from(2)), session: None };
    /// assert_eq!(Lookup::of(&target), Lookup::User(UserId::from(2)));
    /// ```
    pub fn of(target: &Target) -> Self {
        match (target.account.clone(), target.user.clone(), target.session.clone()) {
            (Some(account), _, Some(session)) => Self::Key(account, session),
            (None, _, Some(session)) => Self::Session(session),
            (_, Some(user), None) => Self::User(user),
            (Some(account), None, None) => Self::Account(account),
            (None, None, None) => Self::All,
        }
    }

    /// Whether it may find a session that `target` reaches.
    fn may_find(&self, target: &Target) -> bool {
        let of_account = |account| target.account.as_ref().is_none_or(|wanted| wanted == account);
        let with_id = |session| target.session.as_ref().is_none_or(|wanted| wanted == session);
        match self {
            Self::Key(account, session) => of_account(account) && with_id(session),
            Self::All => true,
            Self::Account(account) => of_account(account),
            Self::User(user) => target.user.as_ref().is_none_or(|wanted| wanted == user),
            Self::Session(session) => with_id(session),
        }
    }

    /// Every lookup but that of everyone which finds the session with these keys, in order of preference.
    fn finding(keys: SessionKeys<'_>) -> impl Iterator<Item = Self> + '_ {
        [
            Some(Self::Key(keys.account.clone(), keys.session.clone())),
            Some(Self::Account(keys.account.clone())),
            keys.user.cloned().map(Self::User),
            Some(Self::Session(keys.session.clone())),
        ]
        .into_iter()
        .flatten()
    }
}

/// Routes one batch of messages.
#[derive(Debug)]
pub struct Router {
    lookups: Vec<Lookup>,
    broadcasts: Vec<usize>,
    by_shape: Vec<(Shape, HashMap<Target, Vec<usize>>)>,
}

impl Router {
    /// A router for `messages`; it speaks of them by their index.
    pub fn new<'a>(messages: impl IntoIterator<Item = &'a Message, IntoIter: Clone>) -> Self {
        let messages = messages.into_iter();
        let lookups: BTreeSet<Lookup> =
            messages.clone().map(|message| Lookup::of(message.target())).collect();
        Self::with_lookups(messages, lookups.into_iter().collect())
    }

    /// A router for some messages of a batch, of which `lookups` are all lookups, sorted: which of them
    /// delivers to a session is decided by the batch, whoever carries a lookup out.
    pub fn with_lookups<'a>(messages: impl IntoIterator<Item = &'a Message>, lookups: Vec<Lookup>) -> Self {
        let (mut broadcasts, mut by_shape) = (Vec::new(), Vec::<(Shape, HashMap<Target, Vec<usize>>)>::new());
        for (index, message) in messages.into_iter().enumerate() {
            if *message.target() == Target::EVERYONE {
                broadcasts.push(index);
                continue;
            }
            let shape = Shape::of(message.target());
            let slot = by_shape.iter().position(|(known, _)| *known == shape).unwrap_or_else(|| {
                by_shape.push((shape, HashMap::new()));
                by_shape.len() - 1
            });
            by_shape[slot].1.entry(message.target().clone()).or_default().push(index);
        }
        Self { lookups, broadcasts, by_shape }
    }

    /// The lookups to make, sorted, which is their order of preference: consistent reads first.
    pub fn lookups(&self) -> &[Lookup] {
        &self.lookups
    }

    /// The messages for a session that `lookup` found, as ascending indexes.
    ///
    /// Empty when no message is for it, or when an earlier lookup finds it too and so delivers.
    pub fn route(&self, lookup: &Lookup, keys: SessionKeys<'_>) -> Vec<usize> {
        if *lookup == Lookup::All {
            self.broadcasts.clone()
        } else if self.owner(keys).as_ref() == Some(lookup) {
            self.messages_for(keys)
        } else {
            Vec::new()
        }
    }

    /// The messages that `lookup` may have to deliver: all that a session could get of which it is the
    /// owner, as ascending indexes. They are what someone else needs to carry it out.
    pub fn needing(&self, lookup: &Lookup) -> Vec<usize> {
        if *lookup == Lookup::All {
            return self.broadcasts.clone();
        }
        let targets = self.by_shape.iter().flat_map(|(_, targets)| targets);
        let needing = targets.filter(|(target, _)| Lookup::of(target) >= *lookup && lookup.may_find(target));
        let mut indexes: Vec<usize> = needing.flat_map(|(_, indexes)| indexes).copied().collect();
        indexes.sort_unstable();
        indexes
    }

    /// The lookups that decide whether `lookup` delivers to a session that it finds: itself, and those
    /// which would be preferred to it.
    pub fn deciding(&self, lookup: &Lookup) -> Vec<Lookup> {
        let may_be_preferred = |other: &&Lookup| match (lookup, other) {
            (Lookup::All, _) | (_, Lookup::All) => false,
            (Lookup::Account(account), Lookup::Key(of, _)) => account == of,
            (Lookup::Session(session), Lookup::Key(_, id)) => session == id,
            _ => *other < lookup,
        };
        let is_deciding = |other: &&Lookup| *other == lookup || may_be_preferred(other);
        self.lookups.iter().filter(is_deciding).cloned().collect()
    }

    /// The first lookup that finds the session: it delivers, the others skip.
    fn owner(&self, keys: SessionKeys<'_>) -> Option<Lookup> {
        Lookup::finding(keys).find(|lookup| self.lookups.binary_search(lookup).is_ok())
    }

    /// All messages whose target matches, at the price of one hash lookup for each shape of target
    /// in the batch, however many messages there are.
    fn messages_for(&self, keys: SessionKeys<'_>) -> Vec<usize> {
        let matching = self.by_shape.iter().filter_map(|(shape, targets)| targets.get(&shape.target(keys)));
        let mut indexes: Vec<usize> = matching.flatten().copied().collect();
        indexes.sort_unstable();
        indexes
    }
}

/// Which keys a target has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    account: bool,
    user: bool,
    session: bool,
}

impl Shape {
    fn of(target: &Target) -> Self {
        Self {
            account: target.account.is_some(),
            user: target.user.is_some(),
            session: target.session.is_some(),
        }
    }

    /// The target of this shape that a session's keys match.
    ///
    /// A session without a user matches no target that names one: the projection then lacks the
    /// user, and no target of this shape equals it.
    fn target(self, keys: SessionKeys<'_>) -> Target {
        Target {
            account: self.account.then(|| keys.account.clone()),
            user: keys.user.filter(|_| self.user).cloned(),
            session: self.session.then(|| keys.session.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::MessageId;
    use proptest::prelude::*;

    type Keys = (i64, &'static str, Option<i64>);

    fn keys_of((account, session, user): &(AccountId, SessionId, Option<UserId>)) -> SessionKeys<'_> {
        SessionKeys { account, session, user: user.as_ref() }
    }

    fn typed((account, session, user): Keys) -> (AccountId, SessionId, Option<UserId>) {
        (AccountId::from(account), SessionId::parse(session).unwrap(), user.map(UserId::from))
    }

    fn messages(targets: Vec<Target>) -> Vec<Message> {
        let id = || MessageId::parse("m").unwrap();
        targets.into_iter().map(|target| Message::parse(b"{}", &target, id).unwrap()).collect()
    }

    fn target() -> impl Strategy<Value = Target> {
        let key = || prop::option::of(0..3i64);
        (key(), key(), prop::option::of("[a-c]")).prop_map(|(account, user, session)| Target {
            account: account.map(AccountId::from),
            user: user.map(UserId::from),
            session: session.map(|id| SessionId::parse(id).unwrap()),
        })
    }

    fn finds(lookup: &Lookup, keys: SessionKeys<'_>) -> bool {
        *lookup == Lookup::All || Lookup::finding(keys).any(|finding| finding == *lookup)
    }

    fn all_sessions() -> Vec<(AccountId, SessionId, Option<UserId>)> {
        let mut all = Vec::new();
        for account in 0..3 {
            for session in ["a", "b", "c"] {
                // One user for each session, so that every relation of keys occurs.
                let user = [None, Some(0), Some(1), Some(2)][(all.len() * 7) % 4];
                all.push(typed((account, session, user)));
            }
        }
        all
    }

    proptest! {
        #[test]
        fn a_session_gets_exactly_the_messages_that_match_it_once_and_in_order(
            targets in prop::collection::vec(target(), 0..12),
        ) {
            let messages = messages(targets);
            let router = Router::new(&messages);
            for session in all_sessions() {
                let keys = keys_of(&session);
                let finding = router.lookups().iter().filter(|lookup| finds(lookup, keys));
                let delivered: Vec<Vec<usize>> = finding.map(|lookup| router.route(lookup, keys)).collect();
                let (broadcasts, others): (Vec<usize>, Vec<usize>) = (0..messages.len())
                    .filter(|index| messages[*index].target().matches(keys))
                    .partition(|index| *messages[*index].target() == Target::EVERYONE);
                let mut delivered: Vec<_> = delivered.into_iter().filter(|list| !list.is_empty()).collect();
                let mut expected: Vec<_> = [broadcasts, others].into_iter().filter(|list| !list.is_empty()).collect();
                delivered.sort();
                expected.sort();
                prop_assert_eq!(delivered, expected);
            }
        }

        #[test]
        fn whoever_carries_a_lookup_out_needs_only_its_messages(
            targets in prop::collection::vec(target(), 0..12),
        ) {
            let messages = messages(targets);
            let router = Router::new(&messages);
            for lookup in router.lookups() {
                let needing = router.needing(lookup);
                let some: Vec<Message> = needing.iter().map(|index| messages[*index].clone()).collect();
                let other = Router::with_lookups(&some, router.deciding(lookup));
                for session in all_sessions().iter().filter(|session| finds(lookup, keys_of(session))) {
                    let keys = keys_of(session);
                    let delivered: Vec<usize> =
                        other.route(lookup, keys).into_iter().map(|index| needing[index]).collect();
                    prop_assert_eq!(delivered, router.route(lookup, keys));
                }
            }
        }
    }

    #[test]
    fn each_target_has_the_cheapest_lookup() {
        let session = SessionId::parse("s").unwrap();
        let (account, user) = (AccountId::from(1), UserId::from(2));
        let lookup = |a: bool, u: bool, s: bool| {
            Lookup::of(&Target {
                account: a.then(|| account.clone()),
                user: u.then(|| user.clone()),
                session: s.then(|| session.clone()),
            })
        };
        assert_eq!(lookup(true, false, true), Lookup::Key(account.clone(), session.clone()));
        assert_eq!(lookup(true, true, true), Lookup::Key(account.clone(), session.clone()));
        assert_eq!(lookup(false, false, true), Lookup::Session(session.clone()));
        assert_eq!(lookup(false, true, true), Lookup::Session(session.clone()));
        assert_eq!(lookup(false, true, false), Lookup::User(user.clone()));
        assert_eq!(lookup(true, true, false), Lookup::User(user.clone()));
        assert_eq!(lookup(true, false, false), Lookup::Account(account.clone()));
        assert_eq!(lookup(false, false, false), Lookup::All);
    }

    #[test]
    fn a_burst_of_broadcasts_is_one_scan_and_nobody_else_waits_for_it() {
        let user = Target { user: Some(UserId::from(1)), ..Target::EVERYONE };
        let router = Router::new(&messages(vec![Target::EVERYONE, user, Target::EVERYONE]));
        assert_eq!(router.lookups(), [Lookup::All, Lookup::User(UserId::from(1))]);
        let session = typed((1, "a", Some(1)));
        assert_eq!(router.route(&Lookup::All, keys_of(&session)), [0, 2]);
        assert_eq!(router.route(&Lookup::User(UserId::from(1)), keys_of(&session)), [1]);
    }

    #[test]
    fn a_target_is_looked_up_once() {
        let user = || Target { user: Some(UserId::from(1)), ..Target::EVERYONE };
        let router = Router::new(&messages(vec![user(), user()]));
        assert_eq!(router.lookups(), [Lookup::User(UserId::from(1))]);
        let session = typed((1, "a", Some(1)));
        assert_eq!(router.route(&Lookup::User(UserId::from(1)), keys_of(&session)), [0, 1]);
    }
}
