//! The one way to say "do all of this by the deadline, and give me what is left".
//!
//! Every item has its own outcome: what failed for now is tried again by itself with full-jitter
//! backoff, what is refused for good is told apart from what there was no time for.

use crate::{
    Error, Result,
    retry::{Backoff, Deadline, retry, within},
};
use futures::{StreamExt, stream};

/// What became of items, each in the order in which they were given.
#[derive(Debug)]
pub struct Settled<T, R> {
    /// Done, with the answers.
    pub done: Vec<(T, R)>,
    /// Refused for good: trying again cannot help.
    pub refused: Vec<(T, Error)>,
    /// Not done for want of time. An item may have been done if its answer was lost.
    pub left: Vec<T>,
}

impl<T, R> Default for Settled<T, R> {
    fn default() -> Self {
        Self { done: Vec::new(), refused: Vec::new(), left: Vec::new() }
    }
}

/// Calls for each item by itself, at most `concurrency` at a time, until it is done, refused for
/// good, or the deadline would pass.
pub async fn settle<T, R>(
    items: impl IntoIterator<Item = T>,
    concurrency: usize,
    deadline: Deadline,
    call: impl AsyncFn(&T) -> Result<R>,
) -> Settled<T, R> {
    let call = &call;
    // Unordered, so that one slow call does not hold up the others; the order is restored after.
    let mut outcomes: Vec<(usize, T, Result<R>)> = stream::iter(items.into_iter().enumerate())
        .map(|(index, item)| async move {
            let result = retry(deadline, || call(&item)).await;
            (index, item, result)
        })
        .buffer_unordered(concurrency)
        .collect()
        .await;
    outcomes.sort_unstable_by_key(|(index, ..)| *index);
    let mut settled = Settled::default();
    for (_, item, result) in outcomes {
        match result {
            Ok(answer) => settled.done.push((item, answer)),
            Err(error) if error.is_transient() => settled.left.push(item),
            Err(error) => settled.refused.push((item, error)),
        }
    }
    settled
}

/// An entry of a batch that AWS did not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedEntry {
    /// Its index in the batch.
    pub index: usize,
    /// Whether the same entry may succeed later.
    pub transient: bool,
}

/// What became of a batch.
#[derive(Debug)]
pub struct SettledBatch<T> {
    /// Refused for good.
    pub refused: Vec<T>,
    /// Not done for want of time.
    pub left: Vec<T>,
}

/// Calls for all entries together, then again for those that failed for now, until all are done or
/// refused, or the deadline would pass. `call` gives the entries that failed; an error is that of
/// all of them.
///
/// # Errors
/// The call's own, when it is not transient: it is about the call as a whole, and the entries that
/// were still waiting come with it.
pub async fn settle_batch<T>(
    entries: Vec<T>,
    deadline: Deadline,
    call: impl AsyncFn(&[T]) -> Result<Vec<FailedEntry>>,
) -> std::result::Result<SettledBatch<T>, (Error, SettledBatch<T>)> {
    let mut batch = SettledBatch { refused: Vec::new(), left: entries };
    let mut backoff = Backoff::new();
    while !batch.left.is_empty() {
        match within(deadline, call(&batch.left)).await {
            Ok(failed) => batch.keep(&failed),
            Err(error) if error.is_transient() => {}
            Err(error) => return Err((error, batch)),
        }
        if !batch.left.is_empty() && !backoff.wait(deadline).await {
            break;
        }
    }
    Ok(batch)
}

impl<T> SettledBatch<T> {
    /// Keeps of the waiting entries those that failed.
    fn keep(&mut self, failed: &[FailedEntry]) {
        let waiting = std::mem::take(&mut self.left);
        for (index, entry) in waiting.into_iter().enumerate() {
            match failed.iter().find(|failed| failed.index == index) {
                Some(FailedEntry { transient: true, .. }) => self.left.push(entry),
                Some(_) => self.refused.push(entry),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use std::{cell::RefCell, time::Duration};

    fn error(kind: Kind) -> Error {
        Error::new("Call", kind, "code")
    }

    #[tokio::test]
    async fn each_item_has_its_own_outcome() {
        let tries = RefCell::new(Vec::new());
        let deadline = Deadline::after(Duration::from_millis(500));
        let settled = settle(["done", "refused", "left", "later"], 4, deadline, async |item: &&str| {
            tries.borrow_mut().push(*item);
            let count = tries.borrow().iter().filter(|tried| *tried == item).count();
            match (*item, count) {
                ("refused", _) => Err(error(Kind::Refused)),
                ("left", _) | ("later", 1) => Err(error(Kind::Throttled)),
                _ => Ok(count),
            }
        })
        .await;
        assert_eq!(settled.done, [("done", 1), ("later", 2)]);
        assert_eq!(settled.refused[0].0, "refused");
        assert_eq!(settled.left, ["left"]);
    }

    #[tokio::test]
    async fn nothing_is_begun_after_the_deadline() {
        let deadline = Deadline::after(Duration::ZERO);
        let settled = settle([1, 2], 1, deadline, async |_: &i32| -> Result<()> { panic!("begun") }).await;
        assert_eq!(settled.left, [1, 2]);
    }

    #[tokio::test]
    async fn only_what_failed_of_a_batch_is_tried_again() {
        let calls = RefCell::new(Vec::new());
        let deadline = Deadline::after(Duration::from_secs(5));
        let batch = settle_batch(vec!["a", "b", "c"], deadline, async |entries: &[&str]| {
            calls.borrow_mut().push(entries.to_vec());
            Ok(match calls.borrow().len() {
                1 => vec![
                    FailedEntry { index: 0, transient: false },
                    FailedEntry { index: 2, transient: true },
                ],
                _ => Vec::new(),
            })
        });
        let batch = batch.await.expect("no call failed");
        assert_eq!((batch.refused, batch.left), (vec!["a"], vec![]));
        assert_eq!(calls.into_inner(), [vec!["a", "b", "c"], vec!["c"]]);
    }

    #[tokio::test]
    async fn a_call_that_is_refused_ends_its_batch() {
        let deadline = Deadline::after(Duration::from_secs(5));
        let call = async |_: &[i32]| Err(error(Kind::NotFound));
        let (error, batch) = settle_batch(vec![1, 2], deadline, call).await.unwrap_err();
        assert_eq!((error.kind(), batch.left), (Kind::NotFound, vec![1, 2]));
    }
}
