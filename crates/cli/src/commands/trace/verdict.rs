//! What became of a message: the log's events and the system's state, judged.

use super::{
    event::{Event, What},
    evidence::{Asked, Content, Evidence, State, differing},
    time::seconds,
};
use sbe_core::stages::Accepted;
use serde::Serialize;
use std::collections::BTreeSet;

/// Indexes may miss a session for so many seconds after it was created.
const INDEX_LAG: i64 = 2;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Verdict {
    /// SQS took it for so many sessions.
    Sent {
        /// When.
        at: String,
        /// For how many sessions, this one among them.
        sessions: u64,
        /// Sessions that had ended by then.
        gone: u64,
        /// What became of it in the queue of the session that was asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        queue: Option<Fate>,
    },
    /// It was handed to the sender for sessions that it has not told of yet.
    Sending {
        /// How many of them.
        sessions: u64,
    },
    /// Invocations of the dispatcher that were to carry on have not told of it yet.
    HandedOn {
        /// How many of them.
        workers: u64,
    },
    /// The session does not match the message.
    NeverMatched {
        /// The routing key in which they differ.
        key: &'static str,
    },
    /// No active session matched.
    NobodyThere {
        /// Whether a history has it.
        kept: bool,
    },
    /// The session was created too late to be found.
    CreatedLater {
        /// When it was created.
        created: String,
    },
    /// The session had ended, or its queue was gone.
    Ended {
        /// When, as far as that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    /// It was refused.
    Rejected {
        /// Which field is wrong, and what it must be.
        reason: String,
    },
    /// A part of the work waits in the failed queue.
    Parked {
        /// The function that gave it up, or was given up.
        function: String,
        /// Why.
        reason: String,
        /// The item of the failed queue; `None` where only the log tells of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        item: Option<String>,
    },
    /// The dispatcher failed; whoever published the message was told, or tries again.
    Failed {
        /// Why.
        error: String,
    },
    /// The log was read, and tells nothing.
    NoTrace,
}

/// What became of a message in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Fate {
    /// It waits there.
    Waiting,
    /// It was fetched, and perhaps not deleted yet.
    InFlight,
    /// It was fetched and deleted, or has expired.
    Fetched,
    /// Too many messages wait to find it.
    Unknown,
}

/// The verdict on a session, or on all.
pub fn verdict(evidence: &Evidence) -> Verdict {
    match &evidence.asked {
        Asked::Nobody => on_all(evidence),
        Asked::Session(.., Some(state)) => on_session(evidence, state),
        Asked::Session(..) => on_absent(evidence),
        Asked::User(user, states) => {
            let accepted = evidence.accepted().map(|(_, accepted)| accepted);
            if accepted.is_some_and(|accepted| accepted.user_id.as_ref().is_some_and(|wanted| wanted != user))
            {
                return Verdict::NeverMatched { key: "userId" };
            }
            // Whether the user got it at all: the best that became of it.
            let each = states.iter().map(|state| on_session(evidence, state));
            each.min_by_key(rank).unwrap_or_else(|| on_absent(evidence))
        }
    }
}

/// Which of the verdicts on several sessions is told of all.
fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Sent { .. } => 0,
        Verdict::Sending { .. } | Verdict::HandedOn { .. } => 1,
        Verdict::Parked { .. } | Verdict::Failed { .. } | Verdict::Rejected { .. } => 2,
        Verdict::CreatedLater { .. } | Verdict::Ended { .. } => 3,
        Verdict::NobodyThere { .. } => 4,
        Verdict::NeverMatched { .. } | Verdict::NoTrace => 5,
    }
}

/// Nobody is asked for: the sums.
fn on_all(evidence: &Evidence) -> Verdict {
    let sums = Sums::of(&evidence.events);
    early(evidence, &sums).unwrap_or_else(|| sums.sent(None))
}

/// There is no such session, or the user has none.
fn on_absent(evidence: &Evidence) -> Verdict {
    let sums = Sums::of(&evidence.events);
    match early(evidence, &sums) {
        // It cannot be among those that it was sent to if its queue is gone.
        None | Some(Verdict::NobodyThere { .. }) => Verdict::Ended { at: None },
        Some(verdict) => verdict,
    }
}

/// One session.
fn on_session(evidence: &Evidence, state: &State) -> Verdict {
    let sums = Sums::of(&evidence.events);
    let Some((at, accepted)) = evidence.accepted() else {
        return early(evidence, &sums).unwrap_or(Verdict::NoTrace);
    };
    if let Some(key) = differing(accepted, state) {
        return Verdict::NeverMatched { key };
    }
    if let Some(verdict) = of_its_queue(evidence, state, &sums) {
        return verdict;
    }
    let published = seconds(at);
    if state.created > published {
        return Verdict::CreatedLater { created: super::time::text(state.created) };
    }
    if state.ttl <= published {
        return Verdict::Ended { at: Some(super::time::text(state.ttl)) };
    }
    match early(evidence, &sums) {
        Some(Verdict::NobodyThere { .. }) if was_too_new(accepted, state, published) => {
            Verdict::CreatedLater { created: super::time::text(state.created) }
        }
        Some(verdict) => verdict,
        None if state.content == Content::NoQueue => Verdict::Ended { at: None },
        None => sums.sent(Some(fate(state.content))),
    }
}

/// What the log tells of this very queue, which it does at debug; or the queue of the message itself.
fn of_its_queue(evidence: &Evidence, state: &State, sums: &Sums) -> Option<Verdict> {
    let of_queue =
        |event: &&Event| matches!(&event.what, What::SentTo { queue, .. } if *queue == state.queue);
    let mut gone = None;
    for event in evidence.events.iter().filter(of_queue) {
        let What::SentTo { of, .. } = &event.what else { continue };
        if of.sent > 0 {
            let (at, queue) = (event.at.clone(), Some(fate(state.content)));
            return Some(Verdict::Sent { at, sessions: 1, gone: 0, queue });
        }
        if of.gone > 0 {
            gone = Some(Verdict::Ended { at: Some(event.at.clone()) });
        }
    }
    let waits = state.content == Content::Waits;
    gone.or_else(|| waits.then(|| sums.sent(Some(Fate::Waiting))))
}

/// Whether only indexes could have found the session, which may not have had it yet.
fn was_too_new(accepted: &Accepted, state: &State, published: i64) -> bool {
    let by_key = accepted.account_id.is_some() && accepted.session.is_some();
    !by_key && state.created + INDEX_LAG > published
}

fn fate(content: Content) -> Fate {
    match content {
        Content::Waits => Fate::Waiting,
        Content::InFlight(_) => Fate::InFlight,
        Content::Absent | Content::NoQueue => Fate::Fetched,
        Content::Unknown(_) => Fate::Unknown,
    }
}

/// The verdict before anything was sent, or where not all was; `None` where all was.
fn early(evidence: &Evidence, sums: &Sums) -> Option<Verdict> {
    let accepted = evidence.accepted();
    if let (None, Some(reason)) = (accepted, sums.rejected.clone().or_else(|| evidence.rejected.clone())) {
        return Some(Verdict::Rejected { reason });
    }
    if let Some(waiting) = evidence.failed.first() {
        let (function, reason) = (waiting.function.clone(), waiting.reason.clone());
        return Some(Verdict::Parked { function, reason, item: Some(waiting.item.clone()) });
    }
    if evidence.events.is_empty() {
        return Some(Verdict::NoTrace);
    }
    let outstanding = sums.workers.saturating_sub(sums.readers.len() as u64);
    let missing = sums.found.saturating_sub(sums.sent + sums.gone + sums.refused);
    if let Some(error) = &sums.failed {
        return Some(Verdict::Failed { error: error.clone() });
    }
    if let (true, Some((function, reason))) = (outstanding + missing + sums.refused > 0, sums.parked.clone())
    {
        return Some(Verdict::Parked { function, reason, item: None });
    }
    if outstanding > 0 {
        return Some(Verdict::HandedOn { workers: outstanding });
    }
    if !sums.dispatched {
        return Some(Verdict::HandedOn { workers: 1 });
    }
    if missing > 0 {
        return Some(Verdict::Sending { sessions: missing });
    }
    if sums.found == 0 {
        let kept = evidence.entry.is_some() || sums.kept > 0;
        return Some(Verdict::NobodyThere { kept });
    }
    None
}

/// What the events add up to.
#[derive(Debug, Default)]
struct Sums {
    rejected: Option<String>,
    dispatched: bool,
    found: u64,
    workers: u64,
    /// Invocations that carried on: one that Lambda repeats counts once.
    readers: BTreeSet<String>,
    failed: Option<String>,
    sent: u64,
    gone: u64,
    refused: u64,
    last_sent: Option<String>,
    kept: u64,
    parked: Option<(String, String)>,
}

impl Sums {
    fn of(events: &[Event]) -> Self {
        let mut sums = Self::default();
        for event in events {
            sums.add(event);
        }
        sums
    }

    fn add(&mut self, event: &Event) {
        match &event.what {
            What::Accepted(..) | What::SentTo { .. } => {}
            What::Rejected(_, rejected) => self.rejected = Some(rejected.reason.clone()),
            What::Dispatched { depth, error, of } => {
                self.dispatched = true;
                // What failed is tried again from the start, and then tells all of its numbers again.
                if !of.failed {
                    self.found += of.sessions;
                    self.workers += u64::from(of.workers);
                    if *depth > 0 {
                        self.readers.insert(event.request_id.clone());
                    }
                }
                // The last one counts: what failed before was tried again.
                self.failed = of.failed.then(|| error.clone().unwrap_or_default());
            }
            What::Sent(sent) => {
                self.sent += u64::from(sent.sent);
                self.gone += u64::from(sent.gone);
                self.refused += u64::from(sent.refused);
                if sent.sent > 0 {
                    self.last_sent = Some(event.at.clone());
                }
            }
            What::Kept(kept) => self.kept += u64::from(kept.kept + kept.known),
            What::Parked { function, reason } => self.parked = Some((function.clone(), reason.clone())),
        }
    }

    /// All was sent, or was for sessions that had ended.
    fn sent(&self, queue: Option<Fate>) -> Verdict {
        match &self.last_sent {
            Some(at) => Verdict::Sent { at: at.clone(), sessions: self.sent, gone: self.gone, queue },
            None => Verdict::Ended { at: None },
        }
    }
}

impl Verdict {
    /// Whether it reached a queue.
    pub fn is_sent(&self) -> bool {
        matches!(self, Self::Sent { .. })
    }
}
