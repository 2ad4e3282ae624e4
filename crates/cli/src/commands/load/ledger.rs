//! What came against what must come: lost, duplicate, misrouted, out of order, altered.
//!
//! It holds a number and a fate for each message, and for each session the numbers that came, a bit each
//! in words of 64: what a session never gets takes no room.

use super::{
    plan::{Kind, Plan, Way},
    population::number,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What became of publishing a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was not published, or not settled, yet.
    Unsettled,
    /// The system took it: it must reach everyone whom it is for.
    Accepted,
    /// The system refused it.
    Refused,
    /// There was no answer: it may reach them or not.
    Unclear,
}

/// What a receipt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It had to come, and came for the first time.
    First,
    /// The same message came to the same session before.
    Duplicate,
    /// It is not for this session.
    Misrouted,
}

/// Counts of what came and what did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Deliveries that came and had to come, each counted once.
    pub delivered: u64,
    /// Deliveries of accepted messages that did not come.
    pub lost: u64,
    /// Deliveries to sessions that the message is not for.
    pub misrouted: u64,
    /// Deliveries that came again.
    pub duplicates: u64,
    /// Deliveries that came after a later one of the same call.
    pub out_of_order: u64,
    /// Deliveries whose text is not that which was published, or which did not decrypt.
    pub altered: u64,
    /// Messages and frames that are not of this run.
    pub foreign: u64,
}

/// What came, for all sessions of a run.
#[derive(Debug)]
pub struct Ledger {
    plan: Arc<Plan>,
    /// What was counted so far; `lost` is what is outstanding.
    pub counts: Counts,
    fates: Vec<Fate>,
    came: Vec<u32>,
    seen: Vec<BTreeMap<u32, u64>>,
    /// The first messages that were misrouted: number and session.
    pub misrouted: Vec<(usize, usize)>,
    told: Vec<BTreeSet<usize>>,
}

/// So many cases are named, of each kind.
const NAMED: usize = 20;

impl Ledger {
    /// A ledger in which nothing came.
    pub fn new(plan: Arc<Plan>) -> Self {
        let (messages, sessions) = (plan.messages.len(), plan.population.members.len());
        Self {
            counts: Counts::default(),
            fates: vec![Fate::Unsettled; messages],
            came: vec![0; messages],
            seen: vec![BTreeMap::new(); sessions],
            told: vec![BTreeSet::new(); sessions],
            misrouted: Vec::new(),
            plan,
        }
    }

    /// Notes what became of publishing a message.
    pub fn settle(&mut self, n: usize, fate: Fate) {
        if fate == Fate::Accepted {
            let audience = self.plan.population.audience(self.plan.messages[n].keys).count();
            self.counts.lost += audience as u64 - u64::from(self.came[n]);
        }
        self.fates[n] = fate;
    }

    /// Notes that the message `n` of the plan came to a session.
    pub fn take(&mut self, session: usize, n: usize) -> Receipt {
        if !self.plan.messages[n].keys.are_for(self.plan.population.members[session]) {
            self.counts.misrouted += 1;
            if self.misrouted.len() < NAMED {
                self.misrouted.push((n, session));
            }
            return Receipt::Misrouted;
        }
        if self.has(session, n) {
            self.counts.duplicates += 1;
            return Receipt::Duplicate;
        }
        self.counts.out_of_order += u64::from(self.is_late(session, n));
        *self.seen[session].entry(word(n)).or_default() |= bit(n);
        self.came[n] += 1;
        self.counts.delivered += 1;
        self.counts.lost -= u64::from(self.fates[n] == Fate::Accepted);
        Receipt::First
    }

    fn has(&self, session: usize, n: usize) -> bool {
        self.seen[session].get(&word(n)).is_some_and(|seen| seen & bit(n) != 0)
    }

    /// Whether a later message of the same call has come. docs/PROTOCOL.md: "the messages that one Kinesis
    /// batch or one call has for a session are sent in their order"; a call to Kinesis may become two
    /// batches, and broadcasts go their own way.
    fn is_late(&self, session: usize, n: usize) -> bool {
        let (call, messages) = (self.plan.call_of(n), &self.plan.messages);
        let ordered = |n: usize| messages[n].kind() != Kind::Broadcast;
        call.way == Way::Http
            && ordered(n)
            && (n + 1..call.first + call.len).any(|later| ordered(later) && self.has(session, later))
    }

    /// Notes that a read receipt for the message `n` came to a session.
    pub fn tell(&mut self, session: usize, n: usize) {
        self.told[session].insert(n);
    }

    /// The messages that a session was told are read.
    pub fn told(&self, session: usize) -> &BTreeSet<usize> {
        &self.told[session]
    }

    /// What became of publishing a message.
    pub fn fate(&self, n: usize) -> Fate {
        self.fates[n]
    }

    /// How many messages have a fate.
    pub fn messages(&self, fate: Fate) -> usize {
        self.fates.iter().filter(|each| **each == fate).count()
    }

    /// The first deliveries that did not come: number and session.
    pub fn lost(&self) -> Vec<(usize, usize)> {
        let accepted = (0..self.fates.len()).filter(|n| self.fates[*n] == Fate::Accepted);
        let missing = accepted.flat_map(|n| {
            let audience = self.plan.population.audience(self.plan.messages[n].keys);
            audience.filter(move |session| !self.has(*session, n)).map(move |session| (n, session))
        });
        missing.take(NAMED).collect()
    }
}

fn word(n: usize) -> u32 {
    number(n / 64)
}

fn bit(n: usize) -> u64 {
    1 << (n % 64)
}

#[cfg(test)]
mod tests {
    use super::{super::scenario, *};

    fn ledger(flags: &str) -> (Arc<Plan>, Ledger) {
        let small = "[sessions]\ncount = 12\naccounts = 3\n[publish]\ndeliveries = 300\n".to_owned() + flags;
        let plan = Arc::new(Plan::new(&scenario::read(None, small.parse().unwrap()).unwrap().scenario));
        (plan.clone(), Ledger::new(plan))
    }

    /// All deliveries that must come, in order of numbers.
    fn expected(plan: &Plan) -> Vec<(usize, usize)> {
        let all = plan.messages.iter().enumerate();
        all.flat_map(|(n, message)| plan.population.audience(message.keys).map(move |session| (n, session)))
            .collect()
    }

    fn accept_all(plan: &Plan, ledger: &mut Ledger) {
        (0..plan.messages.len()).for_each(|n| ledger.settle(n, Fate::Accepted));
    }

    #[test]
    fn nothing_is_lost_when_all_came_before_or_after_the_reply() {
        let (plan, mut ledger) = ledger("");
        let all = expected(&plan);
        let (early, late) = all.split_at(all.len() / 2);
        assert!(early.iter().all(|(n, session)| ledger.take(*session, *n) == Receipt::First));
        accept_all(&plan, &mut ledger);
        assert_eq!(ledger.counts.lost, late.len() as u64);
        assert!(late.iter().all(|(n, session)| ledger.take(*session, *n) == Receipt::First));
        assert_eq!(ledger.counts, Counts { delivered: plan.deliveries, ..Counts::default() });
        assert!(ledger.lost().is_empty());
    }

    #[test]
    fn one_that_does_not_come_is_lost_and_named() {
        let (plan, mut ledger) = ledger("");
        accept_all(&plan, &mut ledger);
        let all = expected(&plan);
        let missing = all[all.len() / 3];
        for (n, session) in all.into_iter().filter(|delivery| *delivery != missing) {
            ledger.take(session, n);
        }
        assert_eq!((ledger.counts.lost, ledger.lost()), (1, vec![missing]));
    }

    #[test]
    fn what_was_not_accepted_is_not_lost() {
        let (plan, mut ledger) = ledger("");
        ledger.settle(0, Fate::Refused);
        ledger.settle(1, Fate::Unclear);
        assert_eq!(ledger.counts.lost, 0);
        let session = plan.population.audience(plan.messages[1].keys).next().unwrap();
        assert_eq!(ledger.take(session, 1), Receipt::First);
        assert_eq!((ledger.counts.lost, ledger.counts.delivered), (0, 1));
        assert_eq!((ledger.messages(Fate::Refused), ledger.messages(Fate::Unclear)), (1, 1));
    }

    #[test]
    fn what_comes_again_is_a_duplicate_and_what_is_not_for_a_session_is_misrouted() {
        let (plan, mut ledger) = ledger("[mix]\nbroadcast = 0");
        accept_all(&plan, &mut ledger);
        let outstanding = ledger.counts.lost;
        let (n, session) = expected(&plan)[0];
        let stranger =
            (0..12).find(|other| !plan.messages[n].keys.are_for(plan.population.members[*other])).unwrap();
        assert_eq!(ledger.take(session, n), Receipt::First);
        assert_eq!(ledger.take(session, n), Receipt::Duplicate);
        assert_eq!(ledger.take(stranger, n), Receipt::Misrouted);
        let Counts { delivered, lost, misrouted, duplicates, .. } = ledger.counts;
        assert_eq!((delivered, lost, misrouted, duplicates), (1, outstanding - 1, 1, 1));
        assert_eq!(ledger.misrouted, [(n, stranger)]);
    }

    #[test]
    fn a_message_after_a_later_one_of_its_call_is_out_of_order_unless_one_is_a_broadcast() {
        let same_call = |plan: &Plan| {
            let all = expected(plan);
            let pairs = all.iter().flat_map(|early| all.iter().map(move |late| (*early, *late)));
            let mut pairs = pairs.filter(|((n, session), (later, other))| {
                session == other && n < later && plan.messages[*n].call == plan.messages[*later].call
            });
            pairs.next().unwrap()
        };
        for (kind, late) in [("account", 1), ("broadcast", 0)] {
            let flags = match kind {
                "account" => "http = 1.0\n[mix]\nbroadcast = 0\naccount = 1\nuser = 0\nsession = 0",
                _ => "http = 1.0\n[mix]\nbroadcast = 1\naccount = 0\nuser = 0\nsession = 0",
            };
            let (plan, mut ledger) = ledger(flags);
            let ((n, session), (later, _)) = same_call(&plan);
            ledger.take(session, later);
            ledger.take(session, n);
            assert_eq!(ledger.counts.out_of_order, late, "{kind}");
        }
    }
}
