//! Encrypts messages and sends them to session queues.
//!
//! # Layout
//!
//! - [`deliver`](mod@deliver): one session's messages, in order, batch after batch
//! - [`seal`]: from a delivery to full batches of encrypted messages
//! - [`age`]: how old messages were when they were sent
//! - [`told`]: what the log tells of a payload's messages
//! - [`handle`]: all deliveries of a payload at once; what there was no time for is handed back
//!
//! What is left over when the time is up is handed back as a payload of its own, so that nothing that
//! was sent is sent again. When nothing at all could be done, the invocation fails instead: Lambda
//! tries the payload again later and, in the end, parks it in the failure queue. What trying again
//! cannot help is parked there at once.

mod age;
mod deliver;
pub mod seal;
mod told;

use age::Ages;
use deliver::{Outcome, deliver};
use futures::{StreamExt, stream};
use lambda_runtime::{Error, LambdaEvent};
use sbe_aws::{
    clients::Clients,
    config::Config,
    leftovers::{Leftovers, TOO_OFTEN, handed_on_or_parked, is_parked},
    queues::Queues,
    retry::Deadline,
    time,
};
use sbe_core::payload::{Delivery, SendPayload, depth};
use sbe_edge::{Trail, event, metrics};
use serde::Serialize;
use serde_json::value::RawValue;
use std::time::Duration;
use told::{Told, tally};

/// What the function works with.
pub struct App {
    queues: Queues,
    leftovers: Leftovers,
    config: Config,
}

impl App {
    /// Builds the app from configured clients.
    pub fn new(clients: &Clients) -> Self {
        // Every call is tried again here, entry by entry.
        let clients = clients.without_retries();
        Self { queues: clients.queues(), leftovers: clients.leftovers(), config: clients.config().clone() }
    }
}

/// Why deliveries are parked at once.
const REFUSED: &str = "SQS refuses it, or it is malformed";

/// What became of a payload.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Messages that SQS took.
    pub sent: usize,
    /// Messages for queues that are gone.
    pub gone: usize,
    /// Messages handed back for another try.
    pub handed_back: usize,
    /// Messages that were parked: refused for good, or handed back too often.
    pub parked: usize,
}

/// Sends the deliveries of one payload.
///
/// # Errors
/// When the payload is malformed, when nothing of it could be done, or when what is left can be neither
/// handed back nor parked: Lambda then tries all of it again.
pub async fn handle(app: &'static App, event: LambdaEvent<Box<RawValue>>) -> Result<Summary, Error> {
    let deadline = Deadline::from_epoch_millis(event.context.deadline);
    let payload: SendPayload<'_> = event::parse(event.payload.get())?;
    let done = send_all(app, &payload, deadline).await;
    let times = payload.depth + 1;
    let remains = done.remains(times);
    let (handed_back, given_up) = remains.unwrap_or_default();
    let parked = count(&done.refused) + given_up;
    let summary = Summary { sent: done.sent, gone: count(&done.gone), handed_back, parked };
    let became = tally(&payload, &done);
    let ages = Ages::of(&payload, &became, given_up > 0, time::now().0 / 1000);
    let counts = [
        ("Sent", summary.sent as u64),
        ("InTime", ages.in_time),
        ("Late", ages.late),
        ("Gone", summary.gone as u64),
        ("HandedBack", summary.handed_back as u64),
        ("Parked", summary.parked as u64),
    ];
    metrics::record(&app.config, &counts);
    metrics::record_millis(&app.config, "Age", &ages.millis);
    let told = Told::new(Trail::new(&event.context.request_id), &payload, &done, &became);
    told.sent();
    if remains.is_none() {
        return Err(format!("none of {} messages could be sent", count(&done.left)).into());
    }
    let (function, reserve) = (&app.config.function_name, deadline.with_reserve());
    let part = |deliveries: Vec<Delivery<'_>>, depth| {
        let (messages, published) = (payload.messages.clone(), payload.published.clone());
        serde_json::to_string(&SendPayload {
            version: payload.version,
            messages,
            published,
            deliveries,
            depth,
        })
    };
    if !done.left.is_empty() {
        let left = vec![part(done.left, depth(times))?];
        app.leftovers.hand_on(function, left, times, reserve).await?;
        if is_parked(times) {
            told.parked(function, TOO_OFTEN, |sent| sent.handed_back);
        }
    }
    if !done.refused.is_empty() {
        let refused = vec![part(done.refused, 0)?];
        app.leftovers.park(function, REFUSED, refused, reserve).await?;
        told.parked(function, REFUSED, |sent| sent.refused);
    }
    Ok(summary)
}

/// SQS may not know a new queue for about a second. A queue that it does not know is tried again so
/// long after it was first not known, then it is gone: its session has ended. All of them wait
/// together, so that the many queues of an audience that has left hold up nothing.
const KNOWN_AFTER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// What became of a payload's deliveries.
#[derive(Default)]
struct Done<'a> {
    sent: usize,
    left: Vec<Delivery<'a>>,
    refused: Vec<Delivery<'a>>,
    gone: Vec<Delivery<'a>>,
}

async fn send_all<'a>(app: &App, payload: &SendPayload<'a>, deadline: Deadline) -> Done<'a> {
    let mut done = Done::default();
    let mut unknown = send_each(app, &payload.messages, &payload.deliveries, deadline, &mut done).await;
    let first_unknown = Deadline::after(Duration::ZERO);
    for since in KNOWN_AFTER {
        if unknown.is_empty() {
            break;
        }
        if !first_unknown.later_by(since).wait_until(deadline).await {
            // Not to be believed yet.
            done.left.append(&mut unknown);
            break;
        }
        unknown = send_each(app, &payload.messages, &unknown, deadline, &mut done).await;
    }
    done.gone = unknown;
    done
}

/// Sends deliveries and notes what became of them; gives those whose queue SQS does not know.
async fn send_each<'a>(
    app: &App,
    messages: &[&RawValue],
    deliveries: &[Delivery<'a>],
    deadline: Deadline,
    done: &mut Done<'a>,
) -> Vec<Delivery<'a>> {
    let mut outcomes = stream::iter(deliveries)
        .map(|delivery| deliver(&app.queues, messages, delivery, deadline))
        .buffer_unordered(app.config.max_concurrency);
    let mut unknown = Vec::new();
    while let Some(Outcome { sent, left, refused, without_queue }) = outcomes.next().await {
        done.sent += sent;
        done.left.extend(left);
        done.refused.extend(refused);
        unknown.extend(without_queue);
    }
    unknown
}

impl Done<'_> {
    /// How many messages are handed back for the `times`th time, and how many given up. None, if nothing was done at all:
    /// Lambda then brings the payload again, and puts it away in the end.
    fn remains(&self, times: u32) -> Option<(usize, usize)> {
        let left = count(&self.left);
        let is_stuck = left > 0 && self.sent + count(&self.gone) + count(&self.refused) == 0;
        (!is_stuck).then(|| handed_on_or_parked(left, times))
    }
}

fn count(deliveries: &[Delivery<'_>]) -> usize {
    deliveries.iter().map(|delivery| delivery.messages.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::tests::delivery;
    use sbe_core::payload::MAX_DEPTH;

    #[test]
    fn what_could_not_be_begun_is_neither_handed_back_nor_given_up() {
        let done = |sent| Done { sent, left: vec![delivery("a", &[0, 1])], ..Done::default() };
        assert_eq!((done(0).remains(1), done(0).remains(MAX_DEPTH + 1)), (None, None));
        assert_eq!((done(1).remains(1), done(1).remains(MAX_DEPTH + 1)), (Some((2, 0)), Some((0, 2))));
        assert_eq!(Done::default().remains(1), Some((0, 0)));
    }
}
