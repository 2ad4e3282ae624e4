//! The history adder under faults.

use crate::trial::{
    SHORT, TIME, at_all_rates, calls_for, clients, faults, invoke_until_done, leak, silence, sink, sink_with,
    slow,
};
use sbe_aws::retry::Deadline;
use sbe_bench::{
    events::{event, messages},
    population::Population,
    sink::{
        Plan,
        faults::{Class, Faults},
        record::Kept,
        server::Sink,
    },
};
use sbe_core::{
    history::{Position, Query, Timestamp},
    id::{MessageId, UserId},
    payload::{MAX_DEPTH, PayloadCutter},
};
use std::time::Duration;
use user_history_adder::{App, handle};

const USERS: usize = 4;
const MESSAGES: usize = 5;
const ADDER: &str = "user-history-adder";

fn payload(users: usize, created: i64) -> String {
    let messages = messages(MESSAGES, 300);
    let mut cutter = PayloadCutter::users(&messages, |_| Timestamp(created));
    let all: Vec<usize> = (0..MESSAGES).collect();
    for user in (0..).take(users) {
        assert!(cutter.push_user(&UserId::from(user), &all).is_empty());
    }
    cutter.flush().remove(0).json
}

/// Every entry is there once, however often AWS failed; and a replay, which may come with another
/// time, neither adds one, nor moves `created`, nor un-reads what was read meanwhile.
async fn survives(class: Class) {
    at_all_rates(async |percent, times| {
        let sink = sink(Population::of(0), faults(class, percent));
        let (app, users) = (leak(App::new(&clients(&sink, ADDER).await)), USERS * times);
        handle(app, event(payload(users, 1_500_000), TIME)).await.unwrap();
        sink.state.record().history.values_mut().for_each(|kept| kept.is_read = "1".into());
        let before = sink.state.record().history.clone();
        assert_eq!(before.len(), users * MESSAGES);
        let summary = handle(app, event(payload(users, 2_500_000), TIME)).await.unwrap();
        assert_eq!((summary.changed, summary.total), (0, before.len()));
        assert_eq!(sink.state.record().history, before);
        sink
    })
    .await;
}

#[tokio::test]
async fn throttles() {
    survives(Class::Throttle).await;
}

#[tokio::test]
async fn server_errors() {
    survives(Class::ServerError).await;
}

#[tokio::test]
async fn timeouts() {
    survives(Class::Timeout).await;
}

#[tokio::test]
async fn resets() {
    survives(Class::Reset).await;
}

/// The time ends in the middle of the payload: what there was no time for is handed on by itself.
async fn survives_the_end_of_its_time(class: Class) {
    at_all_rates(async |percent, times| {
        let (sink, clients) = slow("PutItem", faults(class, percent), ADDER).await;
        let (app, users) = (leak(App::new(&clients)), calls_for(times).div_ceil(MESSAGES));
        let invoke = async |payload, time| handle(app, event(payload, time)).await.is_ok();
        let invoked = invoke_until_done(&sink, ADDER, payload(users, 1_500_000), SHORT, invoke).await;
        assert!(invoked.count > 1, "there was time for all");
        assert_eq!(sink.state.record().history.len(), users * MESSAGES);
        sink
    })
    .await;
}

#[tokio::test]
async fn throttles_when_time_ends() {
    survives_the_end_of_its_time(Class::Throttle).await;
}

#[tokio::test]
async fn server_errors_when_time_ends() {
    survives_the_end_of_its_time(Class::ServerError).await;
}

#[tokio::test]
async fn timeouts_when_time_ends() {
    survives_the_end_of_its_time(Class::Timeout).await;
}

#[tokio::test]
async fn resets_when_time_ends() {
    survives_the_end_of_its_time(Class::Reset).await;
}

/// One user's entries are refused for good: they are parked, and no other user misses one.
#[tokio::test]
async fn what_is_refused_is_parked_and_stops_nobody() {
    let plan = Plan { refused_user: Some(1), records: true, ..Plan::instant(Population::of(0)) };
    let sink = sink_with(plan);
    let app = leak(App::new(&clients(&sink, ADDER).await));
    let summary = handle(app, event(payload(USERS, 1_500_000), TIME)).await.unwrap();
    assert_eq!((summary.parked, summary.changed), (MESSAGES, (USERS - 1) * MESSAGES));
    let parked: serde_json::Value = serde_json::from_str(&sink.state.record().sent[0]).unwrap();
    assert_eq!(parked["function"], "bench-sqs-browser-user-history-adder");
    assert!(parked["reason"].as_str().unwrap().contains("ValidationException"), "{}", parked["reason"]);
    let users = parked["requestPayload"]["users"].as_array().unwrap();
    assert_eq!((users.len(), &users[0]["userId"]), (1, &serde_json::json!(1)));
}

/// A payload that was handed on as often as may be is parked, not lost and not handed on for ever.
#[tokio::test]
async fn what_was_handed_on_too_often_is_parked() {
    let sink = sink(Population::of(0), Faults { percent: 100, ..silence("PutItem") });
    let app = leak(App::new(&clients(&sink, ADDER).await));
    let mut deep: serde_json::Value = serde_json::from_str(&payload(1, 1_500_000)).unwrap();
    deep["depth"] = serde_json::json!(MAX_DEPTH);
    let summary = handle(app, event(deep.to_string(), Duration::from_secs(3))).await.unwrap();
    assert_eq!((summary.handed_back, summary.parked), (0, MESSAGES));
    let record = sink.state.record();
    assert_eq!((record.invocations.len(), record.sent.len()), (0, 1));
    let parked: serde_json::Value = serde_json::from_str(&record.sent[0]).unwrap();
    assert_eq!(parked["requestPayload"]["depth"], 0, "whoever replays it has all tries again");
}

/// A history of so many entries, the newest with the highest number.
fn fill(sink: &Sink, entries: usize) {
    let entry = |n: usize| {
        let kept = Kept { created: n.to_string(), is_read: "0".into(), read_by: String::new() };
        (("7".to_owned(), format!("m-{n:04}")), kept)
    };
    sink.state.record().history.extend((0..entries).map(entry));
}

fn query(parameters: &[(&str, &str)]) -> Query {
    let get = |name: &str| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    Query::parse(UserId::from(7), get).unwrap()
}

/// Page by page everything comes once, newest first, though calls fail or leave keys out.
async fn is_read_page_by_page(class: Class) {
    at_all_rates(async |percent, times| {
        let sink = sink(Population::of(0), faults(class, percent));
        fill(&sink, 40 * times);
        let history = clients(&sink, "messages-api").await.without_retries().history();
        let (mut ids, mut next) = (Vec::new(), String::new());
        loop {
            let mut parameters = vec![("limit", "2")];
            parameters.extend((!next.is_empty()).then_some(("next", next.as_str())));
            let page = history.page(&query(&parameters), 0, Deadline::after(TIME)).await.unwrap();
            ids.extend(page.entries.into_iter().map(|entry| entry.id.as_str().to_owned()));
            let Some(position) = page.next else { break };
            next = position.to_token();
        }
        assert!(ids.iter().eq((0..40 * times).rev().map(|n| format!("m-{n:04}")).collect::<Vec<_>>().iter()));
        sink
    })
    .await;
}

#[tokio::test]
async fn pages_under_throttles() {
    is_read_page_by_page(Class::Throttle).await;
}

#[tokio::test]
async fn pages_with_keys_left_out() {
    is_read_page_by_page(Class::Partial).await;
}

#[tokio::test]
async fn pages_under_resets() {
    is_read_page_by_page(Class::Reset).await;
}

/// A filter that finds nothing reads no more than there is time for, and the next call goes on from there.
#[tokio::test]
async fn a_page_ends_with_its_time() {
    let (sink, clients) = slow("Query", Faults::none(), "messages-api").await;
    fill(&sink, 2000);
    let history = clients.without_retries().history();
    let wanted = query(&[("_type", "none"), ("limit", "1")]);
    let page = history.page(&wanted, 0, Deadline::after(Duration::from_secs(2))).await.unwrap();
    let place = page.next.expect("the history goes on").created();
    assert!(page.entries.is_empty() && place > Timestamp(0));
    let further = Query { after: Some(Position::after(place, &MessageId::parse("m").unwrap())), ..wanted };
    let page = history.page(&further, 0, Deadline::after(Duration::from_secs(2))).await.unwrap();
    assert!(page.next.is_none_or(|next| next.created() < place), "it does not stand still");
}
