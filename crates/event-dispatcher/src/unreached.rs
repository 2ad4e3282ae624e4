//! Events of messages that reached nobody, for the bus that the deployment names.
//!
//! What cannot be put in time is handed on, as often as may be, and what is refused for good is parked:
//! in both cases the message is done, and nothing of it is repeated.

use crate::{
    App,
    dispatch::ASIDE,
    outbox::{Failed, Outbox},
};
use futures::{StreamExt, stream};
use sbe_aws::{event_bus::EventBus, retry::Deadline, settle::SettledBatch};
use sbe_core::{
    batch::batches,
    message::Published,
    offline::{OfflineTypes, Waiting},
    payload::depth,
    unreached::{HandedOnEvents, MAX_CALL_BYTES, Unreached, entry_bytes, hand_on},
};
use std::time::Duration;

/// The bus is tried for so long before events are handed on.
const IN_PLACE: Duration = Duration::from_secs(1);

/// Calls of `PutEvents` at the same time.
const CONCURRENT_CALLS: usize = 8;

/// Why events are parked that the bus refuses one by one.
const REFUSED: &str = "EventBridge refuses the event; the log has the code";

/// The bus, and which messages it is told of.
pub(crate) struct Offline {
    /// The bus.
    pub(crate) bus: EventBus,
    /// The types that it is told of in any case.
    pub(crate) types: OfflineTypes,
}

impl Offline {
    /// Those of the messages at `indexes` that the bus is told of should nobody be there.
    pub(crate) fn waiting(
        &self,
        messages: &[Published],
        indexes: impl IntoIterator<Item = usize>,
    ) -> Waiting {
        let handed_over = indexes.into_iter().map(|index| (index, &messages[index].message));
        Waiting::new(handed_over.filter(|(_, message)| self.types.handover(message).is_some()))
    }

    /// The events of messages, each with its index.
    pub(crate) fn events(&self, messages: &[Published], indexes: &[usize]) -> Vec<(usize, Unreached)> {
        let event = |index: &usize| {
            let handover = self.types.handover(&messages[*index].message)?;
            Some((*index, Unreached::new(&messages[*index], handover)?))
        };
        indexes.iter().filter_map(event).collect()
    }

    /// Tells the bus of messages. It is tried for a short while only: then further invocations try, and a
    /// caller or a shard waits no longer.
    pub(crate) async fn tell(
        &self,
        app: &App,
        events: Vec<(usize, Unreached)>,
        times: u32,
        end: Deadline,
    ) -> Failed {
        self.put(app, events, times, [end.sooner_by(ASIDE).at_most(IN_PLACE), end]).await
    }

    /// Goes on with events that another invocation had no time for.
    pub(crate) async fn go_on(&self, app: &App, handed_on: HandedOnEvents, end: Deadline) -> Failed {
        let events = handed_on.events.into_iter().enumerate().collect();
        self.put(app, events, handed_on.depth + 1, [end.sooner_by(ASIDE), end]).await
    }

    /// Puts events until the first of two deadlines. What is not put is handed on for the `times`th time, or
    /// parked, until the second; the messages of what can be neither have failed.
    async fn put(
        &self,
        app: &App,
        events: Vec<(usize, Unreached)>,
        times: u32,
        [putting, end]: [Deadline; 2],
    ) -> Failed {
        let calls = calls(events).into_iter().map(|entries| put_together(&self.bus, entries, putting));
        let rests: Vec<Rest> = stream::iter(calls).buffer_unordered(CONCURRENT_CALLS).collect().await;
        let mut outbox = Outbox::new(app.leftovers.clone(), end);
        let (env, function) = (&app.config.env, &app.config.function_name);
        let left: Vec<_> = rests.iter().flat_map(|rest| &rest.left).cloned().collect();
        for rest in hand_on(env, depth(times), &left) {
            outbox.hand_on(function, rest.json, rest.messages, times).await;
        }
        for Rest { refused, reason, .. } in rests {
            for rest in hand_on(env, 0, &refused) {
                let reason = reason.clone().unwrap_or_else(|| REFUSED.to_owned());
                outbox.park(function, reason, rest.json, rest.messages).await;
            }
        }
        outbox.finish().await
    }
}

/// An event as it is put.
struct Entry {
    message: usize,
    event: Unreached,
    detail: String,
}

/// Events that could not be put.
#[derive(Default)]
struct Rest {
    /// There was no time for them.
    left: Vec<(usize, Unreached)>,
    /// They are refused for good, for this reason.
    refused: Vec<(usize, Unreached)>,
    reason: Option<String>,
}

/// The entries of each call.
fn calls(events: Vec<(usize, Unreached)>) -> Vec<Vec<Entry>> {
    let entry = |(message, event): (usize, Unreached)| Entry { message, detail: event.detail(), event };
    let entries: Vec<Entry> = events.into_iter().map(entry).collect();
    let sizes: Vec<usize> = entries.iter().map(|entry| entry_bytes(&entry.detail)).collect();
    let mut entries = entries.into_iter();
    batches(&sizes, MAX_CALL_BYTES).map(|range| entries.by_ref().take(range.len()).collect()).collect()
}

/// Puts the entries of one call. A message that `EventBridge` cannot take, such as one with integers that it
/// does not know, is told of without itself.
async fn put_together(bus: &EventBus, entries: Vec<Entry>, deadline: Deadline) -> Rest {
    let mut rest = put_once(bus, entries, deadline).await;
    if rest.reason.is_some() {
        return rest;
    }
    let (with_message, without): (Vec<_>, Vec<_>) =
        std::mem::take(&mut rest.refused).into_iter().partition(|(_, event)| event.has_message());
    let bare = |(message, event): (usize, Unreached)| {
        let detail = event.clone().without_message().detail();
        Entry { message, event, detail }
    };
    let second = put_once(bus, with_message.into_iter().map(bare).collect(), deadline).await;
    rest.left.extend(second.left);
    rest.refused = without.into_iter().chain(second.refused).collect();
    Rest { reason: second.reason, ..rest }
}

async fn put_once(bus: &EventBus, entries: Vec<Entry>, deadline: Deadline) -> Rest {
    let event = |entries: Vec<Entry>| entries.into_iter().map(|entry| (entry.message, entry.event));
    match bus.put(entries, deadline, |entry| &entry.detail).await {
        Ok(SettledBatch { refused, left }) => {
            Rest { left: event(left).collect(), refused: event(refused).collect(), reason: None }
        }
        Err((error, SettledBatch { refused, left })) => {
            tracing::error!(%error, "events were refused");
            let refused = event(refused).chain(event(left)).collect();
            Rest { left: Vec::new(), refused, reason: Some(error.to_string()) }
        }
    }
}
