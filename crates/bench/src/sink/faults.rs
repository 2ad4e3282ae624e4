//! Which calls fail, and how: decided by a seed, never by timing.
//!
//! The same call (say, the third batch to a queue) fails in every run with the same seed, whatever
//! ran beside it.

use clap::ValueEnum;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// A way to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Class {
    /// AWS asks for fewer calls.
    Throttle,
    /// AWS answers 500.
    ServerError,
    /// AWS takes a part of the entries of a call.
    Partial,
    /// The answer does not come in time. Every other time the call has been carried out.
    Timeout,
    /// The connection breaks. Every other time the call has been carried out.
    Reset,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Throttle, Self::ServerError, Self::Partial, Self::Timeout, Self::Reset];

    /// Whether a call that failed so may have been carried out: only then may a message come twice.
    pub fn is_ambiguous(self) -> bool {
        matches!(self, Self::Timeout | Self::Reset)
    }
}

/// How often calls fail, and how.
#[derive(Debug, Clone, Copy)]
pub struct Faults {
    /// The way to fail.
    pub class: Class,
    /// How many of a hundred calls fail, or entries if it is [`Class::Partial`].
    pub percent: u32,
    /// What chooses the calls.
    pub seed: u64,
    /// How long an answer that times out takes.
    pub stall: Duration,
    /// The one operation that fails, if not all do.
    pub only: Option<&'static str>,
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is carried out, except for entries that fail by themselves.
    Done,
    /// It is refused with an error of this class.
    Refused(Class),
    /// Its answer is lost.
    Lost {
        /// Whether it is carried out all the same.
        done: bool,
    },
}

impl Faults {
    /// Nothing fails.
    pub fn none() -> Self {
        Self { class: Class::Throttle, percent: 0, seed: 0, stall: Duration::ZERO, only: None }
    }

    /// The faults of one operation.
    pub(super) fn of(self, operation: &str) -> Self {
        if self.only.is_none_or(|only| only == operation) { self } else { Self { percent: 0, ..self } }
    }

    /// What happens to a call that is tried for the `attempt`th time.
    pub fn verdict(&self, identity: &str, attempt: u32) -> Verdict {
        if self.class == Class::Partial || !self.strikes(&(identity, attempt)) {
            return Verdict::Done;
        }
        if self.class.is_ambiguous() {
            return Verdict::Lost { done: self.hash(&("done", identity, attempt)).is_multiple_of(2) };
        }
        Verdict::Refused(self.class)
    }

    /// Whether an entry of a call fails by itself.
    pub fn strikes_entry(&self, identity: &str, attempt: u32, entry: usize) -> bool {
        self.class == Class::Partial && self.strikes(&(identity, attempt, entry))
    }

    fn strikes(&self, what: &impl Hash) -> bool {
        self.hash(what) % 100 < u64::from(self.percent)
    }

    fn hash(&self, what: &impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, what).hash(&mut hasher);
        hasher.finish()
    }
}

/// How often each call was tried.
#[derive(Debug, Default)]
pub(super) struct Attempts(HashMap<String, u32>);

impl Attempts {
    pub(super) fn next(&mut self, identity: &str) -> u32 {
        let attempt = self.0.entry(identity.to_owned()).or_default();
        *attempt += 1;
        *attempt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_strike_as_often_as_they_should_and_always_the_same_calls() {
        let faults = Faults { class: Class::Reset, percent: 10, seed: 1, stall: Duration::ZERO, only: None };
        let struck = || (0..10_000).filter(|n| faults.verdict(&n.to_string(), 1) != Verdict::Done);
        assert!((900..1100).contains(&struck().count()));
        assert!(struck().eq(struck()));
    }
}
