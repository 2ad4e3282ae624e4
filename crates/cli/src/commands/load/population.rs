//! Accounts, users and sessions of a run, and who must receive what.
//!
//! The rule is written here once more, apart from the system's own: a fault of the system's cannot
//! hide itself.

use super::scenario::Sessions;
use fastrand::Rng;
use std::collections::HashMap;

/// A session, by numbers: a run's name turns them into ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Member {
    /// Its account.
    pub account: u32,
    /// Its name: the same names are in all accounts, so that a lookup that forgets the account is found out.
    pub name: u32,
    /// Its user, whose other sessions may be in other accounts.
    pub user: Option<u32>,
}

/// The routing keys of a message. None: everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Keys {
    /// `accountId`.
    pub account: Option<u32>,
    /// `userId`.
    pub user: Option<u32>,
    /// `sessionId`.
    pub name: Option<u32>,
}

impl Keys {
    /// docs/PROTOCOL.md: "All keys present in a message must match the values that the session was created with."
    pub fn are_for(self, member: Member) -> bool {
        self.account.is_none_or(|account| account == member.account)
            && self.user.is_none_or(|user| Some(user) == member.user)
            && self.name.is_none_or(|name| name == member.name)
    }
}

/// All sessions, and where to find them.
#[derive(Debug)]
pub struct Population {
    /// The sessions.
    pub members: Vec<Member>,
    /// How many accounts there are.
    pub accounts: u32,
    /// How many users there are.
    pub users: u32,
    by_account: HashMap<u32, Vec<u32>>,
    by_user: HashMap<u32, Vec<u32>>,
    by_name: HashMap<u32, Vec<u32>>,
}

impl Population {
    /// The sessions of a scenario.
    pub fn new(scenario: &Sessions, rng: &mut Rng) -> Self {
        let accounts = number(scenario.accounts);
        let with_user: Vec<bool> = (0..scenario.count).map(|_| rng.f64() >= scenario.without_user).collect();
        let users = users(with_user.iter().filter(|with| **with).count(), scenario.per_user);
        let mut met = 0;
        let member = |(index, with_user): (usize, bool)| {
            let user = with_user.then(|| {
                met += 1;
                // Every user has a session, and some have more.
                if met <= users { met - 1 } else { rng.u32(..users) }
            });
            let index = number(index);
            Member { account: index % accounts, name: index / accounts, user }
        };
        Self::of(with_user.into_iter().enumerate().map(member).collect(), accounts, users)
    }

    fn of(members: Vec<Member>, accounts: u32, users: u32) -> Self {
        let (mut by_account, mut by_user, mut by_name) =
            <(HashMap<_, Vec<_>>, HashMap<_, Vec<_>>, HashMap<_, Vec<_>>)>::default();
        for (index, member) in members.iter().enumerate() {
            by_account.entry(member.account).or_default().push(number(index));
            by_name.entry(member.name).or_default().push(number(index));
            if let Some(user) = member.user {
                by_user.entry(user).or_default().push(number(index));
            }
        }
        Self { members, accounts, users, by_account, by_user, by_name }
    }

    /// The sessions that a message with these keys is for, as places in `members`.
    pub fn audience(&self, keys: Keys) -> impl Iterator<Item = usize> + '_ {
        let among = |found: Option<&Vec<u32>>| found.cloned().unwrap_or_default();
        // The smallest index that has them all; the rule itself decides.
        let candidates = match keys {
            Keys { user: Some(user), .. } => among(self.by_user.get(&user)),
            Keys { name: Some(name), .. } => among(self.by_name.get(&name)),
            Keys { account: Some(account), .. } => among(self.by_account.get(&account)),
            _ => (0..number(self.members.len())).collect(),
        };
        let places = candidates.into_iter().map(|place| place as usize);
        places.filter(move |place| keys.are_for(self.members[*place]))
    }

    /// The sessions of a user, as places in `members`.
    pub fn sessions_of(&self, user: u32) -> impl Iterator<Item = usize> + '_ {
        self.audience(Keys { user: Some(user), ..Keys::default() })
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most a million sessions"
)]
fn users(sessions: usize, per_user: f64) -> u32 {
    (sessions as f64 / per_user).ceil() as u32
}

/// A place or a count, of which there are far fewer than 2^32.
pub fn number(count: usize) -> u32 {
    u32::try_from(count).expect("a scenario is smaller")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn population(seed: u64) -> Population {
        let scenario =
            Sessions { count: 60, accounts: 4, without_user: 0.2, per_user: 2.0, create_rate: 1.0 };
        Population::new(&scenario, &mut Rng::with_seed(seed))
    }

    #[test]
    fn an_audience_is_who_the_rule_says_whatever_the_keys() {
        let population = population(7);
        let ids = |most: u32| std::iter::once(None).chain((0..most).map(Some));
        for account in ids(5) {
            for user in ids(population.users + 1) {
                for name in ids(16) {
                    let keys = Keys { account, user, name };
                    let all = population.members.iter().enumerate();
                    let expected: Vec<usize> =
                        all.filter(|(_, member)| keys.are_for(**member)).map(|(at, _)| at).collect();
                    assert_eq!(population.audience(keys).collect::<Vec<_>>(), expected, "{keys:?}");
                }
            }
        }
    }

    #[test]
    fn a_key_that_is_there_must_match() {
        let member = Member { account: 1, name: 2, user: None };
        let for_user = Keys { user: Some(0), ..Keys::default() };
        assert!(Keys::default().are_for(member) && !for_user.are_for(member));
        assert!(Keys { account: Some(1), name: Some(2), user: None }.are_for(member));
        assert!(!Keys { account: Some(0), name: Some(2), user: None }.are_for(member));
    }

    #[test]
    fn every_user_has_a_session_some_several_and_some_sessions_have_none() {
        let population = population(1);
        let sessions: Vec<usize> =
            (0..population.users).map(|user| population.sessions_of(user).count()).collect();
        assert!(sessions.iter().all(|count| *count > 0) && sessions.iter().any(|count| *count > 1));
        assert!(population.members.iter().any(|member| member.user.is_none()));
        let mut distinct: Vec<_> =
            population.members.iter().map(|member| (member.account, member.name)).collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 60);
    }

    #[test]
    fn a_seed_makes_the_same_sessions_again() {
        assert_eq!(population(3).members, population(3).members);
        assert_ne!(population(3).members, population(4).members);
    }
}
