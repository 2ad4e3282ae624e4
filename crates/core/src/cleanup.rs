//! The cleanup of queues that no session owns: which ones, and how very many are gone through.
//!
//! A cleanup goes through the queues by the beginnings of their names, slice by slice. The random
//! part of a name is spread evenly, so that a beginning with too many queues is divided by its next
//! character. Where a cleanup stands is a beginning: deleting queues does not move it.

use crate::{Invalid, payload::depth, session::queue_prefix, version::Version};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// A queue younger than this (seconds) is spared: its session may be about to be stored.
pub const MIN_AGE: i64 = 3600;

/// The names of so many queues are held in memory at a time, 32 bytes each.
pub const MAX_SLICE: usize = 250_000;

/// The characters of a name's random part: base64url.
const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Divided this often, a beginning is left alone: 64^6 of them are more than SQS has queues.
const MAX_BEGINNING: usize = 6;

/// The random part of the name of a session's queue, which identifies the queue.
pub type QueueKey = [u8; 32];

/// The key of a queue from its URL or name; `None` if it is no session's queue of this environment.
///
/// The prefix alone does not tell: environment `a` must not take the queues of `a-brws-b` for its
/// own. Names, for the URL of a queue differs by the endpoint that gave it.
///
/// ```
/// use sbe_core::{cleanup::queue_key, session::queue_name};
/// assert_eq!(queue_key("a", &queue_name("a", [7; 32])), Some([7; 32]));
/// assert_eq!(queue_key("a", &format!("https://sqs/1/{}", queue_name("a", [7; 32]))), Some([7; 32]));
/// assert_eq!(queue_key("a", &queue_name("a-brws-b", [7; 32])), None);
/// ```
pub fn queue_key(env: &str, url: &str) -> Option<QueueKey> {
    let name = url.rsplit('/').next()?;
    let random = URL_SAFE_NO_PAD.decode(name.strip_prefix(&queue_prefix(env))?).ok()?;
    random.try_into().ok()
}

/// Whether a queue without an owner may be deleted at `now`; both in epoch seconds.
pub fn is_old(created: i64, now: i64) -> bool {
    now - created >= MIN_AGE
}

/// The schedule's event, and the one by which a cleanup carries on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Scheduled {
    /// Its form.
    #[serde(default)]
    version: Version,
    action: Action,
    /// Where to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// How many invocations came before.
    #[serde(default)]
    depth: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Cleanup,
}

impl Scheduled {
    /// The beginnings that it is for.
    pub fn beginnings(&self) -> Result<Beginnings, Invalid> {
        self.next.as_deref().map_or_else(|| Ok(Beginnings::all()), Beginnings::from_token)
    }

    /// How many times what it leaves has been handed on then.
    pub fn times(&self) -> u32 {
        self.depth + 1
    }

    /// The event that goes on from a place that [`Beginnings::token`] gave, as JSON.
    pub fn carried_on(&self, next: Option<String>) -> String {
        let event = Self { version: Version, action: Action::Cleanup, next, depth: depth(self.times()) };
        serde_json::to_string(&event).expect("an event is always JSON")
    }
}

/// The beginnings of names that are still to be gone through, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginnings {
    /// The last one is next.
    waiting: Vec<String>,
}

impl Beginnings {
    /// All queues at once: the empty beginning.
    pub fn all() -> Self {
        Self { waiting: vec![String::new()] }
    }

    /// From a place that [`Self::token`] gave on.
    ///
    /// ```
    /// use sbe_core::cleanup::Beginnings;
    /// assert_eq!(Beginnings::from_token("Qw").unwrap().next(), Some("Qw"));
    /// assert_eq!(
    ///     Beginnings::from_token("Q w").unwrap_err().to_string(),
    ///     "next must be the value of `next` in the reply before"
    /// );
    /// ```
    pub fn from_token(token: &str) -> Result<Self, Invalid> {
        let valid = token.len() <= MAX_BEGINNING && token.chars().all(|char| ALPHABET.contains(char));
        if token.is_empty() || !valid {
            return Err(Invalid::new("next", "must be the value of `next` in the reply before"));
        }
        // What follows the token: at each level the later siblings.
        let mut waiting = Vec::new();
        for (level, char) in token.char_indices() {
            waiting.extend(children(&token[..level]).take_while(|child| !child.ends_with(char)));
        }
        waiting.push(token.to_owned());
        Ok(Self { waiting })
    }

    /// The beginning to go on with; `None` when all were gone through.
    pub fn next(&self) -> Option<&str> {
        self.waiting.last().map(String::as_str)
    }

    /// The next one was gone through.
    pub fn done(&mut self) {
        self.waiting.pop();
    }

    /// The next one has too many queues: its parts take its place. False if it cannot be divided.
    pub fn divide(&mut self) -> bool {
        let Some(beginning) = self.waiting.last().filter(|next| next.len() < MAX_BEGINNING).cloned() else {
            return false;
        };
        self.waiting.pop();
        self.waiting.extend(children(&beginning));
        true
    }

    /// The place to go on from; `None` at the start, where there is nothing to say, and at the end.
    pub fn token(&self) -> Option<&str> {
        self.next().filter(|next| !next.is_empty())
    }
}

/// The beginnings that are longer by one character, the first one last.
fn children(beginning: &str) -> impl Iterator<Item = String> {
    ALPHABET.chars().rev().map(move |char| format!("{beginning}{char}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_orphan_is_spared_for_an_hour() {
        assert!(!is_old(1000, 4599));
        assert!(is_old(1000, 4600));
    }

    #[test]
    fn only_what_can_be_divided_is() {
        let mut all = Beginnings::all();
        for _ in 0..MAX_BEGINNING {
            assert!(all.divide());
        }
        assert!(!all.divide());
        assert_eq!(all.next(), Some("AAAAAA"));
    }

    /// Goes on from wherever it stands `breaks` steps later, as a further invocation does.
    fn beginnings(divisions: &[bool], breaks: usize) -> Vec<String> {
        let (mut all, mut seen) = (Beginnings::all(), Vec::new());
        let mut divisions = divisions.iter().copied();
        for step in 1.. {
            let Some(next) = all.next().map(str::to_owned) else { break };
            // Divided twice at most, or the test would go on for ever.
            if next.len() < 2 && divisions.next().unwrap_or(false) {
                assert!(all.divide());
            } else {
                seen.push(next);
                all.done();
            }
            if let Some(token) = all.token().filter(|_| step % breaks == 0) {
                all = Beginnings::from_token(token).unwrap();
            }
        }
        seen
    }

    proptest! {
        #[test]
        fn every_queue_is_in_one_slice_however_it_is_divided_and_broken_off(
            divisions in prop::collection::vec(any::<bool>(), 0..70),
            breaks in 1usize..40,
            random in any::<[u8; 32]>(),
        ) {
            let name = URL_SAFE_NO_PAD.encode(random);
            let seen = beginnings(&divisions, breaks);
            prop_assert_eq!(seen.iter().filter(|beginning| name.starts_with(*beginning)).count(), 1);
        }
    }
}
