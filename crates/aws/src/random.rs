//! Random bytes and counters from the operating system.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sbe_core::frame::COUNTER_END;

/// 32 bytes from the operating system's generator.
pub fn bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    fill(&mut bytes);
    bytes
}

/// A name that nobody can guess: 43 characters of base64url.
pub fn name() -> String {
    URL_SAFE_NO_PAD.encode(bytes())
}

/// A source of frame counters that asks the operating system for several at a time.
#[derive(Debug, Default)]
pub struct Counters {
    drawn: Vec<u64>,
}

impl Counters {
    /// A counter drawn uniformly from `0..2^53`.
    pub fn draw(&mut self) -> u64 {
        loop {
            if let Some(counter) = self.drawn.pop() {
                return counter;
            }
            self.refill();
        }
    }

    fn refill(&mut self) {
        let mut bytes = [0; 128];
        fill(&mut bytes);
        let numbers = bytes.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk));
        // The range is a power of two, so that cutting bits off keeps the draw uniform.
        self.drawn.extend(numbers.map(|number| number % COUNTER_END));
    }
}

/// Without random bytes no session is safe: the process ends, and Lambda reports the failure.
fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system provides random bytes");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn counters_are_distinct_and_below_their_end() {
        let mut counters = Counters::default();
        let drawn: HashSet<u64> = (0..10_000).map(|_| counters.draw()).collect();
        assert_eq!(drawn.len(), 10_000);
        assert!(drawn.iter().all(|counter| *counter < COUNTER_END));
        assert!(drawn.iter().any(|counter| *counter > COUNTER_END / 2));
    }
}
