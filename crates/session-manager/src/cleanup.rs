//! `/cleanup` and its schedule: queues of this environment that no session owns.
//!
//! Slice by slice: the names of up to [`MAX_SLICE`] queues, then the names that sessions own, then
//! the difference goes. Memory does not grow with the number of queues, and whatever ends a cleanup
//! half way, what it deleted stays deleted. A slice that was not finished is begun again.

use crate::App;
use futures::TryStreamExt;
use sbe_aws::{
    Error, Kind, Result,
    leftovers::handed_on_or_parked,
    retry::{Deadline, retry},
    settle::settle,
    time,
};
use sbe_core::{
    cleanup::{Beginnings, MAX_SLICE, QueueKey, Scheduled, is_old, queue_key},
    message::text_json,
    session::{queue_name, queue_prefix},
};
use sbe_edge::{ApiError, Reply, Request, metrics};
use std::collections::HashSet;

/// How far a cleanup came.
#[derive(Debug, Default)]
struct Progress {
    removed: usize,
    /// Queues that could not be deleted and are left to the next cleanup.
    failed: usize,
    /// Whether all queues were gone through.
    is_over: bool,
    /// Where to go on, unless at the start.
    next: Option<String>,
}

/// As much as there is time for; the reply says where to go on.
pub(crate) async fn cleanup(
    app: &App,
    request: &Request,
    deadline: Deadline,
) -> std::result::Result<Reply, ApiError> {
    let from = request.query("next").map_or_else(|| Ok(Beginnings::all()), Beginnings::from_token)?;
    let progress = go_through(app, from, deadline).await?;
    Ok(reply(&progress))
}

/// As much as there is time for; the rest in a further invocation.
pub(crate) async fn scheduled(
    app: &App,
    event: Scheduled,
    deadline: Deadline,
) -> std::result::Result<Reply, lambda_runtime::Error> {
    let progress = go_through(app, event.beginnings()?, deadline).await?;
    let parked =
        if progress.is_over { 0 } else { carry_on(app, &event, &progress, deadline.with_reserve()).await? };
    if parked > 0 {
        metrics::record(&app.config, &[("Parked", parked as u64)]);
    }
    Ok(reply(&progress))
}

/// In a further invocation; too many of them park what is left for a person. Returns how much was parked.
async fn carry_on(app: &App, event: &Scheduled, progress: &Progress, deadline: Deadline) -> Result<usize> {
    let (times, json) = (event.times(), event.carried_on(progress.next.clone()));
    app.leftovers.hand_on_one(&app.config.function_name, &json, times, deadline).await?;
    let (_, parked) = handed_on_or_parked(1, times);
    Ok(parked)
}

fn reply(progress: &Progress) -> Reply {
    let Progress { removed, failed, is_over, next } = progress;
    let complete = *is_over && *failed == 0;
    let next = next.as_deref().map(|next| format!(r#","next":{}"#, text_json(next))).unwrap_or_default();
    Reply(format!(r#"{{"success":true,"queues_removed":{removed},"complete":{complete}{next}}}"#))
}

/// Slice after slice, until all queues were gone through or the time is over.
async fn go_through(app: &App, mut beginnings: Beginnings, deadline: Deadline) -> Result<Progress> {
    let mut progress = Progress::default();
    while beginnings.next().is_some() && !deadline.has_passed() {
        match slice(app, &mut beginnings, &mut progress, deadline).await {
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "the cleanup was broken off");
                break;
            }
            result => result?,
        }
    }
    progress.is_over = beginnings.next().is_none();
    progress.next = beginnings.token().map(str::to_owned);
    let (removed, failed, complete) = (progress.removed, progress.failed, progress.is_over);
    tracing::info!(queues_removed = removed, failed, complete, "cleanup");
    metrics::record(&app.config, &[("QueuesRemoved", removed as u64), ("Failed", failed as u64)]);
    Ok(progress)
}

/// One slice. `beginnings` moves on when all of it was seen to.
async fn slice(
    app: &App,
    beginnings: &mut Beginnings,
    progress: &mut Progress,
    deadline: Deadline,
) -> Result<()> {
    let mut after = beginnings.clone();
    let mut queues = queues(app, &mut after, deadline).await?;
    // Owners are read after the queues: a queue that a session took in between has its owner seen.
    let mut owned = std::pin::pin!(app.owners.queue_urls(deadline));
    while let Some(urls) = owned.try_next().await? {
        for key in urls.iter().filter_map(|url| queue_key(&app.config.env, url)) {
            queues.keys.remove(&key);
        }
    }
    if remove(app, &queues, progress, deadline).await {
        *beginnings = after;
    }
    Ok(())
}

/// The queues of one slice: without their common beginning, they are small.
#[derive(Default)]
struct Slice {
    /// What comes before the name in each URL.
    base: String,
    keys: HashSet<QueueKey>,
}

/// The queues of as many beginnings as fit in one slice.
async fn queues(app: &App, beginnings: &mut Beginnings, deadline: Deadline) -> Result<Slice> {
    let mut slice = Slice::default();
    while let Some(beginning) = beginnings.next() {
        let held = slice.keys.len();
        if list(app, beginning, &mut slice, deadline).await? {
            beginnings.done();
        } else if held > 0 {
            break;
        } else {
            slice = Slice::default();
            if !beginnings.divide() {
                return Err(Error::new("A cleanup", Kind::Refused, "too many queues of one beginning"));
            }
        }
    }
    Ok(slice)
}

/// Adds the queues with a beginning; false if they do not fit, and only some were added.
async fn list(app: &App, beginning: &str, slice: &mut Slice, deadline: Deadline) -> Result<bool> {
    let prefix = queue_prefix(&app.config.env) + beginning;
    let mut next = None;
    loop {
        let (urls, token) = retry(deadline, || app.queues.page(&prefix, next.clone())).await?;
        for url in &urls {
            let Some(key) = queue_key(&app.config.env, url) else { continue };
            if slice.keys.len() == MAX_SLICE {
                return Ok(false);
            }
            slice.keys.insert(key);
            slice.base = url.rsplit_once('/').map(|(base, _)| format!("{base}/")).unwrap_or_default();
        }
        next = token;
        if next.is_none() {
            return Ok(true);
        }
    }
}

/// Deletes those that are old; false if there was no time for all.
async fn remove(app: &App, slice: &Slice, progress: &mut Progress, deadline: Deadline) -> bool {
    let url = |key: &QueueKey| slice.base.clone() + &queue_name(&app.config.env, *key);
    let (at_once, now) = (app.config.max_concurrency, time::now_seconds());
    let created = async |url: &String| app.queues.created(url).await;
    let asked = settle(slice.keys.iter().map(url), at_once, deadline, created).await;
    // One without a time is gone already.
    let old = |(url, created): (String, Option<i64>)| {
        Some(url).filter(|_| created.is_some_and(|at| is_old(at, now)))
    };
    let old = asked.done.into_iter().filter_map(old);
    let deleted = settle(old, at_once, deadline, async |url: &String| app.queues.delete(url).await).await;
    progress.removed += deleted.done.len();
    progress.failed += asked.refused.len() + deleted.refused.len();
    if let Some((_, error)) = asked.refused.first().or(deleted.refused.first()) {
        tracing::error!(%error, queues = asked.refused.len() + deleted.refused.len(), "queues were not cleaned up");
    }
    asked.left.is_empty() && deleted.left.is_empty()
}
