//! Messages for histories, entry by entry.

use crate::{App, Summary};
use lambda_runtime::Error;
use sbe_aws::{
    leftovers::{TOO_OFTEN, handed_on_or_parked, is_parked},
    retry::Deadline,
    settle::{Settled, settle},
};
use sbe_core::{
    history::{Entry, Timestamp},
    id::UserId,
    message::Message,
    payload::{HistoryPayload, HistoryUser, depth},
    stages::{Kept, Stage},
};
use sbe_edge::Trail;
use std::time::Duration;

/// Kept aside for handing on what is left.
const ASIDE: Duration = Duration::from_secs(5);

/// One entry to write: whose, and which message by its index.
type Write = (UserId, usize);

pub(crate) async fn add(
    app: &App,
    payload: HistoryPayload<'_>,
    trail: Trail<'_>,
    deadline: Deadline,
) -> Result<Summary, Error> {
    let messages = payload.messages.iter().map(|kept| read(kept.created.get(), kept.message.get()));
    let messages: Vec<(Timestamp, Message)> = messages.collect::<Result<_, Error>>()?;
    let writes: Vec<Write> = payload
        .users
        .iter()
        .flat_map(|user| user.messages.iter().map(|index| (user.user_id.clone(), *index)))
        .collect();
    if writes.iter().any(|(_, index)| *index >= messages.len()) {
        return Err("an entry names a message that is not there".into());
    }
    let add = async |(user, index): &Write| {
        let (created, message) = &messages[*index];
        let ttl = app.config.user_message_ttl_seconds;
        app.history.add(&Entry::new(user.clone(), *created, message, ttl)).await
    };
    let total = writes.len();
    let settled = settle(writes, app.config.max_concurrency, deadline.sooner_by(ASIDE), add).await;
    let kept = count(&messages, &settled);
    trail.info(kept.iter().cloned(), |messages| Stage::Kept { messages });
    let parked = |reason: &str, number: fn(&Kept) -> u32| {
        let parked = kept.iter().filter(|kept| number(kept) > 0).map(|kept| kept.message_id.clone());
        let (function, reason) = (app.config.function_name.clone(), reason.to_owned());
        trail.warn(parked, |messages| Stage::Parked {
            function: function.clone(),
            reason: reason.clone(),
            messages,
        });
    };
    let times = payload.depth + 1;
    let (handed_back, given_up) = handed_on_or_parked(settled.left.len(), times);
    let summary = Summary {
        total,
        changed: settled.done.iter().filter(|(_, added)| *added).count(),
        handed_back,
        parked: settled.refused.len() + given_up,
    };
    let (function, reserve) = (&app.config.function_name, deadline.with_reserve());
    if !settled.left.is_empty() {
        let left = part(&payload, settled.left, depth(times))?;
        app.leftovers.hand_on(function, vec![left], times, reserve).await?;
        if is_parked(times) {
            parked(TOO_OFTEN, |kept| kept.handed_back);
        }
    }
    if let Some((_, error)) = settled.refused.first() {
        let reason = error.to_string();
        tracing::error!(%error, entries = settled.refused.len(), "history entries were refused");
        let refused = settled.refused.into_iter().map(|(write, _)| write).collect();
        app.leftovers.park(function, &reason, vec![part(&payload, refused, 0)?], reserve).await?;
        parked(&reason, |kept| kept.refused);
    }
    Ok(summary)
}

fn read(created: &str, json: &str) -> Result<(Timestamp, Message), Error> {
    Ok((Timestamp::parse("created", created)?, Message::reread(json)?))
}

/// What became of each message.
fn count(messages: &[(Timestamp, Message)], settled: &Settled<Write, bool>) -> Vec<Kept> {
    let mut counts: Vec<Kept> = messages.iter().map(|(_, message)| Kept::new(message.id().clone())).collect();
    for ((_, index), added) in &settled.done {
        let count = &mut counts[*index];
        *(if *added { &mut count.kept } else { &mut count.known }) += 1;
    }
    settled.left.iter().for_each(|(_, index)| counts[*index].handed_back += 1);
    settled.refused.iter().for_each(|((_, index), _)| counts[*index].refused += 1);
    counts.retain(|kept| *kept != Kept::new(kept.message_id.clone()));
    counts
}

/// The payload with these writes only, which are in its order.
fn part(payload: &HistoryPayload<'_>, writes: Vec<Write>, depth: u32) -> Result<String, Error> {
    let mut users: Vec<HistoryUser> = Vec::new();
    for (user_id, index) in writes {
        match users.last_mut() {
            Some(last) if last.user_id == user_id => last.messages.push(index),
            _ => users.push(HistoryUser { user_id, messages: vec![index] }),
        }
    }
    let (version, messages) = (payload.version, payload.messages.clone());
    Ok(serde_json::to_string(&HistoryPayload { version, messages, users, depth })?)
}
