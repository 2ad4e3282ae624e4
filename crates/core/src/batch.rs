//! Batches within the limits of SQS and `EventBridge`.

use std::ops::Range;

/// SQS and `EventBridge` take at most this many entries in one batch.
pub const MAX_ENTRIES: usize = 10;

/// SQS takes at most this many bytes in one batch, all entries together (and in one message).
pub const MAX_SQS_BYTES: usize = 1024 * 1024;

/// Cuts entries of the given sizes (bytes) into the fewest consecutive batches of at most
/// [`MAX_ENTRIES`] entries and `max_bytes`.
///
/// Order is kept and every entry is in exactly one batch. A larger entry gets a batch of its own,
/// which is then refused.
///
/// ```
/// use sbe_core::batch::{MAX_SQS_BYTES, batches};
/// let batches: Vec<_> = batches(&[600_000, 400_000, 100_000], MAX_SQS_BYTES).collect();
/// assert_eq!(batches, [0..2, 2..3]);
/// ```
pub fn batches(sizes: &[usize], max_bytes: usize) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    std::iter::from_fn(move || {
        let len = batch_len(&sizes[start..], max_bytes);
        let batch = start..start + len;
        start += len;
        (len > 0).then_some(batch)
    })
}

/// How many of the first entries fit in one batch; at least one, if there is one.
fn batch_len(sizes: &[usize], max_bytes: usize) -> usize {
    let mut bytes = 0;
    let fitting = sizes.iter().take(MAX_ENTRIES).take_while(|size| {
        bytes += **size;
        bytes <= max_bytes
    });
    fitting.count().max(1).min(sizes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_entry_is_in_one_batch_in_order_and_within_the_limits(
            sizes in prop::collection::vec(0..=MAX_SQS_BYTES, 0..60),
        ) {
            let mut next = 0;
            for batch in batches(&sizes, MAX_SQS_BYTES) {
                prop_assert_eq!(batch.start, next);
                prop_assert!(batch.len() <= MAX_ENTRIES && !batch.is_empty());
                prop_assert!(sizes[batch.clone()].iter().sum::<usize>() <= MAX_SQS_BYTES);
                next = batch.end;
            }
            prop_assert_eq!(next, sizes.len());
        }

        #[test]
        fn no_batch_could_have_taken_the_next_entry(
            sizes in prop::collection::vec(0..=MAX_SQS_BYTES, 0..60),
        ) {
            let all: Vec<_> = batches(&sizes, MAX_SQS_BYTES).collect();
            for pair in all.windows(2) {
                let with_next = pair[0].start..pair[1].start + 1;
                prop_assert!(
                    with_next.len() > MAX_ENTRIES || sizes[with_next].iter().sum::<usize>() > MAX_SQS_BYTES
                );
            }
        }
    }
}
