//! The outcome as one HTML file that needs nothing else, for a reader who was not there.

use super::{
    bill::{Item, NOT_COUNTED},
    chart::{Chart, escaped},
    measures::{Measures, Summary},
    outcome::{Outcome, Parked},
};
use hdrhistogram::Histogram;
use std::{fmt::Write as _, time::Duration};

const STYLE: &str = include_str!("page.css");

/// The page. `scenario` is the TOML text.
pub fn html(outcome: &Outcome, scenario: &str, measures: &Measures) -> String {
    let title = format!("Load test of {}", escaped(&outcome.env));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}: {}</title>\n<style>\n{STYLE}</style></head>\n<body><main>\n<h1>{title}</h1>\n",
        if outcome.faults.is_empty() { "passed" } else { "failed" },
    );
    for part in [
        summary(outcome),
        latencies(outcome, measures),
        timeline(measures),
        checks(outcome),
        retries(outcome),
        bill(outcome),
        configuration(outcome, scenario),
        reading(),
    ] {
        page.push_str(&part);
    }
    page + "</main></body></html>\n"
}

fn summary(outcome: &Outcome) -> String {
    let Outcome { plan, deliveries, started, .. } = outcome;
    let all = outcome.latencies.first().map(|(_, summary)| *summary).unwrap_or_default();
    let mut text = format!(
        "<p class=\"quiet\">sqs-browser-events {}, {}; run <code>{}</code>, begun {started}</p>\n{}",
        escaped(&outcome.release),
        escaped(&outcome.place),
        outcome.run,
        verdict(outcome)
    );
    let _ = writeln!(
        text,
        "<p>{} browser sessions of {} users in {} accounts polled their queues while {} messages were published in \
         {} s, to everyone, to accounts, to users and to single sessions. By the routing rules they had to make \
         exactly {} deliveries. Every one that came was decrypted and compared with what was published.</p>",
        grouped(plan.sessions),
        grouped(plan.users.into()),
        plan.accounts,
        grouped(plan.messages),
        whole(plan.seconds),
        grouped(plan.deliveries)
    );
    text.push_str("<dl class=\"tiles\">\n");
    for (name, value) in [
        ("Deliveries", grouped(deliveries.delivered)),
        ("Lost", grouped(deliveries.lost)),
        ("Misrouted", grouped(deliveries.misrouted)),
        ("Latency p50", time(all.p50_ms)),
        ("Latency p99", time(all.p99_ms)),
        ("Deliveries a second", format!("{:.1}", outcome.deliveries_per_second)),
        ("Billed, about", format!("${:.4}", outcome.bill.dollars)),
    ] {
        let _ = writeln!(text, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    text + "</dl>\n"
}

fn verdict(outcome: &Outcome) -> String {
    if outcome.faults.is_empty() {
        return "<div class=\"verdict\"><b>Passed.</b> Everything that had to come came, to whom it was for and to \
                nobody else.</div>\n"
            .into();
    }
    let faults: String = outcome.faults.iter().map(|fault| format!("<li>{}</li>", escaped(fault))).collect();
    format!("<div class=\"verdict bad\"><b>Failed.</b><ul>{faults}</ul></div>\n")
}

fn latencies(outcome: &Outcome, measures: &Measures) -> String {
    let mut text = String::from(
        "<h2>Latency</h2>\n<p>From the moment a message was <em>due</em> by the set rate to its receipt by a poll. So \
         time that a message waits because the system, or the test's own machine, is behind counts too.</p>\n",
    );
    let histogram = measures.latencies(|_, _| true);
    if !histogram.is_empty() {
        let _ = writeln!(
            text,
            "<figure>{}<figcaption>Deliveries by latency; the scale is logarithmic.</figcaption></figure>",
            distribution(&histogram).svg()
        );
    }
    text.push_str("<div class=\"scroll\"><table><tr><th>Milliseconds</th><th>deliveries</th>");
    text.push_str("<th>p50</th><th>p95</th><th>p99</th><th>max</th></tr>\n");
    let gaps = ("between a session's polls".to_owned(), outcome.poll_gaps);
    for (name, Summary { count, p50_ms, p95_ms, p99_ms, max_ms }) in outcome.latencies.iter().chain([&gaps]) {
        let _ = writeln!(
            text,
            "<tr><td>{}</td><td>{}</td><td>{p50_ms:.1}</td><td>{p95_ms:.1}</td><td>{p99_ms:.1}</td><td>{max_ms:.1}</td></tr>",
            escaped(name),
            grouped(*count)
        );
    }
    text.push_str("</table></div>\n<p class=\"quiet\">The last line is the test's own share: how long a session was not ");
    text + "polling, because its poller deleted what had come or served another session. A browser polls without such turns.</p>\n"
}

/// Columns of equal ratio from the least to the largest latency.
fn distribution(histogram: &Histogram<u64>) -> Chart<'static> {
    const COLUMNS: u32 = 45;
    let (least, most) = (float(histogram.min().max(1)), float(histogram.max().max(1)) * 1.02);
    let ratio = (most / least).max(1.5).powf(1.0 / f64::from(COLUMNS));
    let edge = |index: u32| least * ratio.powi(index.cast_signed());
    let column = |index: u32| {
        let (from, to) = (edge(index), edge(index + 1));
        // Equivalent values are one to the histogram: a value is counted in the column that it begins in.
        let values = histogram.iter_recorded();
        let inside = values.filter(|value| (from..to).contains(&float(value.value_iterated_to().max(1))));
        let count: u64 = inside.map(|value| value.count_since_last_iteration()).sum();
        (
            float(count),
            format!("{} to {}: {} deliveries", time(from / 1000.0), time(to / 1000.0), grouped(count)),
        )
    };
    let place = |micros: f64| (micros / least).ln() / (edge(COLUMNS) / least).ln();
    let quantile = |name: &str, quantile: f64| {
        let micros = float(histogram.value_at_quantile(quantile));
        (place(micros.max(least)), format!("{name} {}", time(micros / 1000.0)))
    };
    Chart {
        title: "Deliveries by latency".into(),
        columns: (0..COLUMNS).map(column).collect(),
        marks: vec![quantile("p50", 0.5), quantile("p95", 0.95), quantile("p99", 0.99)],
        ticks: (0..=4)
            .map(|part| {
                let x = f64::from(part) / 4.0;
                (x, time(least * (edge(COLUMNS) / least).powf(x) / 1000.0))
            })
            .collect(),
        unit: "",
        ..Chart::default()
    }
}

fn timeline(measures: &Measures) -> String {
    let slices = &measures.slices;
    let width = measures.slice.as_secs_f64();
    let end = width * count(slices.len());
    let middle = |index: usize| (count(index) + 0.5) / count(slices.len());
    let ticks: Vec<(f64, String)> =
        (0..=4).map(|part| f64::from(part) / 4.0).map(|x| (x, clock(x * end))).collect();
    let columns = |title: &str, of: &dyn Fn(usize) -> u64| Chart {
        title: title.into(),
        columns: (0..slices.len())
            .map(|index| {
                (float(of(index)) / width, format!("{}: {}", clock(count(index) * width), grouped(of(index))))
            })
            .collect(),
        ticks: ticks.clone(),
        unit: "a second",
        ..Chart::default()
    };
    let line = |quantile: f64| {
        let with = slices.iter().enumerate().filter(|(_, slice)| !slice.latencies.is_empty());
        with.map(|(index, slice)| {
            (middle(index), float(slice.latencies.value_at_quantile(quantile)) / 1000.0)
        })
        .collect()
    };
    let latency = Chart {
        title: "Latency by the time when messages were due".into(),
        lines: vec![("slow", line(0.95)), ("typical", line(0.5))],
        ticks: ticks.clone(),
        unit: "ms",
        ..Chart::default()
    };
    let mut text =
        String::from("<h2>Timeline</h2>\n<p class=\"quiet\">Minutes and seconds since the first call.</p>\n");
    for (chart, caption) in [
        (
            columns("Messages accepted", &|index| slices[index].published),
            "Messages that the system accepted.",
        ),
        (
            columns("Deliveries", &|index| slices[index].delivered),
            "Deliveries that came: one message to everyone makes many.",
        ),
        (
            latency,
            "<span class=\"key typical\"></span>p50 and <span class=\"key slow\"></span>p95 of the latency of messages \
             that were due then. Level lines: the system keeps up with the rate. Rising ones: it falls behind.",
        ),
    ] {
        let _ = writeln!(text, "<figure>{}<figcaption>{caption}</figcaption></figure>", chart.svg());
    }
    text
}

fn checks(outcome: &Outcome) -> String {
    let Outcome { deliveries, published, plan, .. } = outcome;
    let histories = outcome.histories.unwrap_or_default();
    let receipts = outcome.receipts.unwrap_or_default();
    let mut rows = vec![
        (
            "Messages that the system did not accept",
            plan.messages,
            published.refused as u64 + published.unclear as u64,
            true,
        ),
        ("Deliveries lost", plan.deliveries, deliveries.lost, true),
        ("Deliveries to sessions that they are not for", plan.deliveries, deliveries.misrouted, true),
        ("Deliveries with another content than was published", plan.deliveries, deliveries.altered, true),
        (
            "Deliveries that came twice (allowed: at least once)",
            plan.deliveries,
            deliveries.duplicates,
            false,
        ),
        ("Deliveries out of order within a call by HTTP", plan.deliveries, deliveries.out_of_order, false),
    ];
    if outcome.histories.is_some() {
        rows.push(("Entries of histories missing", histories.expected, histories.missing, true));
        rows.push(("Messages twice in a history", histories.expected, histories.twice, true));
        rows.push((
            "Messages in a history that must not have them",
            histories.expected,
            histories.misplaced,
            true,
        ));
    }
    if outcome.receipts.is_some() {
        rows.push(("Messages that could not be marked read", receipts.marked, receipts.unmarked, true));
        rows.push((
            "Read receipts that did not reach a session of the user",
            receipts.expected,
            receipts.lost,
            true,
        ));
    }
    let mut text = String::from("<h2>What was checked</h2>\n<div class=\"scroll\"><table>");
    text.push_str("<tr><th>What must not happen</th><th>checked</th><th>happened</th></tr>\n");
    for (name, of, found, fault) in rows {
        let class = if found > 0 && fault { " class=\"bad\"" } else { "" };
        let _ = writeln!(
            text,
            "<tr><td>{name}</td><td>{}</td><td{class}>{}</td></tr>",
            grouped(of),
            grouped(found)
        );
    }
    text.push_str("</table></div>\n");
    if let Some(Parked { failed, rejected }) = outcome.parked.filter(|parked| *parked != Parked::default()) {
        let _ = writeln!(
            text,
            "<p>Meanwhile the queue of failed work grew by {failed} messages and that of rejected ones by {rejected}: \
             what was lost may be there.</p>"
        );
    }
    if !outcome.cases.is_empty() {
        let cases: String = outcome.cases.iter().map(|case| format!("<li>{}</li>", escaped(case))).collect();
        let _ = writeln!(text, "<p>Some of them:</p><ul>{cases}</ul>");
    }
    text
}

fn retries(outcome: &Outcome) -> String {
    let retries = outcome.retries;
    let mut text = String::from("<h2>Retries</h2>\n<table>\n");
    for (name, count) in [
        ("Calls of the API, or messages of a list, tried again", retries.api),
        ("Kinesis records put again", retries.records),
        ("Polls that failed", retries.polls),
        ("Messages that a poller could not delete, and that come again", retries.undeleted),
        ("Sessions renewed", retries.renewals),
        ("Messages of other publishers and runs, passed over", outcome.deliveries.foreign),
    ] {
        let _ = writeln!(text, "<tr><td>{name}</td><td>{}</td></tr>", grouped(count));
    }
    text + "</table>\n"
}

fn bill(outcome: &Outcome) -> String {
    let mut text = String::from(
        "<h2>What AWS bills</h2>\n<div class=\"scroll\"><table><tr><th></th><th>units</th><th>US dollars</th></tr>\n",
    );
    for Item { name, units, dollars, estimated } in &outcome.bill.items {
        let name = if *estimated { format!("{name} (estimated)") } else { (*name).to_owned() };
        let _ = writeln!(text, "<tr><td>{name}</td><td>{}</td><td>{dollars:.6}</td></tr>", grouped(*units));
    }
    let _ = writeln!(
        text,
        "<tr><td>Together</td><td></td><td>{:.6}</td></tr></table></div>\n<p class=\"quiet\">List prices: {}. What is not \
         marked as estimated was counted where the test made the calls. {NOT_COUNTED}</p>",
        outcome.bill.dollars, outcome.bill.prices
    );
    text
}

fn configuration(outcome: &Outcome, scenario: &str) -> String {
    format!(
        "<h2>Configuration</h2>\n<p>To repeat it, save this as <code>scenario.toml</code> and run <code>sbe load \
         --scenario scenario.toml</code>. The seed makes the same sessions and the same sequence of messages, sizes and \
         targets; a run with the same plan <code>{}</code> did exactly the same.</p>\n<pre>{}</pre>\n",
        outcome.plan.fingerprint,
        escaped(scenario.trim_end())
    )
}

fn reading() -> String {
    "<h2>How to read it</h2>\n<ul>\n\
     <li>Expectations are computed by the test itself from the sessions' ids and the messages' keys, not by the system's code.</li>\n\
     <li><em>Lost</em>: a message was accepted, and a session that it is for did not receive it until nothing had come for \
     the time <code>check.drain</code>. It may be late rather than lost, and it may be parked in the failed queue.</li>\n\
     <li><em>Misrouted</em>: a session received what is not for it. This must never happen.</li>\n\
     <li>The load comes from one machine. Its own limits, its distance from the region and its pollers' turns are in the latencies.</li>\n\
     <li>Percentiles are exact to 1 %; p99 means that one delivery in a hundred took longer.</li>\n</ul>\n"
        .into()
}

/// Milliseconds with as many digits as they deserve.
fn time(millis: f64) -> String {
    if millis >= 10_000.0 {
        format!("{:.0} s", millis / 1000.0)
    } else if millis >= 1000.0 {
        format!("{:.1} s", millis / 1000.0)
    } else if millis >= 10.0 {
        format!("{millis:.0} ms")
    } else {
        format!("{millis:.1} ms")
    }
}

fn clock(seconds: f64) -> String {
    let seconds = Duration::from_secs_f64(seconds.max(0.0)).as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn whole(seconds: f64) -> String {
    format!("{seconds:.0}")
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

fn count(length: usize) -> f64 {
    float(length as u64)
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_times_are_short() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([1.24, 105.4, 1234.0, 65_000.0].map(time), ["1.2 ms", "105 ms", "1.2 s", "65 s"]);
        assert_eq!(clock(125.0), "2:05");
    }

    #[test]
    fn every_value_is_in_a_column() {
        let mut histogram = Histogram::new(2).unwrap();
        for value in [1_u64, 90, 1500, 105_000, 105_900, 2_000_000] {
            histogram.record(value).unwrap();
        }
        let chart = distribution(&histogram);
        let sum: f64 = chart.columns.iter().map(|(count, _)| count).sum();
        assert!((sum - 6.0).abs() < 1e-9, "{:?}", chart.columns);
        assert!(chart.marks.iter().all(|(x, _)| (0.0..=1.0).contains(x)));
    }
}
