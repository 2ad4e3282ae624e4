//! Looks at all entries and leaves them there.
//!
//! Each is hidden while the others are looked at, or SQS would show the same ones again and again. All are
//! given back at the end, also after Ctrl-C. A program that is killed leaves them hidden for the queue's time.

use super::queue::{Held, Queue, StillHidden};
use crate::{failure::Failure, interrupt::Interrupt, output::report};
use futures::future::join_all;
use sbe_client::causes;
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    time::Duration,
};
use tokio::time::Instant;

/// Receivers at the same time.
const RECEIVERS: usize = 4;

/// Looked at for this part of the time that entries are hidden, before the first ones come back by themselves.
const LOOKED_AT: f64 = 0.8;

/// After Ctrl-C, entries are given back for so long.
pub(super) const AFTER_INTERRUPT: Duration = Duration::from_millis(600);

/// What was seen.
#[derive(Debug)]
pub struct Peeked<T> {
    /// What was made of the entries.
    pub seen: Vec<T>,
    /// Whether there may be more: there was no time for all, or SQS hides no more.
    pub is_cut_off: bool,
    /// Why entries could not be given back: for some time nobody sees them.
    pub still_hidden: Option<Failure>,
}

/// Looks at all entries; `look` says what to keep of each, in memory.
pub async fn peek<T>(
    queue: &Queue,
    interrupt: &Interrupt,
    look: impl Fn(Held) -> Option<T>,
) -> Result<Peeked<T>, Failure> {
    let view = View {
        queue,
        look,
        handles: RefCell::default(),
        seen: RefCell::default(),
        is_cut_off: Cell::new(false),
    };
    let end = Instant::now() + queue.hidden.mul_f64(LOOKED_AT);
    let looking = async {
        let results = join_all((0..RECEIVERS).map(|_| view.receive(end))).await;
        results.into_iter().collect::<Result<(), Failure>>()
    };
    let result = interrupt.or(looking, String::new).await;
    let handles: Vec<String> = view.handles.take().into_values().collect();
    let time = if interrupt.came() { AFTER_INTERRUPT } else { queue.hidden };
    let hidden = queue.give_back(&handles, time).await;
    let told = hidden_still(queue, &hidden);
    match result {
        Err(Failure::Interrupted(_)) => Err(Failure::Interrupted(format!(
            "{} entries were looked at, and nothing was changed{told}",
            handles.len()
        ))),
        Err(failure) => Err(failure),
        Ok(()) => {
            if !told.is_empty() {
                report(format_args!("the {} queue was looked at{told}", queue.name));
            }
            let (seen, is_cut_off) = (view.seen.take(), view.is_cut_off.get());
            Ok(Peeked { seen, is_cut_off, still_hidden: hidden.reason })
        }
    }
}

/// What to say of entries that could not be given back.
pub(super) fn hidden_still(queue: &Queue, hidden: &StillHidden) -> String {
    let StillHidden { entries, reason } = hidden;
    if *entries == 0 {
        return String::new();
    }
    let reason = reason.as_ref().map(|failure| format!(" ({})", causes(failure))).unwrap_or_default();
    format!(
        "; {entries} entries stay hidden for up to {} seconds, then they are there again{reason}",
        queue.hidden.as_secs()
    )
}

struct View<'a, T, L> {
    queue: &'a Queue,
    look: L,
    /// By which the entries are given back, by their ids: the newest one counts.
    handles: RefCell<HashMap<String, String>>,
    seen: RefCell<Vec<T>>,
    is_cut_off: Cell<bool>,
}

impl<T, L: Fn(Held) -> Option<T>> View<'_, T, L> {
    /// Receives until there is nothing left.
    async fn receive(&self, end: Instant) -> Result<(), Failure> {
        while Instant::now() < end {
            let Some(held) = self.queue.receive(10).await? else { break };
            if held.is_empty() {
                return Ok(());
            }
            for entry in held {
                let known = self.handles.borrow_mut().insert(entry.id.clone(), entry.handle.clone());
                if known.is_none() {
                    self.seen.borrow_mut().extend((self.look)(entry));
                }
            }
        }
        self.is_cut_off.set(true);
        Ok(())
    }
}
