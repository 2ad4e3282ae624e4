//! What the parts of a run share.

use super::{ledger::Ledger, measures::Measures, plan::Plan, run::Run, scenario::Given, tally::Tally};
use sbe_client::{Api, ApiError, Reply, System, backoff::Backoff};
use serde_json::Value;
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::time::Instant;

/// A call of the API that fails in passing is tried again for so long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A run, as its tasks see it.
#[derive(Debug)]
pub struct Work {
    /// The system.
    pub system: System,
    /// Its HTTP API.
    pub api: Api,
    /// The scenario.
    pub given: Given,
    /// The run's name.
    pub run: Run,
    /// What is published.
    pub plan: Arc<Plan>,
    /// Whether duplicates and wrong order are faults.
    pub strict: bool,
    /// Calls made.
    pub tally: Tally,
    ledger: Mutex<Ledger>,
    measures: Mutex<Measures>,
}

impl Work {
    /// A run of which nothing is done.
    pub fn new(system: System, given: Given, plan: Plan, strict: bool) -> Arc<Self> {
        let plan = Arc::new(plan);
        Arc::new(Self {
            api: system.api(),
            system,
            given,
            run: Run::new(plan.population.accounts),
            ledger: Mutex::new(Ledger::new(plan.clone())),
            measures: Mutex::new(Measures::new(&plan)),
            plan,
            strict,
            tally: Tally::default(),
        })
    }

    /// What came.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("nobody panics with it")
    }

    /// What was measured.
    pub fn measures(&self) -> MutexGuard<'_, Measures> {
        self.measures.lock().expect("nobody panics with it")
    }

    /// The path of a call on a session, such as `/destroy/…`.
    pub fn path(&self, action: &str, session: usize) -> String {
        let member = self.plan.population.members[session];
        // Ids of a run have nothing that a path encodes.
        format!("/{action}/{}/{}", self.run.account(member.account), self.run.session(member.name))
    }

    /// The body of a success of a call, tried again while it fails in passing.
    pub async fn call(&self, method: &str, path: &str, body: &str) -> Result<Value, ApiError> {
        self.send(method, path, body).await?.success()
    }

    /// The reply to a call, tried again while it fails in passing: throttled, no answer, a fault inside.
    pub async fn send(&self, method: &str, path: &str, body: &str) -> Result<Reply, ApiError> {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        let end = Instant::now() + PATIENCE;
        loop {
            self.tally.api_calls.add(1);
            let reply = self.api.send(method, path, body.to_owned()).await;
            let (again, after) = match &reply {
                Ok(reply) => (matches!(reply.status, 429 | 500..), reply.retry_after),
                Err(error) => (matches!(error, ApiError::Unreachable(..)), None),
            };
            let wait = backoff.next_wait().max(Duration::from_secs(after.unwrap_or_default()));
            if !again || Instant::now() + wait > end {
                return reply;
            }
            self.tally.api_retries.add(1);
            tokio::time::sleep(wait).await;
        }
    }
}
