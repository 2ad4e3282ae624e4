//! Messages and the lookups that they need: sessions stream through, page by page.
//!
//! Each page is matched and written into payloads, and the payloads that are full are invoked while the
//! next page is fetched. Memory does not grow with the audience. What there is no room or no time for is
//! handed on, as it stands, to further invocations of this function.

use crate::{
    App,
    outbox::{Failed, Outbox},
};
use futures::{Stream, StreamExt};
use sbe_aws::{lookups::Found, retry::Deadline, time};
use sbe_core::{
    audience::Audience,
    handed_on::{HandOn, hand_on},
    id::UserId,
    message::Published,
    offline::Waiting,
    part::Part,
    payload::{Payload, PayloadCutter, depth},
    recipient::Recipient,
    route::{Lookup, Router},
};

/// The rest of an account is divided among several at most so deep: some hundred million sessions. What
/// is left deeper than that is read on by one after another.
pub(crate) const MAX_DIVIDING_DEPTH: u32 = 8;

/// One invocation's work on some messages.
pub(crate) struct Job<'a> {
    app: &'a App,
    messages: &'a [Published],
    router: Router,
    /// How many invocations have handed this on.
    depth: u32,
    deadline: Deadline,
    sends: PayloadCutter,
    keeps: PayloadCutter,
    audience: Audience,
    outbox: Outbox,
    failed: Failed,
    sessions: Vec<u64>,
    /// What was not read, and the messages that wait for what it finds.
    rests: Vec<(Part, Vec<usize>)>,
    waiting: Waiting,
    workers: Vec<u32>,
    unreadable: u64,
}

/// What became of the messages.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// For each message, how many sessions it was handed to the sender for.
    pub(crate) sessions: Vec<u64>,
    /// For each message, how many invocations carry on with it.
    pub(crate) workers: Vec<u32>,
    /// The messages that did not reach all functions they are for.
    pub(crate) failed: Failed,
    /// Rows of the table that are no sessions.
    pub(crate) unreadable: u64,
    /// How many messages reached nobody and were told of.
    pub(crate) unreached: u64,
}

impl<'a> Job<'a> {
    pub(crate) fn new(
        app: &'a App,
        messages: &'a [Published],
        router: Router,
        waiting: Waiting,
        depth: u32,
        deadline: Deadline,
    ) -> Self {
        let texts = || messages.iter().map(|published| &published.message);
        Self {
            app,
            messages,
            router,
            depth,
            deadline,
            sends: PayloadCutter::deliveries(texts(), |index| messages[index].created),
            keeps: PayloadCutter::users(texts(), |index| messages[index].created),
            audience: Audience::default(),
            outbox: Outbox::new(app.leftovers.clone(), deadline),
            failed: Failed::default(),
            sessions: vec![0; messages.len()],
            rests: Vec::new(),
            waiting,
            workers: vec![0; messages.len()],
            unreadable: 0,
        }
    }

    /// Hands all that is found to the functions behind.
    pub(crate) async fn reach(&mut self, found: impl Stream<Item = Found>) {
        let mut found = std::pin::pin!(found);
        while let Some(found) = found.next().await {
            match found {
                Found::Page(page) => {
                    self.unreadable += page.unreadable as u64;
                    let now = time::now_seconds();
                    for recipient in page.recipients.iter().filter(|recipient| recipient.is_active(now)) {
                        self.waiting.found(&page.lookup, recipient.keys());
                        self.reach_one(&page.lookup, recipient).await;
                    }
                }
                Found::Rest(part) => {
                    let waiting = self.waiting.leave(&part.lookup);
                    self.rests.push((part, waiting));
                }
                Found::Failed(part, error) => {
                    self.waiting.leave(&part.lookup);
                    self.failed.add(self.router.needing(&part.lookup), error);
                }
            }
        }
    }

    async fn reach_one(&mut self, lookup: &Lookup, recipient: &Recipient) {
        let indexes = self.router.route(lookup, recipient.keys());
        if indexes.is_empty() {
            return;
        }
        for index in &indexes {
            self.sessions[*index] += 1;
        }
        let filled = self.sends.push_recipient(recipient, &indexes);
        self.send(filled).await;
        if let Some(user) = &recipient.user_id {
            self.keep(user, indexes).await;
        }
    }

    /// A message addressed to a user is kept even when the user has no session.
    pub(crate) async fn reach_addressed_users(&mut self) {
        for index in 0..self.messages.len() {
            self.reach_addressed_user(index).await;
        }
    }

    async fn reach_addressed_user(&mut self, index: usize) {
        if let Some(user) = &self.messages[index].message.target().user {
            self.keep(user, vec![index]).await;
        }
    }

    async fn keep(&mut self, user: &UserId, mut indexes: Vec<usize>) {
        indexes.retain(|index| !self.messages[*index].message.sqs_only());
        let new = self.audience.add(user, &indexes);
        let filled = self.keeps.push_user(user, &new);
        self.add_to_histories(filled).await;
    }

    async fn send(&mut self, payloads: Vec<Payload>) {
        for Payload { json, messages } in payloads {
            self.outbox.invoke(&self.app.sender, json, messages).await;
        }
    }

    async fn add_to_histories(&mut self, payloads: Vec<Payload>) {
        for Payload { json, messages } in payloads {
            self.outbox.invoke(&self.app.adder, json, messages).await;
        }
    }

    /// Hands on what was not read, and waits for all answers.
    pub(crate) async fn finish(mut self) -> Done {
        let mut unreached = std::mem::take(&mut self.waiting).unreached();
        for index in &unreached {
            // Of what was handed on: else its event could be put before the history has it.
            self.reach_addressed_user(*index).await;
        }
        let (sends, keeps) = (self.sends.flush(), self.keeps.flush());
        self.send(sends).await;
        self.add_to_histories(keeps).await;
        for (rest, waiting) in std::mem::take(&mut self.rests) {
            for share in self.share_out(rest).await {
                self.hand_on(&share, &waiting).await;
            }
        }
        self.failed.join(self.outbox.finish().await);
        unreached.retain(|index| !self.failed.messages.contains(index));
        if let Some(offline) = &self.app.offline {
            let events = offline.events(self.messages, &unreached);
            self.failed.join(offline.tell(self.app, events, self.depth + 1, self.deadline).await);
        }
        Done {
            unreached: unreached.len() as u64,
            sessions: self.sessions,
            workers: self.workers,
            failed: self.failed,
            unreadable: self.unreadable,
        }
    }

    /// Divides a rest among as many readers as it is worth.
    async fn share_out(&self, rest: Part) -> Vec<Part> {
        if let Some(shares) = rest.shares() {
            return shares;
        }
        let Lookup::Account(account) = &rest.lookup else { return vec![rest] };
        if rest.after.is_none() || self.depth >= MAX_DIVIDING_DEPTH {
            return vec![rest];
        }
        let time = self.deadline.at_most(self.deadline.remaining() / 2);
        match Box::pin(self.app.lookups.last_of(account, time)).await {
            Ok(Some(last)) => rest.ranges(&last),
            // Without the last id the rest is for one reader, who will try again.
            _ => vec![rest],
        }
    }

    async fn hand_on(&mut self, part: &Part, waiting: &[usize]) {
        let times = self.depth + 1;
        let env = &self.app.config.env;
        let events = hand_on(env, depth(times), &self.router, self.messages, part, waiting);
        for HandOn { json, messages } in events {
            for index in &messages {
                self.workers[*index] += 1;
            }
            self.outbox.hand_on(&self.app.config.function_name, json, messages, times).await;
        }
    }
}
