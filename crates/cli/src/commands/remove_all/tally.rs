//! What was done and what was not.

use crate::{context::Context, failure::Failure, output::report};
use serde_json::json;
use std::cell::{Cell, RefCell};

/// Of so many failures is told why.
const TOLD: usize = 20;

/// What was deleted, and what could not be.
#[derive(Debug, Default)]
pub struct Tally {
    /// Identities that are gone.
    pub identities: Cell<u64>,
    /// Queues that are gone.
    pub queues: Cell<u64>,
    /// Sessions whose rows are gone, with their identities and queues.
    pub sessions: Cell<u64>,
    failures: Cell<u64>,
    told: RefCell<Vec<String>>,
}

impl Tally {
    /// So many more.
    pub fn add(count: &Cell<u64>, more: usize) {
        count.set(count.get() + more as u64);
    }

    /// Something could not be deleted; what it belongs to stays.
    pub fn failed(&self, what: &str, failure: &Failure) {
        Self::add(&self.failures, 1);
        if self.told.borrow().len() < TOLD {
            self.told.borrow_mut().push(format!("{what} stays: {failure}"));
        }
    }

    /// Whether nothing failed since the last [`Self::forgive`].
    pub fn has_done_all(&self) -> bool {
        self.failures.get() == 0
    }

    /// Failures up to now are tried again.
    pub fn forgive(&self) {
        self.failures.set(0);
        self.told.borrow_mut().clear();
    }

    /// What to say after Ctrl-C.
    pub fn interrupted(&self) -> String {
        "what is left is named by the sessions that are left: the same command goes on with it".into()
    }

    /// Says what was done.
    pub fn tell(&self, context: &Context) {
        let (sessions, queues, identities) = (self.sessions.get(), self.queues.get(), self.identities.get());
        let told = self.told.borrow();
        let result = json!({
            "sessions": sessions, "queues": queues, "identities": identities, "failures": self.failures.get(), "failed": *told,
        });
        context.output.result(&result, |_| {
            format!("deleted: {identities} identities, {queues} queues, {sessions} sessions")
        });
        for line in told.iter() {
            report(format_args!("{line}"));
        }
    }
}
