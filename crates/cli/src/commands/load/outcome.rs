//! What a run has shown, as plain data: printed as a table, as JSON and as a page.

use super::{
    bill::Bill,
    histories::{Histories, Receipts},
    ledger::{Counts, Fate},
    measures::Summary,
    plan::{Kind, Way},
    work::Work,
};
use serde::Serialize;
use std::time::Duration;

/// What a run has shown.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The run's name.
    pub run: String,
    /// The environment.
    pub env: String,
    /// Where it is.
    pub place: String,
    /// The release of the system.
    pub release: String,
    /// When publishing began, RFC 3339.
    pub started: String,
    /// What is wrong, a line each; nothing where the run succeeded.
    pub faults: Vec<String>,
    /// What was planned.
    pub plan: Planned,
    /// What became of publishing.
    pub published: Published,
    /// What came.
    pub deliveries: Counts,
    /// Histories, if they were checked.
    pub histories: Option<Histories>,
    /// Read receipts, if they were checked.
    pub receipts: Option<Receipts>,
    /// Seconds from the first call to the last delivery.
    pub seconds: f64,
    /// Deliveries in one of them.
    pub deliveries_per_second: f64,
    /// From when a message was due to its receipt: all of them, then by way and by kind.
    pub latencies: Vec<(String, Summary)>,
    /// Between a session's polls.
    pub poll_gaps: Summary,
    /// Retries and errors.
    pub retries: Retries,
    /// Messages added to the queues of failed and of rejected work meanwhile, by whomever; if they can be read.
    pub parked: Option<Parked>,
    /// What it cost.
    pub bill: Bill,
    /// Cases of what is wrong, some of each.
    pub cases: Vec<String>,
}

/// What was planned.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// The same for the same sessions, messages, targets, sizes and times.
    pub fingerprint: String,
    /// Sessions.
    pub sessions: u64,
    /// Accounts.
    pub accounts: u32,
    /// Users.
    pub users: u32,
    /// Messages.
    pub messages: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// Seconds from the first call to the last.
    pub seconds: f64,
}

/// What became of publishing.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Published {
    /// Messages that the system took.
    pub accepted: usize,
    /// Messages that it refused.
    pub refused: usize,
    /// Messages of which nobody knows: their calls had no answer.
    pub unclear: usize,
}

/// Retries and errors.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Retries {
    /// Calls of the API, and messages of lists.
    pub api: u64,
    /// Kinesis records.
    pub records: u64,
    /// Polls that failed.
    pub polls: u64,
    /// Messages that SQS did not delete.
    pub undeleted: u64,
    /// Sessions renewed.
    pub renewals: u64,
}

/// How many messages a queue got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Parked {
    /// The failed queue; less than none where somebody took some out.
    pub failed: i64,
    /// The rejected queue.
    pub rejected: i64,
}

impl Outcome {
    /// The outcome of a run that has come to its end.
    pub fn new(
        work: &Work,
        started: String,
        checked: (Option<Histories>, Option<Receipts>),
        parked: Option<Parked>,
    ) -> Self {
        let ledger = work.ledger();
        let (histories, receipts) = checked;
        let published = Published {
            accepted: ledger.messages(Fate::Accepted),
            refused: ledger.messages(Fate::Refused),
            unclear: ledger.messages(Fate::Unclear) + ledger.messages(Fate::Unsettled),
        };
        let counts = ledger.counts;
        let (seconds, latencies, poll_gaps) = measured(work);
        let kept = histories.map(|histories| histories.expected).unwrap_or_default();
        Self {
            run: work.run.to_string(),
            env: work.system.env.clone(),
            place: if work.system.is_local() { "this machine".into() } else { work.system.region.clone() },
            release: work.system.release.clone(),
            started,
            faults: faults(published, &counts, histories, receipts, work.strict),
            plan: planned(work),
            published,
            deliveries: counts,
            histories,
            receipts,
            seconds,
            deliveries_per_second: per_second(counts.delivered, seconds),
            latencies,
            poll_gaps,
            retries: retries(work),
            parked,
            bill: Bill::new(&work.tally, &counts, kept),
            cases: cases(work, &ledger.lost(), &ledger.misrouted),
        }
    }
}

fn planned(work: &Work) -> Planned {
    let (plan, population) = (&work.plan, &work.plan.population);
    Planned {
        fingerprint: plan.fingerprint(),
        sessions: population.members.len() as u64,
        accounts: population.accounts,
        users: population.users,
        messages: plan.messages.len() as u64,
        deliveries: plan.deliveries,
        seconds: plan.duration().as_secs_f64(),
    }
}

fn retries(work: &Work) -> Retries {
    let tally = &work.tally;
    Retries {
        api: tally.api_retries.get(),
        records: tally.record_retries.get(),
        polls: tally.poll_errors.get(),
        undeleted: tally.undeleted.get(),
        renewals: tally.renewals.get(),
    }
}

fn measured(work: &Work) -> (f64, Vec<(String, Summary)>, Summary) {
    let measures = work.measures();
    let summary = |of: &dyn Fn(Way, Kind) -> bool| Summary::from(&measures.latencies(of));
    let mut latencies = vec![("all".to_owned(), summary(&|_, _| true))];
    latencies.extend(Way::ALL.map(|way| (format!("by {}", way.name()), summary(&|each, _| each == way))));
    latencies.extend(Kind::ALL.map(|kind| (format!("to {}", kind.name()), summary(&|_, each| each == kind))));
    latencies.retain(|(_, summary)| summary.count > 0);
    (measures.last.as_secs_f64(), latencies, Summary::from(&measures.gaps))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { (count as f64 / seconds * 10.0).round() / 10.0 } else { 0.0 }
}

/// Everything that makes a run fail, a line each.
fn faults(
    published: Published,
    counts: &Counts,
    histories: Option<Histories>,
    receipts: Option<Receipts>,
    strict: bool,
) -> Vec<String> {
    let histories = histories.unwrap_or_default();
    let receipts = receipts.unwrap_or_default();
    let strictly = |count: u64| if strict { count } else { 0 };
    let all = [
        (counts.lost, "deliveries lost"),
        (counts.misrouted, "deliveries misrouted"),
        (counts.altered, "deliveries altered"),
        (published.refused as u64, "messages refused"),
        (published.unclear as u64, "messages published without an answer"),
        (histories.missing, "entries of histories missing"),
        (histories.twice, "messages twice in a history"),
        (histories.misplaced, "messages in a history that must not have them"),
        (receipts.unmarked, "messages not marked read"),
        (receipts.lost, "read receipts lost"),
        (strictly(counts.duplicates), "duplicates (--strict)"),
        (strictly(counts.out_of_order), "deliveries out of order (--strict)"),
    ];
    let told = all.into_iter().filter(|(count, _)| *count > 0);
    told.map(|(count, what)| format!("{what}: {count}")).collect()
}

fn cases(work: &Work, lost: &[(usize, usize)], misrouted: &[(usize, usize)]) -> Vec<String> {
    let case = |what: &str, (n, session): &(usize, usize)| {
        let (call, message) = (work.plan.call_of(*n), &work.plan.messages[*n]);
        format!(
            "{what}: message {}, published by {} for {} at {}, {} session {}",
            work.run.message_id(*n),
            call.way.name(),
            work.run.whom(message.keys),
            seconds(call.due),
            if what == "lost" { "did not reach" } else { "came to" },
            work.run.member(work.plan.population.members[*session]),
        )
    };
    let lost = lost.iter().map(|delivery| case("lost", delivery));
    lost.chain(misrouted.iter().map(|delivery| case("misrouted", delivery))).collect()
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Published = Published { accepted: 10, refused: 0, unclear: 0 };

    #[test]
    fn what_may_happen_is_no_fault_unless_it_is_asked_for() {
        let counts = Counts { delivered: 9, duplicates: 2, out_of_order: 1, foreign: 5, ..Counts::default() };
        assert_eq!(faults(ALL, &counts, None, None, false), Vec::<String>::new());
        let strict = faults(ALL, &counts, None, None, true);
        assert_eq!(strict, ["duplicates (--strict): 2", "deliveries out of order (--strict): 1"]);
    }

    #[test]
    fn every_other_difference_is_a_fault() {
        let counts = Counts { lost: 1, misrouted: 2, altered: 3, ..Counts::default() };
        let histories = Histories { missing: 4, twice: 5, misplaced: 6, ..Histories::default() };
        let receipts = Receipts { unmarked: 7, lost: 8, ..Receipts::default() };
        let published = Published { accepted: 1, refused: 9, unclear: 10 };
        assert_eq!(faults(published, &counts, Some(histories), Some(receipts), false).len(), 10);
    }
}
