//! Presence under faults, and what it reads of accounts of any size.

use crate::trial::{TIME, at_all_rates, clients, faults, sink, sink_with, slow};
use sbe_aws::retry::Deadline;
use sbe_bench::{
    population::Population,
    sink::{
        Plan,
        faults::{Class, Faults},
        server::Sink,
    },
};
use sbe_core::{
    id::{AccountId, UserId},
    page,
    presence::{MAX_SESSIONS, Query, Whose},
    session::Cursor,
};
use std::time::Duration;

const NOW: i64 = 1_763_800_100;
/// After the end of all sessions, which `DynamoDB` has not removed yet.
const LATER: i64 = 99_999_999_999;

/// Users with two sessions each, of one account.
fn population(sessions: usize) -> Population {
    Population { accounts: 1, sessions_per_user: 2, ..Population::of(sessions) }
}

fn account(limit: usize, after: Option<Cursor>) -> Query {
    Query { whose: Whose::Account(AccountId::from(0)), limit, after }
}

async fn presence(sink: &Sink) -> sbe_aws::presence::Presence {
    clients(sink, "session-manager").await.without_retries().presence()
}

/// Page by page every session comes once, though calls fail.
async fn is_read_page_by_page(class: Class) {
    at_all_rates(async |percent, times| {
        let sink = sink(population(40 * times), faults(class, percent));
        let presence = presence(&sink).await;
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let query = account(2, after);
            let page = Box::pin(presence.page(&query, NOW, Deadline::after(TIME))).await.unwrap();
            ids.extend(page.sessions.into_iter().map(|session| session.session_id));
            let Some(next) = page.next else { break };
            assert_eq!(ids.len() % 2, 0, "a page that has a next one is full");
            after = Some(next);
        }
        assert!(
            ids.iter().eq((0..40 * times).map(sbe_bench::population::session_id).collect::<Vec<_>>().iter())
        );
        sink
    })
    .await;
}

#[tokio::test]
async fn pages_under_throttles() {
    is_read_page_by_page(Class::Throttle).await;
}

#[tokio::test]
async fn pages_under_server_errors() {
    is_read_page_by_page(Class::ServerError).await;
}

#[tokio::test]
async fn pages_under_resets() {
    is_read_page_by_page(Class::Reset).await;
}

/// One query for a user, and an account of any size costs what is shown and one session more.
#[tokio::test]
async fn a_page_costs_what_it_shows() {
    let sink = sink(population(20_000), Faults::none());
    let presence = presence(&sink).await;
    let user = Query { whose: Whose::User(UserId::from(7)), limit: page::DEFAULT_LIMIT, after: None };
    let page = Box::pin(presence.page(&user, NOW, Deadline::after(TIME))).await.unwrap();
    assert_eq!((page.sessions.len(), page.next), (2, None));
    assert!(page.sessions.iter().all(|session| session.user_id == Some(UserId::from(7))));
    let read = sink.state.tally().of("Query");
    assert_eq!((read.calls, read.entries), (1, 2));

    let page = Box::pin(presence.page(&account(100, None), NOW, Deadline::after(TIME))).await.unwrap();
    assert_eq!((page.sessions.len(), page.next.is_some()), (100, true));
    let read = sink.state.tally().of("Query");
    assert_eq!((read.calls, read.entries), (2, 2 + 101));
}

/// Sessions that have ended and are still there are passed over, but no more of them than a call may
/// look at; and only as long as there is time. The next call goes on from there.
#[tokio::test]
async fn what_has_ended_is_passed_over_within_bounds() {
    let sink = sink(population(3 * MAX_SESSIONS), Faults::none());
    let page = presence(&sink).await;
    let page = Box::pin(page.page(&account(100, None), LATER, Deadline::after(TIME))).await.unwrap();
    assert_eq!((page.sessions.len(), page.next.is_some()), (0, true));
    let read = sink.state.tally().of("Query").entries;
    assert!((10_000..20_000).contains(&read), "{read}");
}

#[tokio::test]
async fn a_page_ends_with_its_time() {
    let (slow, _) = slow("Query", Faults::none(), "session-manager").await;
    let plan = Plan { population: population(5000), page_items: Some(50), ..slow.state.plan };
    let sink = sink_with(plan);
    let presence = presence(&sink).await;
    let short = || Deadline::after(Duration::from_secs(3));
    let page = Box::pin(presence.page(&account(100, None), LATER, short())).await.unwrap();
    let next = page.next.expect("there are more");
    let page = Box::pin(presence.page(&account(100, Some(next.clone())), LATER, short())).await.unwrap();
    assert!(page.next.is_some_and(|further| further.session > next.session), "it does not stand still");
}
