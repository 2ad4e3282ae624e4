//! Which ids came before: as many of the last ones as come again in practice.

use std::collections::{HashSet, VecDeque};

/// So many ids are known at least.
const KNOWN: usize = 10_000;

/// The last ids that came.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    /// Whether an id comes for the first time; it is known from now on.
    pub(super) fn is_new(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ids_are_known_and_memory_is_bounded() {
        let mut seen = Seen::default();
        assert!(seen.is_new("first"));
        assert!(!seen.is_new("first"));
        for number in 0..KNOWN {
            assert!(seen.is_new(&number.to_string()));
        }
        assert!(!seen.is_new("0"));
        assert!(seen.is_new("first"), "the oldest is forgotten");
        assert_eq!((seen.ids.len(), seen.order.len()), (KNOWN, KNOWN));
    }
}
