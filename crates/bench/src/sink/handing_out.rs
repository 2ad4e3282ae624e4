//! Events that wait for an environment of their function, as Lambda's queue of asynchronous events.

use super::{lambda::function, server::Call};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    task::Poll,
};
use tokio::sync::Notify;

/// Which invocations a sink keeps until somebody takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandsOut {
    /// None.
    Nothing,
    /// Those of the dispatcher.
    Lookups,
    /// Those of the dispatcher and of the sender.
    LookupsAndSends,
}

impl HandsOut {
    fn includes(self, function: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Lookups => function.ends_with("event-dispatcher"),
            Self::LookupsAndSends => {
                function.ends_with("event-dispatcher") || function.ends_with("sqs-sender")
            }
        }
    }
}

/// The events of all functions.
#[derive(Debug, Default)]
pub(super) struct Events {
    state: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    events: HashMap<String, VecDeque<String>>,
    /// How many takers wait.
    takers: usize,
    /// Whether enough of them have come.
    has_begun: bool,
    /// How many events were taken and are not done.
    at_work: usize,
}

impl Events {
    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, function: &str, event: String) {
        self.state().events.entry(function.to_owned()).or_default().push_back(event);
        self.changed.notify_waiters();
    }

    /// Keeps the event of an invocation that was accepted.
    pub(super) fn keep(&self, call: &Call<'_>, path: &str, body: &[u8]) {
        let function = function(path);
        if call.answered && call.state.plan.hands_out.includes(function) {
            self.add(function, String::from_utf8_lossy(body).into_owned());
        }
    }

    /// The next event of a function, when there is one; `None` when no event can come any more. The
    /// first is handed out when so many `takers` wait.
    pub(super) async fn take(&self, function: &str, takers: usize) -> Option<String> {
        self.state().takers += 1;
        // Others may have waited for this taker.
        self.changed.notify_waiters();
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Poll::Ready(taken) = self.state().take(function, takers) {
                return taken;
            }
            changed.await;
        }
    }

    /// An event that was taken is done, with all that it invoked.
    pub(super) fn done(&self) {
        let mut state = self.state();
        state.at_work = state.at_work.saturating_sub(1);
        drop(state);
        self.changed.notify_waiters();
    }
}

impl Waiting {
    fn take(&mut self, function: &str, takers: usize) -> Poll<Option<String>> {
        self.has_begun |= self.takers >= takers;
        if !self.has_begun {
            return Poll::Pending;
        }
        let event = self.events.get_mut(function).and_then(VecDeque::pop_front);
        let is_over = self.at_work == 0 && self.events.values().all(VecDeque::is_empty);
        self.at_work += usize::from(event.is_some());
        if event.is_none() && !is_over {
            return Poll::Pending;
        }
        self.takers -= 1;
        Poll::Ready(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn events_are_handed_out_until_none_can_come() {
        let events = Events::default();
        events.add("a", "1".into());
        let carry_out = async {
            let event = events.take("a", 2).await;
            events.add("b", "2".into());
            events.done();
            event
        };
        // The second taker waits: the first event may bring others.
        let (second, first) = tokio::join!(events.take("b", 2), carry_out);
        assert_eq!((first.as_deref(), second.as_deref()), (Some("1"), Some("2")));
        events.done();
        assert_eq!(events.take("a", 2).await, None);
    }
}
