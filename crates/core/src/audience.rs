//! The distinct users that a batch of messages reaches.
//!
//! `docs/PROTOCOL.md`: "Each distinct user reached keeps the message once, however many sessions."

use crate::id::UserId;
use std::collections::{HashMap, HashSet};

/// So many users are remembered, then all are forgotten: memory does not grow with the audience. Who
/// is met again after that is given the same once more, which a history takes for what it is.
const MAX_USERS: usize = 500_000;

/// Remembers which user was given which messages.
///
/// Nearly all users of a large audience get the same messages, those of the broadcasts. So the
/// first list of messages seen is remembered once and its users as bare ids: about 9 bytes for each.
/// Users with another list are remembered with it.
#[derive(Debug, Default)]
pub struct Audience {
    common: Vec<usize>,
    common_users: HashSet<UserId>,
    others: HashMap<UserId, Vec<usize>>,
}

impl Audience {
    /// The messages of `indexes` that `user` was not given before; it has them from now on.
    ///
    /// ```
    /// use sbe_core::{audience::Audience, id::UserId};
    /// let mut audience = Audience::default();
    /// assert_eq!(audience.add(UserId(1), &[0, 1]), [0, 1]);
    /// assert_eq!(audience.add(UserId(1), &[1, 2]), [2]);
    /// ```
    pub fn add(&mut self, user: UserId, indexes: &[usize]) -> Vec<usize> {
        if indexes.is_empty() {
            return Vec::new();
        }
        if self.common.is_empty() {
            self.common = indexes.to_vec();
        }
        let known = self.given(user);
        let new: Vec<usize> = indexes.iter().copied().filter(|index| !known.contains(index)).collect();
        let mut all: Vec<usize> = known.iter().chain(&new).copied().collect();
        all.sort_unstable();
        self.remember(user, all);
        new
    }

    fn given(&self, user: UserId) -> &[usize] {
        match self.others.get(&user) {
            Some(own) => own,
            None if self.common_users.contains(&user) => &self.common,
            None => &[],
        }
    }

    fn remember(&mut self, user: UserId, indexes: Vec<usize>) {
        if self.common_users.len() + self.others.len() >= MAX_USERS {
            self.common_users.clear();
            self.others.clear();
        }
        if indexes == self.common {
            self.others.remove(&user);
            self.common_users.insert(user);
        } else {
            self.others.insert(user, indexes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn each_user_is_given_each_message_once(
            reached in prop::collection::vec((0i64..4, prop::collection::btree_set(0usize..4, 0..4)), 0..30),
        ) {
            let mut audience = Audience::default();
            let mut given: BTreeSet<(i64, usize)> = BTreeSet::new();
            for (user, indexes) in &reached {
                let list: Vec<usize> = indexes.iter().copied().collect();
                for index in audience.add(UserId(*user), &list) {
                    prop_assert!(given.insert((*user, index)), "given twice");
                }
            }
            let expected: BTreeSet<(i64, usize)> =
                reached.iter().flat_map(|(user, set)| set.iter().map(|index| (*user, *index))).collect();
            prop_assert_eq!(given, expected);
        }
    }
}
