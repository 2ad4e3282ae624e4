//! Publishes what the plan says, when it says so.
//!
//! The loop is open: a call is made when it is due, whether or not those before it are answered, and
//! latencies count from that moment. A system that is slow cannot slow the test down and so look fast; what
//! waits because too many calls are under way is late all the same.

use super::{
    ledger::Fate,
    plan::{Call, Way},
    work::{PATIENCE, Work},
};
use sbe_client::{
    backoff::Backoff,
    stream::{Batch, NotTaken, Stream},
};
use serde_json::Value;
use std::{ops::Range, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

/// Messages of a list that ask to be tried again are, so often.
const ROUNDS: usize = 6;

/// A PUT payload unit of Kinesis.
const UNIT: usize = 25 * 1024;

/// Publishes all messages; ends when the fate of each is known.
pub async fn publish(work: &Arc<Work>, start: Instant) {
    let turns = Arc::new(Semaphore::new(work.given.scenario.publish.at_once));
    let stream = Stream::new(work.system.kinesis(), &work.system.stream);
    let mut calls = JoinSet::new();
    for place in 0..work.plan.calls.len() {
        tokio::time::sleep_until(start + work.plan.calls[place].due).await;
        let turn = turns.clone().acquire_owned().await.expect("it is never closed");
        let (work, stream) = (work.clone(), stream.clone());
        calls.spawn(async move {
            let call = &work.plan.calls[place];
            match call.way {
                Way::Http => notify(&work, call, start).await,
                Way::Kinesis => put(&work, call, &stream, start).await,
            }
            drop(turn);
        });
        while calls.try_join_next().is_some() {}
    }
    while calls.join_next().await.is_some() {}
}

fn settle(work: &Work, n: usize, fate: Fate, start: Instant) {
    if fate == Fate::Accepted {
        work.measures().published(start.elapsed());
    }
    work.ledger().settle(n, fate);
}

fn messages(work: &Work, numbers: impl IntoIterator<Item = usize>) -> Vec<Value> {
    numbers.into_iter().map(|n| work.run.message(n, &work.plan.messages[n])).collect()
}

fn numbers(call: &Call) -> Range<usize> {
    call.first..call.first + call.len
}

/// A list by POST /notify; those of it that ask to be tried again are.
async fn notify(work: &Work, call: &Call, start: Instant) {
    let mut left: Vec<usize> = numbers(call).collect();
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
    for round in 0..ROUNDS {
        work.tally.notifies.add(1);
        let body = Value::from(messages(work, left.iter().copied())).to_string();
        let reply = work.send("POST", "/notify", &body).await;
        left = match reply {
            Ok(reply) if reply.status == 200 => fates(work, left, &reply.json, round + 1 == ROUNDS, start),
            // A fault inside, or no answer: some of it may be done.
            Ok(reply) if reply.status >= 500 => {
                return left.iter().for_each(|n| settle(work, *n, Fate::Unclear, start));
            }
            Ok(_) => return left.iter().for_each(|n| settle(work, *n, Fate::Refused, start)),
            Err(_) => return left.iter().for_each(|n| settle(work, *n, Fate::Unclear, start)),
        };
        if left.is_empty() {
            return;
        }
        work.tally.api_retries.add(left.len());
        tokio::time::sleep(backoff.next_wait()).await;
    }
}

/// Settles the messages of a list by its reply; answers those that ask to be tried again.
fn fates(work: &Work, list: Vec<usize>, reply: &Value, last: bool, start: Instant) -> Vec<usize> {
    let mut left = Vec::new();
    for (place, n) in list.into_iter().enumerate() {
        let of = &reply["messages"][place];
        let asks = of["message"].as_str().is_some_and(|text| text.contains("try again"));
        match of["success"].as_bool() {
            Some(true) => settle(work, n, Fate::Accepted, start),
            Some(false) if asks && !last => left.push(n),
            Some(false) => settle(work, n, Fate::Refused, start),
            None => settle(work, n, Fate::Unclear, start),
        }
    }
    left
}

/// Records by `PutRecords`, with a partition key each.
async fn put(work: &Work, call: &Call, stream: &Stream, start: Instant) {
    let mut batch = Batch::default();
    for (n, message) in numbers(call).zip(messages(work, numbers(call))) {
        let data = message.to_string();
        work.tally.put_units.add(data.len().div_ceil(UNIT));
        batch.push(n.to_string(), data);
    }
    work.tally.puts.add(1);
    let result = stream.put(&mut batch, PATIENCE).await;
    work.tally.record_retries.add(usize::try_from(batch.repeated()).unwrap_or_default());
    let fate_of_the_rest = match result {
        Err(NotTaken::Record { .. }) => Fate::Refused,
        _ => Fate::Unclear,
    };
    for (place, n) in numbers(call).enumerate() {
        let waiting = batch.waiting().binary_search(&place).is_ok();
        settle(work, n, if waiting { fate_of_the_rest } else { Fate::Accepted }, start);
    }
}
