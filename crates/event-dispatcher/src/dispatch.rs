//! One batch of messages, or what was handed on of one.
//!
//! Broadcasts travel by themselves: beside other messages they are handed on at once, so that nobody
//! waits for the scan of all. Few sessions are read in place; the rest of many, and whatever would take
//! too long, is handed on.

use crate::{
    App,
    job::{Done, Job, MAX_DIVIDING_DEPTH},
    outbox::{Failed, Parked},
    park,
};
use futures::{
    FutureExt, StreamExt,
    future::join,
    stream::{self, BoxStream},
};
use sbe_aws::{lookups::Found, retry::Deadline};
use sbe_core::{
    handed_on::HandedOn,
    id::MessageId,
    message::Published,
    offline::Waiting,
    part::{Part, Segments},
    route::{Lookup, Router},
    stages::{self, Stage},
    target::Target,
};
use sbe_edge::{Trail, metrics};
use std::{collections::BTreeSet, time::Duration};

/// Lookups that one batch makes at the same time.
const CONCURRENT_LOOKUPS: usize = 32;

/// Pages of an account, or of a segment of the scan, that are read in place.
const PAGES_IN_PLACE: usize = 4;

/// Pages of an account that a further reader reads before it divides the rest.
const PAGES_BEFORE_DIVIDING: usize = 8;

/// A batch of the stream is read in place for at most this long: the shard waits for it.
const IN_PLACE: Duration = Duration::from_secs(10);

/// A caller by HTTP waits at most about this long for a wide audience.
const IN_PLACE_HTTP: Duration = Duration::from_millis(1200);

/// Kept aside for handing on, and for the answers of what was invoked.
pub(crate) const ASIDE: Duration = Duration::from_secs(5);

/// Until when what is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// Lookups of one session, a user or a session's id.
    narrow: Deadline,
    /// Lookups of an account or everyone.
    wide: Deadline,
    /// Invocations.
    end: Deadline,
}

impl Times {
    /// Of a batch for which a shard, or nobody, waits.
    pub(crate) fn of_batch(end: Deadline) -> Self {
        let reading = end.sooner_by(ASIDE).at_most(IN_PLACE);
        Self { narrow: reading, wide: reading, end }
    }

    /// Of a call that a person may wait for.
    pub(crate) fn of_call(end: Deadline) -> Self {
        let narrow = end.sooner_by(ASIDE);
        Self { narrow, wide: narrow.at_most(IN_PLACE_HTTP), end }
    }
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Dispatched {
    messages: Vec<MessageId>,
    sessions: Vec<u64>,
    workers: Vec<u32>,
    depth: u32,
    segments: Option<Segments>,
    /// The messages that did not reach all functions they are for, and why.
    pub(crate) failed: Failed,
    /// The rejected messages that could not be parked, and those that were parked by their places.
    pub(crate) rejected: Failed,
    deliveries: u64,
    unreadable: u64,
    unreached: u64,
}

impl Dispatched {
    fn of(messages: &[Published]) -> Self {
        let (sessions, workers) = (vec![0; messages.len()], vec![0; messages.len()]);
        let messages = messages.iter().map(|published| published.message.id().clone()).collect();
        Self { messages, sessions, workers, ..Self::default() }
    }

    /// How many sessions a message was handed to the sender for; `None` when others carry on.
    pub(crate) fn sessions(&self, index: usize) -> Option<u64> {
        (self.workers[index] == 0).then_some(self.sessions[index])
    }

    /// Adds what became of the messages at these places.
    fn add(&mut self, places: &[usize], done: Done) {
        for (index, sessions) in done.sessions.iter().enumerate() {
            self.deliveries += sessions;
            self.sessions[places[index]] = *sessions;
            self.workers[places[index]] = done.workers[index];
        }
        let failed = done.failed.messages.iter().map(|index| places[*index]);
        self.failed.messages.extend(failed.collect::<BTreeSet<usize>>());
        self.failed.error = self.failed.error.take().or(done.failed.error);
        self.failed.parked.extend(done.failed.parked.into_iter().map(|parked| Parked {
            messages: parked.messages.iter().map(|index| places[*index]).collect(),
            ..parked
        }));
        self.unreadable += done.unreadable;
        self.unreached += done.unreached;
    }

    /// Tells the log and metrics of a batch of `messages`, of which some were rejected before.
    pub(crate) fn record(&self, app: &App, trail: Trail<'_>, messages: usize, rejected: usize) {
        self.tell(trail);
        let counts = [
            ("Messages", messages as u64),
            ("Rejected", rejected as u64),
            ("Deliveries", self.deliveries),
            ("Failed", (self.failed.messages.len() + self.rejected.messages.len()) as u64),
            ("Parked", park::count(&self.failed.parked) + park::count(&self.rejected.parked)),
            ("HandedOn", self.workers.iter().filter(|workers| **workers > 0).count() as u64),
            ("Unreadable", self.unreadable),
            ("Unreached", self.unreached),
        ];
        metrics::record(&app.config, &counts);
        if self.unreadable > 0 {
            tracing::error!(rows = self.unreadable, "rows of the sessions table are no sessions");
        }
    }

    fn tell(&self, trail: Trail<'_>) {
        let told = |(index, id): (usize, &MessageId)| stages::Dispatched {
            message_id: id.clone(),
            sessions: self.sessions[index],
            workers: self.workers[index],
            failed: self.failed.messages.contains(&index),
        };
        trail.info(self.messages.iter().enumerate().map(told), |messages| Stage::Dispatched {
            depth: self.depth,
            segments: self.segments,
            error: self.failed.error.as_ref().map(ToString::to_string),
            messages,
        });
        park::tell(trail, &self.failed.parked, |index| self.messages[index].clone());
    }
}

/// Dispatches a batch: every session gets its messages in order, every distinct user's history each
/// message once.
pub(crate) async fn dispatch(app: &App, batch: Vec<Published>, times: Times) -> Dispatched {
    let mut dispatched = Dispatched::of(&batch);
    let is_broadcast = |(_, published): &(usize, Published)| *published.message.target() == Target::EVERYONE;
    let (broadcasts, others): (Vec<_>, Vec<_>) = batch.into_iter().enumerate().partition(is_broadcast);
    let (broadcasts, others) = (unzip(broadcasts), unzip(others));
    // Beside others a scan, even of few, would take the CPU that they need.
    let scans = others.1.is_empty();
    let (sent_to_all, sent) =
        join(begin(app, &broadcasts.1, times, scans), begin(app, &others.1, times, scans)).await;
    dispatched.add(&broadcasts.0, sent_to_all);
    dispatched.add(&others.0, sent);
    dispatched
}

fn unzip(indexed: Vec<(usize, Published)>) -> (Vec<usize>, Vec<Published>) {
    indexed.into_iter().unzip()
}

/// The lookups of some messages; a scan of few sessions is made in place if `scans`.
async fn begin(app: &App, messages: &[Published], times: Times, scans: bool) -> Done {
    let router = Router::new(messages.iter().map(|published| &published.message));
    let lookups = router.lookups().to_vec();
    let waiting = waiting(app, messages, 0..messages.len());
    let mut job = Job::new(app, messages, router, waiting, 0, times.end);
    let found = lookups.into_iter().map(|lookup| find(app, lookup, times, scans));
    job.reach(stream::iter(found).flatten_unordered(CONCURRENT_LOOKUPS)).await;
    job.reach_addressed_users().await;
    job.finish().await
}

/// Those of the messages at `indexes` that the bus is told of should nobody be there.
fn waiting(app: &App, messages: &[Published], indexes: impl IntoIterator<Item = usize>) -> Waiting {
    app.offline.as_ref().map(|offline| offline.waiting(messages, indexes)).unwrap_or_default()
}

/// What a lookup finds in place.
fn find(app: &App, lookup: Lookup, times: Times, scans: bool) -> BoxStream<'_, Found> {
    match lookup {
        Lookup::All => app
            .lookups
            .segments(times.wide)
            .map(move |segments| everyone(app, segments, times, scans))
            .flatten_stream()
            .boxed(),
        Lookup::Account(_) => app.lookups.read(Part::of(lookup), PAGES_IN_PLACE, times.wide).boxed(),
        _ => app.lookups.read(Part::of(lookup), usize::MAX, times.narrow).boxed(),
    }
}

fn everyone(app: &App, segments: Segments, times: Times, scans: bool) -> BoxStream<'_, Found> {
    let all = Part::everyone(segments);
    if scans && segments.are_few() {
        read_lanes(app, &all, PAGES_IN_PLACE, times.wide)
    } else {
        stream::once(async { Found::Rest(all) }).boxed()
    }
}

fn read_lanes<'a>(app: &'a App, part: &Part, pages: usize, deadline: Deadline) -> BoxStream<'a, Found> {
    let lanes = part.lanes().into_iter().map(|lane| app.lookups.read(lane, pages, deadline).boxed());
    stream::select_all(lanes).boxed()
}

/// Carries out what another invocation has handed on.
pub(crate) async fn carry_out(
    app: &App,
    handed_on: HandedOn<'_>,
    messages: Vec<Published>,
    end: Deadline,
) -> Dispatched {
    let HandedOn { lookups, part, depth, waiting: indexes, .. } = handed_on;
    let segments = part.segments;
    let router = Router::with_lookups(messages.iter().map(|published| &published.message), lookups);
    let is_looked_up = |index: &usize| Lookup::of(messages[*index].message.target()) == part.lookup;
    let waiting = waiting(app, &messages, indexes.into_iter().filter(is_looked_up));
    let mut job = Job::new(app, &messages, router, waiting, depth, end);
    let divides = matches!(part.lookup, Lookup::Account(_)) && depth < MAX_DIVIDING_DEPTH;
    let pages = if divides { PAGES_BEFORE_DIVIDING } else { usize::MAX };
    let found = if part.shares().is_some() {
        stream::once(async { Found::Rest(part) }).boxed()
    } else {
        read_lanes(app, &part, pages, end.sooner_by(ASIDE))
    };
    job.reach(found).await;
    let mut dispatched = Dispatched { depth, segments, ..Dispatched::of(&messages) };
    let places: Vec<usize> = (0..messages.len()).collect();
    dispatched.add(&places, job.finish().await);
    dispatched
}
