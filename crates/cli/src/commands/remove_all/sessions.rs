//! Sessions with what they own, page by page: identities, then queues, then rows.

use super::{
    identities::{self, MOST},
    tally::Tally,
};
use crate::{
    failure::Failure,
    parked::pace::Pace,
    progress::Progress,
    session_queues,
    session_rows::{self, Row},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sbe_client::System;

/// Half of the calls a second that Cognito usually takes for deleting identities.
const CALLS: &str = "5/s";

/// Rows of a page: those of one call of Cognito.
const PAGE: i32 = 60;

/// Pages at the same time.
const PAGES: usize = 4;

/// Queues, or rows, of a page at the same time.
const AT_ONCE: usize = 16;

/// Times that the table is gone through: rows that change meanwhile, or fail, are met again.
const PASSES: usize = 3;

pub(super) async fn remove(system: &System, tally: &Tally, sessions: u64) -> Result<(), Failure> {
    let pace = Pace::new(CALLS.parse().map_err(Failure::Usage)?);
    let progress = Progress::new("removing sessions", sessions);
    for _ in 0..PASSES {
        tally.forgive();
        let pages = session_rows::pages(system, None, None, PAGE);
        let pages = pages.map_ok(|page| remove_page(system, page, &pace, tally, &progress));
        let rows = pages.try_buffer_unordered(PAGES).try_fold(0, async |sum, rows| Ok(sum + rows)).await?;
        if rows == 0 {
            break;
        }
    }
    Ok(())
}

/// One page; how many rows it had.
async fn remove_page(
    system: &System,
    rows: Vec<Row>,
    pace: &Pace,
    tally: &Tally,
    progress: &Progress,
) -> Result<usize, Failure> {
    let ids: Vec<String> = rows.iter().filter_map(|row| row.identity.clone()).collect();
    let mut kept = std::collections::HashMap::new();
    for ids in ids.chunks(MOST) {
        kept.extend(identities::delete(system, ids, pace).await);
    }
    Tally::add(&tally.identities, ids.len().saturating_sub(kept.len()));
    for (id, reason) in &kept {
        tally.failed(&format!("identity {id}"), &Failure::Refused(reason.clone()));
    }
    let is_free = |row: &&Row| row.identity.as_ref().is_none_or(|id| !kept.contains_key(id));
    let free = stream::iter(rows.iter().filter(is_free));
    free.for_each_concurrent(AT_ONCE, async |row| {
        match remove_row(system, row, tally).await {
            // One that has changed is met again, with what it owns by then.
            Ok(false) => {}
            Ok(true) => Tally::add(&tally.sessions, 1),
            Err(failure) => tally.failed("a session", &failure),
        }
        progress.set(tally.sessions.get(), "");
    })
    .await;
    Ok(rows.len())
}

async fn remove_row(system: &System, row: &Row, tally: &Tally) -> Result<bool, Failure> {
    if let Some(url) = &row.queue
        && session_queues::delete(system, url).await?
    {
        Tally::add(&tally.queues, 1);
    }
    session_rows::delete(system, row).await
}
