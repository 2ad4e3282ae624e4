//! The outcome as text.

use super::{
    measures::Summary,
    outcome::{Outcome, Parked},
};
use std::fmt::Write as _;

/// The outcome, for a terminal of 100 columns.
pub fn text(outcome: &Outcome) -> String {
    let mut text = String::new();
    write(&mut text, outcome).expect("a string takes everything");
    text
}

fn write(text: &mut String, outcome: &Outcome) -> std::fmt::Result {
    let Outcome { plan, published, deliveries, retries, bill, .. } = outcome;
    writeln!(
        text,
        "Run {} in environment {} ({}, release {})",
        outcome.run, outcome.env, outcome.place, outcome.release
    )?;
    writeln!(
        text,
        "{} sessions of {} users in {} accounts, {} messages; plan {}\n",
        plan.sessions, plan.users, plan.accounts, plan.messages, plan.fingerprint
    )?;
    writeln!(text, "{:<34} {:>10}", "Deliveries", plan.deliveries)?;
    for (name, count) in [
        ("came", deliveries.delivered),
        ("lost", deliveries.lost),
        ("misrouted", deliveries.misrouted),
        ("altered", deliveries.altered),
        ("duplicate (at least once)", deliveries.duplicates),
        ("out of order within a call", deliveries.out_of_order),
        ("of others, passed over", deliveries.foreign),
    ] {
        writeln!(text, "  {name:<32} {count:>10}")?;
    }
    let rest = (published.refused, published.unclear);
    writeln!(
        text,
        "Messages accepted {}, refused {}, without an answer {}",
        published.accepted, rest.0, rest.1
    )?;
    checks(text, outcome)?;
    writeln!(
        text,
        "\nThroughput {:.1} deliveries a second for {:.1} s",
        outcome.deliveries_per_second, outcome.seconds
    )?;
    latencies(text, outcome)?;
    writeln!(
        text,
        "\nRetries: {} API, {} Kinesis records; failed polls {}, not deleted {}; sessions renewed {}",
        retries.api, retries.records, retries.polls, retries.undeleted, retries.renewals
    )?;
    writeln!(text, "\n{:<48} {:>12} {:>12}", "Billed", "units", "US dollars")?;
    for item in &bill.items {
        let name = if item.estimated { format!("{} (estimated)", item.name) } else { item.name.to_owned() };
        writeln!(text, "  {name:<46} {:>12} {:>12.6}", item.units, item.dollars)?;
    }
    writeln!(text, "  {:<59} {:>12.6}  (prices: {})", "together", bill.dollars, bill.prices)?;
    for case in &outcome.cases {
        writeln!(text, "{case}")?;
    }
    let verdict = if outcome.faults.is_empty() {
        "PASSED".to_owned()
    } else {
        format!("FAILED: {}", outcome.faults.join(", "))
    };
    write!(text, "\n{verdict}")
}

fn checks(text: &mut String, outcome: &Outcome) -> std::fmt::Result {
    if let Some(histories) = outcome.histories {
        writeln!(
            text,
            "Histories of {} users: {} entries expected, {} missing, {} twice, {} misplaced",
            histories.users, histories.expected, histories.missing, histories.twice, histories.misplaced
        )?;
    }
    if let Some(receipts) = outcome.receipts {
        writeln!(
            text,
            "Receipts: {} messages marked read, {} not; {} receipts expected, {} lost",
            receipts.marked, receipts.unmarked, receipts.expected, receipts.lost
        )?;
    }
    if let Some(Parked { failed, rejected }) = outcome.parked.filter(|parked| *parked != Parked::default()) {
        writeln!(
            text,
            "Meanwhile the failed queue grew by {failed} and the rejected queue by {rejected} messages"
        )?;
    }
    Ok(())
}

fn latencies(text: &mut String, outcome: &Outcome) -> std::fmt::Result {
    let columns = ["count", "p50", "p95", "p99", "max"].map(|name| format!("{name:>10}")).concat();
    writeln!(text, "\n{:<24}{columns}", "Latency from due, ms")?;
    for (name, Summary { count, p50_ms, p95_ms, p99_ms, max_ms }) in &outcome.latencies {
        writeln!(text, "  {name:<22}{count:>10}{p50_ms:>10.1}{p95_ms:>10.1}{p99_ms:>10.1}{max_ms:>10.1}")?;
    }
    let gaps = outcome.poll_gaps;
    writeln!(
        text,
        "  of it, between a session's polls: p50 {:.1}, p95 {:.1}, max {:.1}",
        gaps.p50_ms, gaps.p95_ms, gaps.max_ms
    )
}
