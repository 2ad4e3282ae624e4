//! `/cleanup` and its schedule: queues of this environment that no session owns.
//!
//! A queue younger than an hour is spared: its session may be about to be stored.

use crate::App;
use futures::{StreamExt, stream};
use sbe_aws::{
    Result,
    retry::{Deadline, retry},
    time,
};
use sbe_core::session::{is_session_queue, queue_prefix};
use sbe_edge::{ApiError, Reply};

/// How old an orphan must be, in seconds.
const MIN_AGE: i64 = 3600;

pub(crate) async fn cleanup(app: &App, deadline: Deadline) -> std::result::Result<Reply, ApiError> {
    // Owners are read after the queues: a queue that a session took in between has its owner seen.
    let queues = app.queues.list(&queue_prefix(&app.config.env)).await?;
    let owned = app.sessions.queue_names().await?;
    let is_orphan = |url: &String| {
        let name = url.rsplit('/').next().unwrap_or_default();
        is_session_queue(&app.config.env, name) && !owned.contains(name)
    };
    let (removed, complete) = remove(app, queues.into_iter().filter(is_orphan).collect(), deadline).await;
    tracing::info!(queues_removed = removed, complete, "cleanup");
    Ok(Reply(format!(r#"{{"success":true,"queues_removed":{removed},"complete":{complete}}}"#)))
}

/// Deletes the old ones among `orphans` while there is time: how many, and whether all were seen.
/// One that fails is left to the next cleanup.
async fn remove(app: &App, orphans: Vec<String>, deadline: Deadline) -> (usize, bool) {
    let total = orphans.len();
    let outcomes: Vec<Result<bool>> = stream::iter(orphans)
        .take_while(|_| std::future::ready(!deadline.has_passed()))
        .map(|url| async move { retry(deadline, || remove_if_old(app, &url)).await })
        .buffer_unordered(app.config.max_concurrency)
        .collect()
        .await;
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        tracing::warn!(%error, "a queue was not cleaned up");
    }
    let seen = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let removed = outcomes.into_iter().filter(|outcome| matches!(outcome, Ok(true))).count();
    (removed, seen == total)
}

async fn remove_if_old(app: &App, url: &str) -> Result<bool> {
    let Some(created) = app.queues.created(url).await? else { return Ok(false) };
    let old = time::now_seconds() - created >= MIN_AGE;
    if old {
        app.queues.delete(url).await?;
    }
    Ok(old)
}
