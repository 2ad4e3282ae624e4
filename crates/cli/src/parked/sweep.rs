//! Acts on entries one by one; those that are done go.
//!
//! An entry is deleted only when it is done, so that a stop anywhere leaves the rest. What cannot be done
//! stays, and so do entries that come meanwhile: a message that fails again is not tried for ever.

use super::{
    pace::Pace,
    peek::{AFTER_INTERRUPT, hidden_still},
    queue::{Held, Queue},
};
use crate::{context::Context, failure::Failure, output::report, progress::Progress};
use futures::{StreamExt as _, stream};
use sbe_client::causes;
use serde_json::json;
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap},
    time::Duration,
};
use tokio::time::timeout;

/// After Ctrl-C, what was begun may end for so long.
const IN_THE_MIDDLE: Duration = Duration::from_millis(300);

/// So many replies in a row without an entry that is new: what is left is not there any more.
const NOTHING_NEW: u32 = 20;

/// Of so many entries that stay is told why.
const TOLD: usize = 20;

/// What a sweep does.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    /// What is going on, such as `replaying`.
    pub doing: &'static str,
    /// What was done, such as `replayed`.
    pub done: &'static str,
    /// Whether doing it twice makes a difference.
    pub matters_twice: bool,
}

/// Acts on the entries with these ids, at this pace, and tells how it ended.
pub async fn sweep(
    queue: &Queue,
    wanted: BTreeSet<String>,
    act: Act,
    pace: &Pace,
    context: &Context,
    work: impl AsyncFn(&Held) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let total = wanted.len();
    let progress = Progress::new(act.doing, total as u64);
    let sweep = Sweep {
        queue,
        act,
        pace,
        context,
        work,
        progress,
        wanted: wanted.into(),
        state: RefCell::default(),
        done: Cell::new(0),
    };
    let result = sweep.run().await;
    let state = sweep.state.take();
    let others: Vec<String> = state.others.into_values().collect();
    let is_stopped = context.interrupt.came();
    let time = if is_stopped { AFTER_INTERRUPT } else { queue.hidden };
    let hidden = hidden_still(queue, &queue.give_back(&others, time).await);
    drop(sweep.progress);
    let ended = Ended {
        act,
        done: sweep.done.get(),
        total,
        kept: state.kept,
        undeleted: state.undeleted,
        unknown: state.begun.into_iter().collect(),
        missing: if is_stopped || result.is_err() { 0 } else { sweep.wanted.borrow().len() },
        hidden,
    };
    ended.tell(context);
    match result {
        Err(failure) if !is_stopped => Err(failure),
        _ => ended.conclude(is_stopped),
    }
}

struct Sweep<'a, W> {
    queue: &'a Queue,
    act: Act,
    pace: &'a Pace,
    context: &'a Context,
    work: W,
    progress: Progress,
    /// What was not seen yet.
    wanted: RefCell<BTreeSet<String>>,
    state: RefCell<State>,
    done: Cell<usize>,
}

#[derive(Default)]
struct State {
    /// By which entries that stay are given back, by their ids.
    others: HashMap<String, String>,
    /// Entries that could not be done, and why.
    kept: Vec<(String, Failure)>,
    /// Entries that are done and could not be deleted, and why.
    undeleted: Vec<(String, Failure)>,
    /// Entries in the middle.
    begun: BTreeSet<String>,
}

impl<W: AsyncFn(&Held) -> Result<(), Failure>> Sweep<'_, W> {
    async fn run(&self) -> Result<(), Failure> {
        let mut nothing_new = 0;
        while !self.wanted.borrow().is_empty() && nothing_new < NOTHING_NEW {
            let receive = self.queue.receive(self.pace.ten_at_most());
            let Some(held) = self.context.interrupt.or(receive, String::new).await? else { break };
            if held.is_empty() {
                break;
            }
            nothing_new += 1;
            let mut batch = Vec::new();
            for entry in held {
                if self.wanted.borrow_mut().remove(&entry.id) {
                    nothing_new = 0;
                    batch.push(entry);
                } else if self.keep(&entry) {
                    nothing_new = 0;
                }
            }
            self.all_of(batch).await?;
        }
        Ok(())
    }

    /// Keeps an entry for later; whether it is a new one.
    fn keep(&self, entry: &Held) -> bool {
        self.state.borrow_mut().others.insert(entry.id.clone(), entry.handle.clone()).is_none()
    }

    async fn all_of(&self, batch: Vec<Held>) -> Result<(), Failure> {
        let work = stream::iter(&batch).map(|entry| self.one(entry)).buffer_unordered(batch.len().max(1));
        let mut work = std::pin::pin!(work.for_each(async |()| ()));
        tokio::select! {
            () = &mut work => {}
            () = self.context.interrupt.comes() => {
                // What is not over by then is told of.
                let _ = timeout(IN_THE_MIDDLE, work).await;
                return Err(Failure::Interrupted(String::new()));
            }
        }
        let mut state = self.state.borrow_mut();
        if let Some(place) = state.kept.iter().position(|(_, failure)| stops_all(failure)) {
            return Err(state.kept.swap_remove(place).1);
        }
        match state.undeleted.iter().find(|(_, failure)| stops_all(failure)) {
            Some((_, failure)) => Err(Failure::NotAllowed(failure.to_string())),
            None => Ok(()),
        }
    }

    async fn one(&self, entry: &Held) {
        tokio::select! {
            () = self.pace.turn() => {}
            () = self.context.interrupt.comes() => {}
        }
        if self.context.interrupt.came() {
            self.keep(entry);
            return;
        }
        self.state.borrow_mut().begun.insert(entry.id.clone());
        match (self.work)(entry).await {
            Ok(()) => match self.queue.delete(entry).await {
                Ok(()) => self.done.set(self.done.get() + 1),
                Err(failure) => self.stays(entry, failure, true),
            },
            Err(failure) => self.stays(entry, failure, false),
        }
        self.state.borrow_mut().begun.remove(&entry.id);
        self.progress.set(self.done.get() as u64, "");
    }

    /// Gives an entry back in the end, and remembers why. Where doing it twice makes no difference, one that
    /// could not be deleted is not done.
    fn stays(&self, entry: &Held, failure: Failure, is_done: bool) {
        self.keep(entry);
        let mut state = self.state.borrow_mut();
        let list = if is_done && self.act.matters_twice { &mut state.undeleted } else { &mut state.kept };
        list.push((entry.id.clone(), failure));
    }
}

/// Whether no other entry would fare better.
fn stops_all(failure: &Failure) -> bool {
    matches!(failure, Failure::NotAllowed(_) | Failure::Usage(_))
}

/// How a sweep ended.
struct Ended {
    act: Act,
    done: usize,
    total: usize,
    kept: Vec<(String, Failure)>,
    undeleted: Vec<(String, Failure)>,
    unknown: Vec<String>,
    missing: usize,
    /// What to say of entries that could not be given back.
    hidden: String,
}

impl Ended {
    fn tell(&self, context: &Context) {
        let Self { act, done, total, kept, undeleted, unknown, missing, hidden } = self;
        let kept_json: Vec<_> =
            kept.iter().map(|(id, failure)| json!({"id": id, "reason": causes(failure)})).collect();
        let undeleted: Vec<&String> = undeleted.iter().map(|(id, _)| id).collect();
        let result = json!({
            act.done: done, "of": total, "kept": kept_json, "undeleted": undeleted, "unknown": unknown, "missing": missing,
        });
        context.output.result(&result, |_| format!("{done} of {total} {}", act.done));
        for (id, failure) in kept.iter().take(TOLD) {
            report(format_args!("{id} stays: {}", causes(failure)));
        }
        if kept.len() > TOLD {
            report(format_args!("{} more stay", kept.len() - TOLD));
        }
        for id in undeleted {
            report(format_args!("{id} is {} but could not be deleted: drop it", act.done));
        }
        for id in unknown {
            let twice = if act.matters_twice { ", and may be done twice if it is still there" } else { "" };
            report(format_args!("{id} was in the middle: it may be {}{twice}", act.done));
        }
        if *missing > 0 {
            report(format_args!("{missing} were not there any more, or are hidden by somebody else"));
        }
        if !hidden.is_empty() {
            report(format_args!("the queue was gone through{hidden}"));
        }
    }

    fn conclude(&self, is_stopped: bool) -> Result<(), Failure> {
        let Self { act, done, total, .. } = self;
        let left = total - done;
        if is_stopped {
            return Err(Failure::Interrupted(format!(
                "{done} of {total} {}; the rest is still there, and the same command goes on with it",
                act.done
            )));
        }
        if left == 0 {
            Ok(())
        } else {
            Err(Failure::Found(format!("{left} of {total} are not {}", act.done)))
        }
    }
}
