//! One batch of messages: lookups, payloads, invocations.
//!
//! Sessions stream through: page by page they are matched, written into payloads, and the payloads
//! that are full are invoked while the next page is fetched. Memory does not grow with the
//! audience.

use crate::App;
use futures::{StreamExt, stream};
use sbe_aws::{
    Error, Result,
    functions::Functions,
    retry::{Deadline, retry},
    time,
};
use sbe_core::{
    audience::Audience,
    history::Timestamp,
    id::UserId,
    message::Message,
    payload::{Payload, PayloadCutter},
    recipient::Recipient,
    route::{Lookup, Router},
};
use sbe_edge::metrics;
use std::collections::BTreeSet;
use tokio::task::JoinSet;

/// Lookups that one batch makes at the same time.
const CONCURRENT_LOOKUPS: usize = 16;

/// Payloads in flight at the same time; each holds up to 256 KiB.
const CONCURRENT_INVOCATIONS: usize = 16;

/// A message and when it was published.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) message: Message,
    pub(crate) created: Timestamp,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Dispatched {
    /// For each message, how many sessions it was handed on for.
    pub(crate) sessions: Vec<u64>,
    /// The messages that did not reach all functions they are for.
    pub(crate) failed: BTreeSet<usize>,
    /// Why.
    pub(crate) error: Option<Error>,
}

impl Dispatched {
    /// Tells metrics and log of a batch of `messages`, of which some were rejected before.
    pub(crate) fn record(&self, app: &App, messages: usize, rejected: usize) {
        let counts = [
            ("Messages", messages as u64),
            ("Rejected", rejected as u64),
            ("Deliveries", self.sessions.iter().sum()),
            ("Failed", self.failed.len() as u64),
        ];
        metrics::record(&app.config, &counts);
    }
}

/// Dispatches a batch: every session gets its messages in order, every distinct user's history
/// each message once.
pub(crate) async fn dispatch(app: &App, batch: Vec<Published>, deadline: Deadline) -> Dispatched {
    let (messages, created): (Vec<Message>, Vec<Timestamp>) =
        batch.into_iter().map(|published| (published.message, published.created)).unzip();
    let mut run = Run::new(app, &messages, &created, deadline);
    if let Err(error) = run.reach_sessions(app, deadline).await {
        // Any session may have been missed: all messages are to be dispatched again.
        run.outbox.fail(0..messages.len(), error);
    }
    run.reach_addressed_users().await;
    run.finish().await
}

struct Run<'a> {
    messages: &'a [Message],
    router: Router,
    sends: PayloadCutter,
    keeps: PayloadCutter,
    audience: Audience,
    sessions: Vec<u64>,
    outbox: Outbox,
}

impl<'a> Run<'a> {
    fn new(app: &App, messages: &'a [Message], created: &[Timestamp], deadline: Deadline) -> Self {
        Self {
            messages,
            router: Router::new(messages),
            sends: PayloadCutter::deliveries(messages),
            keeps: PayloadCutter::users(messages, |index| created[index]),
            audience: Audience::default(),
            sessions: vec![0; messages.len()],
            outbox: Outbox::new(app, deadline),
        }
    }

    async fn reach_sessions(&mut self, app: &App, deadline: Deadline) -> Result<()> {
        let lookups = self.router.lookups().to_vec();
        let finds = lookups.into_iter().map(|lookup| {
            let pages = app.lookups.find(&lookup, deadline);
            pages.map(move |page| page.map(|recipients| (lookup.clone(), recipients)))
        });
        let mut pages = stream::iter(finds).flatten_unordered(CONCURRENT_LOOKUPS);
        while let Some(page) = pages.next().await {
            let (lookup, recipients) = page?;
            let now = time::now_seconds();
            for recipient in recipients.iter().filter(|recipient| recipient.is_active(now)) {
                self.reach(&lookup, recipient).await;
            }
        }
        Ok(())
    }

    async fn reach(&mut self, lookup: &Lookup, recipient: &Recipient) {
        let indexes = self.router.route(lookup, recipient.keys());
        if indexes.is_empty() {
            return;
        }
        for index in &indexes {
            self.sessions[*index] += 1;
        }
        for payload in self.sends.push_recipient(recipient, &indexes) {
            self.outbox.send(payload).await;
        }
        if let Some(user) = &recipient.user_id {
            self.keep(user, indexes).await;
        }
    }

    /// A message addressed to a user is kept even when the user has no session.
    async fn reach_addressed_users(&mut self) {
        for (index, message) in self.messages.iter().enumerate() {
            if let Some(user) = &message.target().user {
                self.keep(user, vec![index]).await;
            }
        }
    }

    async fn keep(&mut self, user: &UserId, mut indexes: Vec<usize>) {
        indexes.retain(|index| !self.messages[*index].sqs_only());
        let new = self.audience.add(user, &indexes);
        for payload in self.keeps.push_user(user, &new) {
            self.outbox.keep(payload).await;
        }
    }

    async fn finish(mut self) -> Dispatched {
        for payload in self.sends.finish() {
            self.outbox.send(payload).await;
        }
        for payload in self.keeps.finish() {
            self.outbox.keep(payload).await;
        }
        let (failed, error) = self.outbox.finish().await;
        Dispatched { sessions: self.sessions, failed, error }
    }
}

/// Invokes the functions behind, with bounded concurrency.
struct Outbox {
    functions: Functions,
    sender: String,
    adder: String,
    deadline: Deadline,
    in_flight: JoinSet<(Vec<usize>, Result<()>)>,
    failed: BTreeSet<usize>,
    error: Option<Error>,
}

impl Outbox {
    fn new(app: &App, deadline: Deadline) -> Self {
        Self {
            functions: app.functions.clone(),
            sender: app.sender.clone(),
            adder: app.adder.clone(),
            deadline,
            in_flight: JoinSet::new(),
            failed: BTreeSet::new(),
            error: None,
        }
    }

    async fn send(&mut self, payload: Payload) {
        self.invoke(self.sender.clone(), payload).await;
    }

    async fn keep(&mut self, payload: Payload) {
        self.invoke(self.adder.clone(), payload).await;
    }

    /// Waits for room, then invokes without waiting for the answer.
    async fn invoke(&mut self, function: String, payload: Payload) {
        while self.in_flight.len() >= CONCURRENT_INVOCATIONS {
            self.settle_one().await;
        }
        let (functions, deadline) = (self.functions.clone(), self.deadline);
        self.in_flight.spawn(async move {
            let result = retry(deadline, || functions.invoke_async(&function, payload.json.clone())).await;
            (payload.messages, result)
        });
    }

    async fn settle_one(&mut self) {
        match self.in_flight.join_next().await {
            Some(Ok((messages, Err(error)))) => self.fail(messages, error),
            // A panic in the task would be a fault of this program: let it end the process.
            Some(Err(fault)) => std::panic::resume_unwind(fault.into_panic()),
            _ => {}
        }
    }

    fn fail(&mut self, messages: impl IntoIterator<Item = usize>, error: Error) {
        tracing::error!(%error, "messages were not dispatched");
        self.failed.extend(messages);
        self.error.get_or_insert(error);
    }

    async fn finish(mut self) -> (BTreeSet<usize>, Option<Error>) {
        while !self.in_flight.is_empty() {
            self.settle_one().await;
        }
        (self.failed, self.error)
    }
}
