//! The sender under faults.

use crate::{
    trial::{TIME, assert_in_time, at_all_rates, clients, faults, leak, silence, sink, sink_with},
    unanswered::Unanswered,
};
use sbe_bench::{
    events::{event, messages, sender_payloads},
    population::{Population, aes_key, queue_url},
    sink::{
        Plan,
        faults::{Class, Faults},
        record::Queue,
        server::Sink,
    },
};
use sbe_core::{frame::decrypt, message::Message, payload::MAX_DEPTH};
use sqs_sender::{App, handle};
use std::{
    collections::{BTreeSet, VecDeque},
    time::{Duration, Instant},
};

const SESSIONS: usize = 20;
/// Two batches for each session.
const MESSAGES: usize = 12;
const SENDER: &str = "sqs-sender";
/// How long an answer does not come. Half of it is waited for, so that few answers are given up that are only late.
const PATIENT: Duration = Duration::from_secs(10);

/// Invokes the sender as Lambda does: what it hands back is invoked as well, and what fails is
/// invoked again. Tells how many invocations failed.
async fn invoke_until_done(sink: &Sink, app: &'static App, time: Duration) -> usize {
    let payloads = sender_payloads(&sink.state.plan.population, &messages(MESSAGES, 300));
    let mut waiting: VecDeque<String> = payloads.map(|payload| payload.json).collect();
    let (mut failures, mut handed_back) = (0, 0);
    while let Some(payload) = waiting.pop_front() {
        let start = Instant::now();
        let result = handle(app, event(payload.clone(), time)).await;
        assert_in_time(start, time);
        if result.is_err() {
            failures += 1;
            assert!(failures < 20, "the sender does not come to an end");
            waiting.push_back(payload);
        }
        let record = sink.state.record();
        waiting.extend(record.invocations[handed_back..].iter().map(|handed| handed.payload.clone()));
        handed_back = record.invocations.len();
    }
    failures
}

/// The numbers of the messages that a session's queue took.
fn numbers(queue: &Queue, session: usize) -> Vec<u64> {
    let number = |body: &str| {
        let text = decrypt(&aes_key(session), body).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["number"].as_u64().unwrap()
    };
    queue.arrivals.iter().map(|arrival| number(&arrival.body)).collect()
}

fn first_of_each(numbers: &[u64]) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    numbers.iter().copied().filter(|number| seen.insert(*number)).collect()
}

/// Looks at every queue: all there; once, if every answer came; and in order.
fn check(sink: &Sink, class: Class, repeats: bool) {
    let record = sink.state.record();
    for session in 0..sink.state.plan.population.sessions {
        let queue = &record.queues[&queue_url(session)];
        let numbers = numbers(queue, session);
        let mut firsts = first_of_each(&numbers);
        if class == Class::Partial {
            // SQS took the others of the batch; the next batch came after all of this one.
            firsts[..10].sort_unstable();
            firsts[10..].sort_unstable();
        }
        assert!(firsts.iter().copied().eq(0..MESSAGES as u64), "session {session} got {firsts:?}");
        if queue.lost_answers == 0 && !repeats {
            assert_eq!(numbers.len(), MESSAGES, "session {session} got a message twice");
        }
    }
}

async fn survives(class: Class) {
    at_all_rates(async |percent, times| {
        let faults = Faults { stall: PATIENT, ..faults(class, percent) };
        let sink = sink(Population::of(SESSIONS * times), faults);
        let unanswered = Unanswered::default();
        let app = leak(App::new(&unanswered.watch(&clients(&sink, SENDER).await)));
        let failures = invoke_until_done(&sink, app, TIME).await;
        assert_eq!(failures, 0, "there was time for all");
        // On a busy machine an answer may be late: for the sender it is lost, though the sink knows nothing of that.
        let is_late = unanswered.count() > sink.state.record().struck;
        check(&sink, class, is_late);
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
async fn partial_failures() {
    survives(Class::Partial).await;
}

#[tokio::test]
async fn timeouts() {
    survives(Class::Timeout).await;
}

#[tokio::test]
async fn resets() {
    survives(Class::Reset).await;
}

/// An invocation with some seconds to work in ends in time although SQS does not answer; what is handed
/// back is only what was not sent, and sending it completes every session in order.
#[tokio::test]
async fn what_there_is_no_time_for_is_handed_back() {
    let sink = sink(Population::of(3 * SESSIONS), silence("SendMessageBatch"));
    let app = leak(App::new(&clients(&sink, SENDER).await));
    let failures = invoke_until_done(&sink, app, Duration::from_secs(8)).await;
    assert!(!sink.state.record().invocations.is_empty(), "nothing was handed back");
    check(&sink, Class::Timeout, failures > 0);
}

/// A queue that SQS does not know yet is tried again for some seconds, all of them together; one that
/// it never knows is gone, and that is success.
#[tokio::test]
async fn a_new_queue_is_tried_again_before_it_is_believed_gone() {
    for (unknown_calls, is_sent) in [(1, true), (2, true), (3, false)] {
        let plan = Plan { unknown_calls, records: true, ..Plan::instant(Population::of(3 * SESSIONS)) };
        let sink = sink_with(plan);
        let app = leak(App::new(&clients(&sink, SENDER).await));
        let payloads = sender_payloads(&sink.state.plan.population, &messages(MESSAGES, 300));
        for payload in payloads {
            let start = Instant::now();
            let summary = handle(app, event(payload.json, TIME)).await.unwrap();
            assert!(start.elapsed() < Duration::from_secs(20), "all wait together");
            let all = 3 * SESSIONS * MESSAGES;
            assert_eq!((summary.sent, summary.gone), if is_sent { (all, 0) } else { (0, all) });
        }
        if is_sent {
            check(&sink, Class::Throttle, false);
        }
    }
}

/// What SQS refuses for good is parked at once, by itself, and stops nothing else.
#[tokio::test]
async fn what_is_refused_is_parked_and_never_cycles() {
    let plan = Plan { max_body: 1000, records: true, ..Plan::instant(Population::of(3)) };
    let sink = sink_with(plan);
    let app = leak(App::new(&clients(&sink, SENDER).await));
    let (small, large) = (messages(MESSAGES, 300), messages(MESSAGES + 1, 2000).pop().unwrap());
    let all: Vec<Message> = small.into_iter().chain([large]).collect();
    for payload in sender_payloads(&sink.state.plan.population, &all) {
        let summary = handle(app, event(payload.json, TIME)).await.unwrap();
        assert_eq!((summary.sent, summary.parked, summary.handed_back), (3 * MESSAGES, 3, 0));
    }
    check(&sink, Class::Throttle, false);
    let record = sink.state.record();
    assert_eq!((record.sent.len(), record.invocations.len()), (1, 0));
    let parked: serde_json::Value = serde_json::from_str(&record.sent[0]).unwrap();
    assert_eq!(parked["function"], "bench-sqs-browser-sqs-sender");
    let deliveries = parked["requestPayload"]["deliveries"].as_array().unwrap();
    assert!(deliveries.iter().all(|delivery| delivery["messages"] == serde_json::json!([MESSAGES])));
}

/// What was handed back as often as may be is parked, so that Lambda never takes it for a loop.
#[tokio::test]
async fn what_was_handed_back_too_often_is_parked() {
    let plan = Plan {
        faults: silence("SendMessageBatch"),
        records: true,
        ..Plan::instant(Population::of(SESSIONS))
    };
    let sink = sink_with(plan);
    let app = leak(App::new(&clients(&sink, SENDER).await));
    let payload = sender_payloads(&sink.state.plan.population, &messages(1, 300)).next().unwrap().json;
    let mut deep: serde_json::Value = serde_json::from_str(&payload).unwrap();
    deep["depth"] = serde_json::json!(MAX_DEPTH);
    let summary = handle(app, event(deep.to_string(), Duration::from_secs(3))).await.unwrap();
    assert!(summary.sent > 0 && summary.parked > 0 && summary.handed_back == 0, "{summary:?}");
    let record = sink.state.record();
    assert_eq!((record.invocations.len(), record.sent.len()), (0, 1));
    let parked: serde_json::Value = serde_json::from_str(&record.sent[0]).unwrap();
    assert_eq!(parked["requestPayload"]["depth"], 0, "whoever replays it has all tries again");
}

/// A queue is not believed gone when the time ends before it was asked for again.
#[tokio::test]
async fn without_the_time_to_ask_again_no_queue_is_believed_gone() {
    let plan = Plan { unknown_calls: 1, records: true, ..Plan::instant(Population::of(1)) };
    let sink = sink_with(plan);
    let app = leak(App::new(&clients(&sink, SENDER).await));
    let payload = sender_payloads(&sink.state.plan.population, &messages(MESSAGES, 300)).next().unwrap().json;
    let error = handle(app, event(payload.clone(), Duration::from_millis(2900))).await.unwrap_err();
    assert_eq!(error.to_string(), "none of 12 messages could be sent", "Lambda tries again");
    handle(app, event(payload, TIME)).await.unwrap();
    check(&sink, Class::Throttle, false);
}
