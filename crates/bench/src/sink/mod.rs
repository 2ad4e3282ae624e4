//! An AWS that answers at once, or as late as it is told: an HTTP server on loopback.
//!
//! It speaks as much of SQS, `DynamoDB` and Lambda as fan-out uses, makes the sessions it is asked
//! for up, counts every call, and fails when its plan says so. Events for a function wait at
//! `/events/{function}`: `GET` takes the next one, `DELETE` says that it is done.
//!
//! # Layout
//!
//! - [`server`]: connections and requests
//! - [`faults`]: which calls fail, and how: decided by a seed, never by timing
//! - [`handing_out`]: events that wait for an environment of their function
//! - [`reached`]: who was reached, how often, and when
//! - [`tally`]: calls, entries, bytes and billed units of each operation
//! - [`record`]: what arrived, for tests to look at
//! - [`queues`]: lists of queues, their age, and who owns them
//! - `sqs`, `lambda`, `dynamodb`, `history`, `events`: what each service answers
//! - `sessions`: what `DynamoDB` answers about sessions

mod dynamodb;
mod events;
pub mod faults;
pub mod handing_out;
mod history;
mod lambda;
pub mod queues;
pub mod reached;
pub mod record;
pub mod server;
mod sessions;
mod sqs;
pub mod tally;

use crate::population::Population;
use faults::Faults;
use handing_out::{Events, HandsOut};
use reached::{Reach, Reached};
use record::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tally::Tally;

/// What a sink does.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The sessions in its table.
    pub population: Population,
    /// Sessions in a page of its table, if fewer than fit in 1 MB.
    pub page_items: Option<usize>,
    /// How many sessions its table says that it has, if not as many as it has.
    pub claimed_sessions: Option<usize>,
    /// Queues beside those of the sessions, which nobody owns.
    pub orphans: usize,
    /// So many of the first calls to each queue find that SQS does not know it yet.
    pub unknown_calls: u32,
    /// Users whose entries the history table refuses for good.
    pub refused_user: Option<i64>,
    /// The queue that nobody may send a single message to, by what its URL ends with.
    pub refused_queue: Option<&'static str>,
    /// Bodies of a batch, and details of events, that are larger than this are refused for good, each by itself.
    pub max_body: usize,
    /// Which calls fail.
    pub faults: Faults,
    /// The one operation whose answers take longer, and by how much.
    pub slow: Option<(&'static str, Duration)>,
    /// How long answers take.
    pub latency: Latency,
    /// Which invocations it keeps until somebody takes them.
    pub hands_out: HandsOut,
    /// The first event is handed out when so many wait for events.
    pub takers: usize,
    /// Whether it keeps what arrives.
    pub records: bool,
}

impl Plan {
    /// A sink that answers at once, never fails, and keeps nothing.
    pub fn instant(population: Population) -> Self {
        Self {
            population,
            page_items: None,
            claimed_sessions: None,
            orphans: 0,
            unknown_calls: 0,
            refused_user: None,
            refused_queue: None,
            max_body: usize::MAX,
            faults: Faults::none(),
            slow: None,
            latency: Latency::default(),
            hands_out: HandsOut::Nothing,
            takers: 1,
            records: false,
        }
    }

    /// Whether calls have to be told from one another.
    fn remembers(&self) -> bool {
        self.records || self.faults.percent > 0
    }
}

/// How long answers take, from the arrival of the call to that of the answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Latency {
    /// Those of `DynamoDB`.
    pub page: Duration,
    /// Those of Lambda.
    pub invoke: Duration,
    /// Those of SQS.
    pub send: Duration,
}

impl Latency {
    fn of(&self, operation: &str) -> Duration {
        match operation {
            "Invoke" => self.invoke,
            operation if server::is_of_sqs(operation) => self.send,
            _ => self.page,
        }
    }
}

/// Milliseconds: one number for all, or three of `DynamoDB`, Lambda and SQS.
///
/// ```
/// use sbe_bench::sink::Latency;
/// assert_eq!("50,40,20".parse::<Latency>().unwrap().send.as_millis(), 20);
/// assert_eq!("8".parse::<Latency>().unwrap().page.as_millis(), 8);
/// assert!("8,8".parse::<Latency>().is_err());
/// ```
impl FromStr for Latency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let millis = text.split(',').map(|number| number.parse().map(Duration::from_millis));
        match millis.collect::<Result<Vec<_>, _>>().as_deref() {
            Ok(&[all]) => Ok(Self { page: all, invoke: all, send: all }),
            Ok(&[page, invoke, send]) => Ok(Self { page, invoke, send }),
            _ => Err("must be milliseconds: one number, or three with commas".into()),
        }
    }
}

/// What a sink says in the end.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Account {
    /// What it was asked for.
    pub tally: Tally,
    /// Who was reached.
    pub reached: Reached,
    /// CPU seconds that it used itself.
    pub cpu: f64,
}

/// What the connections of a sink share.
#[derive(Debug)]
pub struct State {
    /// What it does.
    pub plan: Plan,
    /// The queues that a cleanup sees.
    pub queues: queues::Queues,
    events: Events,
    tally: Mutex<Tally>,
    reach: Mutex<Reach>,
    record: Mutex<Record>,
    attempts: Mutex<faults::Attempts>,
}

impl State {
    fn new(plan: Plan) -> Self {
        Self {
            plan,
            queues: queues::Queues::default(),
            events: Events::default(),
            tally: Mutex::default(),
            reach: Mutex::new(Reach::new(plan.population.sessions)),
            record: Mutex::default(),
            attempts: Mutex::default(),
        }
    }

    /// The counts so far.
    pub fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who was reached so far.
    pub fn reached(&self) -> Reached {
        self.reach().counted()
    }

    /// Has an event wait for an environment of `function`.
    pub fn hand_out(&self, function: &str, event: String) {
        self.events.add(function, event);
    }

    fn reach(&self) -> MutexGuard<'_, Reach> {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What arrived so far.
    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempt(&self, identity: &str) -> u32 {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).next(identity)
    }
}

/// An answer: a status and a JSON text.
#[derive(Debug)]
struct Answer {
    status: u16,
    json: String,
}

impl Answer {
    fn ok(json: impl Into<String>) -> Self {
        Self { status: 200, json: json.into() }
    }

    fn json(value: &Value) -> Self {
        Self::ok(value.to_string())
    }

    fn error(status: u16, code: &str) -> Self {
        Self { status, json: format!(r#"{{"__type":"{code}","message":"the sink says so"}}"#) }
    }
}
