//! Queues that no session owns.

use super::tally::Tally;
use crate::{failure::Failure, output::report, session_queues};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sbe_client::System;
use std::{cell::Cell, time::Duration};
use tokio::time::{Instant, sleep};

/// Queues at the same time.
const AT_ONCE: usize = 32;

/// SQS may list a queue for a minute after it was deleted.
const STILL_LISTED: Duration = Duration::from_secs(90);

/// The list is asked for again after this.
const PAUSE: Duration = Duration::from_secs(1);

/// Deletes what is listed until nothing is listed any more. Deleting moves the places of the list, so that
/// one pass may pass over some.
pub(super) async fn remove(system: &System, tally: &Tally) -> Result<(), Failure> {
    let mut end = Instant::now() + STILL_LISTED;
    let mut is_told = false;
    loop {
        let (listed, deleted) = pass(system, tally).await?;
        if listed == 0 || Instant::now() > end {
            return Ok(());
        }
        if deleted > 0 {
            end = Instant::now() + STILL_LISTED;
        } else if !std::mem::replace(&mut is_told, true) {
            report(format_args!("waiting until SQS lists the deleted queues no more, for up to 90 seconds"));
        }
        sleep(PAUSE).await;
    }
}

/// How many queues were listed, and how many of those were there.
async fn pass(system: &System, tally: &Tally) -> Result<(usize, usize), Failure> {
    let (listed, deleted) = (Cell::new(0), Cell::new(0));
    let pages = session_queues::pages(system);
    pages
        .try_for_each(async |page| {
            listed.set(listed.get() + page.len());
            let delete = async |url: String| match session_queues::delete(system, &url).await {
                Ok(was_there) => deleted.set(deleted.get() + usize::from(was_there)),
                Err(failure) => tally.failed(&url, &failure),
            };
            stream::iter(page).for_each_concurrent(AT_ONCE, delete).await;
            Ok(())
        })
        .await?;
    Tally::add(&tally.queues, deleted.get());
    Ok((listed.get(), deleted.get()))
}
