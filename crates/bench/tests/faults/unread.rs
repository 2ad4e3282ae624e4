//! Counts of unread messages under faults.

use crate::trial::{TIME, at_all_rates, clients, faults, sink, slow};
use sbe_aws::{history::History, retry::Deadline};
use sbe_bench::{
    population::Population,
    sink::{
        faults::{Class, Faults},
        record::Kept,
        server::Sink,
    },
};
use sbe_core::{
    id::UserId,
    unread::{Query, UnreadCount},
};
use std::time::Duration;

/// A history of so many entries, of which every `read_every`th is read.
fn fill(sink: &Sink, entries: usize, read_every: usize) {
    let entry = |n: usize| {
        let is_read = u8::from(n.is_multiple_of(read_every)).to_string();
        (
            ("7".to_owned(), format!("m-{n:05}")),
            Kept { created: n.to_string(), is_read, read_by: String::new() },
        )
    };
    sink.state.record().history.extend((0..entries).map(entry));
}

async fn history(sink: &Sink) -> History {
    clients(sink, "messages-api").await.without_retries().history()
}

/// Counts what was published up to a moment, if one is given.
async fn count_until(history: &History, end: Option<&str>, time: Duration) -> UnreadCount {
    let query = Query::parse(UserId::from(7), |name| end.filter(|_| name == "end")).unwrap();
    Box::pin(history.count_unread(&query, 0, Deadline::after(time))).await.unwrap()
}

async fn count(history: &History, time: Duration) -> UnreadCount {
    count_until(history, None, time).await
}

async fn is_exact(class: Class) {
    at_all_rates(async |percent, times| {
        let sink = sink(Population::of(0), faults(class, percent));
        fill(&sink, 1000 * times, 4);
        let history = history(&sink).await;
        for thousands in 1..=times {
            let end = (1000 * thousands - 1).to_string();
            let count = count_until(&history, Some(&end), TIME).await;
            assert_eq!((count.unread, count.at_least), (750 * thousands, false));
            assert_eq!(count.by_type, [(String::new(), 750 * thousands)].into());
        }
        sink
    })
    .await;
}

#[tokio::test]
async fn throttles() {
    is_exact(Class::Throttle).await;
}

#[tokio::test]
async fn server_errors() {
    is_exact(Class::ServerError).await;
}

#[tokio::test]
async fn resets() {
    is_exact(Class::Reset).await;
}

/// Ten thousand are counted one by one; of more, no more are read.
#[tokio::test]
async fn a_count_ends_at_ten_thousand() {
    let sink = sink(Population::of(0), Faults::none());
    fill(&sink, 10_001, 10_001);
    let history = history(&sink).await;
    let exact = count(&history, TIME).await;
    assert_eq!((exact.unread, exact.at_least), (10_000, false), "all but one");
    assert_eq!(sink.state.tally().of("BatchGetItem").calls, 0, "no message is read");

    fill(&sink, 20_000, 30_000);
    let before = sink.state.tally().of("Query").entries;
    let more = count(&history, TIME).await;
    assert_eq!((more.unread, more.at_least), (10_000, true));
    assert_eq!(sink.state.tally().of("Query").entries - before, 10_001);
}

/// When the time ends, there are at least as many as were counted.
#[tokio::test]
async fn a_count_ends_with_its_time() {
    let (sink, clients) = slow("Query", Faults::none(), "messages-api").await;
    fill(&sink, 5000, 5000);
    let count = count(&clients.without_retries().history(), Duration::from_secs(3)).await;
    assert!(count.at_least && (100..4999).contains(&count.unread), "{count:?}");
}
