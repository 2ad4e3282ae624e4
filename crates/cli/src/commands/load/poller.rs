//! Polls the sessions' queues with their own keys, checks what comes and deletes it.

use super::{ledger::Receipt, sessions::renewed, work::Work};
use sbe_client::{Consumer, Session, consumer::Delivery};
use serde_json::Value;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{task::JoinSet, time::Instant};

/// After a poll that failed.
const PAUSE: Duration = Duration::from_millis(500);

/// SQS holds a poll for 20 seconds at most. A poller that serves several sessions cannot stay so long with one.
const ALONE: i32 = 20;
const IN_TURN: i32 = 1;

/// A session that a poller serves.
struct Served {
    place: usize,
    consumer: Consumer,
    /// When its last poll ended.
    polled: Option<Instant>,
}

/// Starts the pollers; they go on until they are dropped.
pub fn start(work: &Arc<Work>, sessions: &[Session], start: Instant) -> JoinSet<()> {
    let pollers = work.given.scenario.poll.pollers.min(sessions.len());
    let wait = if pollers == sessions.len() { ALONE } else { IN_TURN };
    let mut tasks = JoinSet::new();
    for poller in 0..pollers {
        let mine = (poller..sessions.len()).step_by(pollers);
        let served = |place: usize| Served {
            place,
            consumer: Consumer::of(&work.system, sessions[place].clone()),
            polled: None,
        };
        let mine: Vec<Served> = mine.map(served).collect();
        tasks.spawn(serve(work.clone(), mine, wait, start));
    }
    tasks
}

async fn serve(work: Arc<Work>, mut mine: Vec<Served>, wait: i32, start: Instant) {
    loop {
        for session in &mut mine {
            poll(&work, session, wait, start).await;
        }
    }
}

async fn poll(work: &Work, session: &mut Served, wait: i32, start: Instant) {
    let before = work.given.scenario.poll.renew_before;
    if ends_within(&session.consumer.session, before) {
        renew(work, session).await;
    }
    if let Some(polled) = session.polled {
        work.measures().gaps.saturating_record(super::measures::micros(polled.elapsed()));
    }
    work.tally.polls.add(1);
    let deliveries = match session.consumer.receive(wait).await {
        Ok(deliveries) => deliveries,
        Err(error) => {
            work.tally.poll_errors.add(1);
            // A refusal is most likely one of keys that ended, while this machine slept for example.
            if error.as_service_error().is_some() {
                renew(work, session).await;
            }
            return tokio::time::sleep(PAUSE).await;
        }
    };
    session.polled = Some(Instant::now());
    let at = start.elapsed();
    deliveries.iter().for_each(|delivery| take(work, session.place, delivery, at));
    if !deliveries.is_empty() {
        work.tally.deletes.add(1);
        let left = session.consumer.delete(&deliveries).await;
        work.tally.undeleted.add(left.unwrap_or(deliveries.len()));
    }
}

fn ends_within(session: &Session, time: Duration) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(session.expires).unwrap_or_default() < (now + time).as_secs()
}

async fn renew(work: &Work, session: &mut Served) {
    if let Ok(fresh) = renewed(work, session.place).await {
        work.tally.renewals.add(1);
        session.consumer = Consumer::of(&work.system, fresh);
    }
}

/// Checks one delivery against the plan.
fn take(work: &Work, session: usize, delivery: &Delivery, at: Duration) {
    let text = delivery.text.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(message) = text else {
        work.ledger().counts.altered += 1;
        return;
    };
    if message["_type"] == "message-read-receipt" {
        return take_receipt(work, session, &message);
    }
    let id = message["messageId"].as_str().unwrap_or_default();
    let Some(n) = work.run.number(id).filter(|n| *n < work.plan.messages.len()) else {
        work.ledger().counts.foreign += 1;
        return;
    };
    let planned = &work.plan.messages[n];
    let mut ledger = work.ledger();
    let receipt = ledger.take(session, n);
    ledger.counts.altered += u64::from(message != work.run.message(n, planned));
    drop(ledger);
    if receipt == Receipt::First {
        work.measures().delivered(work.plan.call_of(n), planned, at);
    }
}

fn take_receipt(work: &Work, session: usize, message: &Value) {
    let user = work.plan.population.members[session].user.map(|user| work.run.user(user));
    let mut ledger = work.ledger();
    if user.is_none() || message["userId"].as_str() != user.as_deref() {
        ledger.counts.misrouted += 1;
        return;
    }
    let ids = message["messages-receipted"].as_array().into_iter().flatten().filter_map(Value::as_str);
    ids.filter_map(|id| work.run.number(id)).for_each(|n| ledger.tell(session, n));
}
