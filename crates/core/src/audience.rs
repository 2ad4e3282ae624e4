//! The distinct users that a batch of messages reaches.
//!
//! `docs/PROTOCOL.md`: "Each distinct user reached keeps the message once, however many sessions".

use crate::id::UserId;
use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState},
};

/// So many users are remembered, then all are forgotten: memory does not grow with the audience. Who
/// is met again after that is given the same once more, which a history takes for what it is.
const MAX_USERS: usize = 500_000;

/// Remembers which user was given which messages.
///
/// Nearly all users of a large audience get the same messages, those of the broadcasts. So the
/// first list of messages seen is remembered once and its users in as little memory as tells them
/// apart. Users with another list are remembered with it.
#[derive(Debug, Default)]
pub struct Audience {
    common: Vec<usize>,
    common_users: Users,
    others: HashMap<UserId, Vec<usize>>,
}

impl Audience {
    /// The messages of `indexes` that `user` was not given before; it has them from now on.
    ///
    /// ```
    /// use sbe_core::{audience::Audience, id::UserId};
    /// let mut audience = Audience::default();
    /// assert_eq!(audience.add(&UserId::from(1), &[0, 1]), [0, 1]);
    /// assert_eq!(audience.add(&UserId::from(1), &[1, 2]), [2]);
    /// ```
    pub fn add(&mut self, user: &UserId, indexes: &[usize]) -> Vec<usize> {
        if indexes.is_empty() {
            return Vec::new();
        }
        if self.common.is_empty() {
            self.common = indexes.to_vec();
        }
        if self.common_users.len() + self.others.len() >= MAX_USERS {
            self.common_users.clear();
            self.others.clear();
        }
        if indexes == self.common && !self.others.contains_key(user) {
            return if self.common_users.insert(user) { indexes.to_vec() } else { Vec::new() };
        }
        let known = self.given(user);
        let new: Vec<usize> = indexes.iter().copied().filter(|index| !known.contains(index)).collect();
        let mut all: Vec<usize> = known.iter().chain(&new).copied().collect();
        all.sort_unstable();
        self.remember(user, all);
        new
    }

    fn given(&self, user: &UserId) -> &[usize] {
        match self.others.get(user) {
            Some(own) => own,
            None if self.common_users.contains(user) => &self.common,
            None => &[],
        }
    }

    fn remember(&mut self, user: &UserId, indexes: Vec<usize>) {
        if indexes == self.common {
            self.others.remove(user);
            self.common_users.insert(user);
        } else {
            self.others.insert(user.clone(), indexes);
        }
    }
}

/// A set of users: integers as they are, about 9 bytes each, strings by a fingerprint, about 17.
///
/// A fingerprint is 128 bits of `SipHash` under a random key that lives as long as the set, so that
/// nobody can choose ids whose fingerprints agree. By chance two of a million users do so less
/// than once in 10^26 sets; one of them would then miss a message in the history.
#[derive(Debug, Default)]
struct Users {
    key: RandomState,
    integers: HashSet<i64>,
    texts: HashSet<u128, BuildHasherDefault<AsItIs>>,
}

/// Hashes a fingerprint, which is a hash already, by its first half.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = (fingerprint >> 64).try_into().unwrap_or_default();
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Users {
    fn len(&self) -> usize {
        self.integers.len() + self.texts.len()
    }

    fn clear(&mut self) {
        self.integers.clear();
        self.texts.clear();
    }

    fn contains(&self, user: &UserId) -> bool {
        match user.as_integer() {
            Some(integer) => self.integers.contains(&integer),
            None => self.texts.contains(&self.fingerprint(user)),
        }
    }

    /// Tells whether the user is new to the set.
    fn insert(&mut self, user: &UserId) -> bool {
        match user.as_integer() {
            Some(integer) => self.integers.insert(integer),
            None => self.texts.insert(self.fingerprint(user)),
        }
    }

    /// The hashes of the id and of the id with one byte more: under a key that nobody knows, two
    /// hashes of different inputs are together as good as one of 128 bits.
    fn fingerprint(&self, user: &UserId) -> u128 {
        let mut hasher = self.key.build_hasher();
        user.hash(&mut hasher);
        let first = hasher.finish();
        hasher.write_u8(0);
        u128::from(first) << 64 | u128::from(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Integers and strings side by side, some of which look alike.
    fn user(number: usize) -> UserId {
        UserId::parse(["0", "1", "01", "a", "A", "auth0|a"][number]).unwrap()
    }

    proptest! {
        #[test]
        fn each_user_is_given_each_message_once(
            reached in prop::collection::vec((0usize..6, prop::collection::btree_set(0usize..4, 0..4)), 0..40),
        ) {
            let mut audience = Audience::default();
            let mut given: BTreeSet<(usize, usize)> = BTreeSet::new();
            for (number, indexes) in &reached {
                let list: Vec<usize> = indexes.iter().copied().collect();
                for index in audience.add(&user(*number), &list) {
                    prop_assert!(given.insert((*number, index)), "given twice");
                }
            }
            let expected: BTreeSet<(usize, usize)> =
                reached.iter().flat_map(|(number, set)| set.iter().map(|index| (*number, *index))).collect();
            prop_assert_eq!(given, expected);
        }
    }
}
