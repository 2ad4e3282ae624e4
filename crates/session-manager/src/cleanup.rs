//! `/cleanup` and its schedule: queues of this environment that no session owns.
//!
//! A queue younger than an hour is spared: its session may be about to be stored.

use crate::App;
use futures::{StreamExt, TryStreamExt, stream};
use sbe_aws::{Result, retry::Deadline, time};
use sbe_core::session::{is_session_queue, queue_prefix};
use sbe_edge::{ApiError, Reply};

/// How old an orphan must be, in seconds.
const MIN_AGE: i64 = 3600;

pub(crate) async fn cleanup(app: &App, deadline: Deadline) -> std::result::Result<Reply, ApiError> {
    // Owners are read after the queues: a queue that a session took in between has its owner seen.
    let queues = app.queues.list(&queue_prefix(&app.config.env)).await?;
    let owned = app.sessions.queue_urls().await?;
    let is_orphan = |url: &String| is_ours(app, url) && !owned.contains(url);
    let orphans: Vec<String> = queues.into_iter().filter(is_orphan).collect();
    let (removed, complete) = remove(app, orphans, deadline).await?;
    tracing::info!(queues_removed = removed, complete, "cleanup");
    Ok(Reply(format!(r#"{{"success":true,"queues_removed":{removed},"complete":{complete}}}"#)))
}

fn is_ours(app: &App, url: &str) -> bool {
    url.rsplit('/').next().is_some_and(|name| is_session_queue(&app.config.env, name))
}

/// Deletes the old ones among `orphans` while there is time: how many, and whether all were seen.
async fn remove(app: &App, orphans: Vec<String>, deadline: Deadline) -> Result<(usize, bool)> {
    let total = orphans.len();
    let removals = stream::iter(orphans)
        .take_while(|_| std::future::ready(!deadline.has_passed()))
        .map(|url| async move { remove_if_old(app, &url).await })
        .buffer_unordered(app.config.max_concurrency);
    let (seen, removed) = removals
        .try_fold((0, 0), |(seen, removed), gone| async move { Ok((seen + 1, removed + usize::from(gone))) })
        .await?;
    Ok((removed, seen == total))
}

async fn remove_if_old(app: &App, url: &str) -> Result<bool> {
    let Some(created) = app.queues.created(url).await? else { return Ok(false) };
    let old = time::now_seconds() - created >= MIN_AGE;
    if old {
        app.queues.delete(url).await?;
    }
    Ok(old)
}
