//! `sbe purge`: deletes the messages that wait in session queues. Sessions and queues stay.

use crate::{
    confirm::confirm, context::Context, failure::Failure, output::report, progress::Progress, session_queues,
    session_rows,
};
use clap::Args;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use sbe_client::System;
use sbe_core::id::{AccountId, SessionId};
use serde_json::json;
use std::cell::{Cell, RefCell};

/// Examples for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe purge acme tab-1         the queue of a session
  sbe purge acme               the queues of an account
  sbe purge --all              every session queue of the environment

SQS takes up to a minute to purge a queue, and does not purge one twice in a minute. Sessions stay, and so do
histories. Stopped half way, the same command begins again: purging an empty queue changes nothing.";

/// Queues that are purged at the same time.
const AT_ONCE: usize = 32;

/// Rows of a page.
const PAGE: i32 = 1000;

/// Failures that are told one by one.
const TOLD: usize = 20;

/// Deletes the messages that wait in session queues.
#[derive(Debug, Clone, Args)]
pub struct Purge {
    /// Account whose sessions' queues are purged.
    #[arg(required_unless_present = "all", value_parser = AccountId::parse)]
    account: Option<AccountId>,

    /// Session of the account, whose queue alone is purged.
    #[arg(value_parser = |text: &str| SessionId::parse(text))]
    session: Option<SessionId>,

    /// Every session queue of the environment, those included that no session owns.
    #[arg(long, conflicts_with = "account")]
    all: bool,

    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Default)]
struct Tally {
    purged: Cell<u64>,
    gone: Cell<u64>,
    too_soon: Cell<u64>,
    failed: RefCell<Vec<String>>,
}

enum Purged {
    Done,
    Gone,
    TooSoon,
}

/// Runs `sbe purge`.
pub async fn run(args: Purge, context: &Context) -> Result<(), Failure> {
    let account = args.account.as_ref().map(ToString::to_string);
    let session = args.session.as_ref().map(ToString::to_string);
    let queues = || queues(&context.system, account.as_deref(), session.as_deref());
    let counting = queues().try_fold(0, async |sum, page: Vec<String>| Ok(sum + page.len() as u64));
    let total = context.interrupt.or(counting, || "nothing was purged".into()).await?;
    if total == 0 && session.is_some() {
        return Err(Failure::Refused("there is no such session".into()));
    }
    if total > 0 {
        let question = format!(
            "The messages that wait in {total} queues of environment {} are to be deleted.",
            context.system.env
        );
        confirm(&question, "yes", args.yes, &context.interrupt).await?;
    }
    let (tally, progress) = (Tally::default(), Progress::new("purging queues", total));
    let purging = queues().try_for_each(async |page| {
        let purge = async |url: String| tally.purge(&context.system, &url, &progress).await;
        futures::stream::iter(page).for_each_concurrent(AT_ONCE, purge).await;
        Ok(())
    });
    let told =
        || format!("{} of {total} queues are purged; the same command begins again", tally.purged.get());
    let result = context.interrupt.or(purging, told).await;
    drop(progress);
    tally.tell(total, context);
    result.and(tally.conclude())
}

/// Pages of the URLs of the queues that are meant.
fn queues<'a>(
    system: &'a System,
    account: Option<&'a str>,
    session: Option<&'a str>,
) -> impl Stream<Item = Result<Vec<String>, Failure>> + 'a {
    if account.is_none() {
        return session_queues::pages(system).left_stream();
    }
    let urls = |rows: Vec<session_rows::Row>| rows.into_iter().filter_map(|row| row.queue).collect();
    session_rows::pages(system, account, session, PAGE).map_ok(urls).right_stream()
}

impl Tally {
    async fn purge(&self, system: &System, url: &str, progress: &Progress) {
        let add = |count: &Cell<u64>| count.set(count.get() + 1);
        match purge(system, url).await {
            Ok(Purged::Done) => add(&self.purged),
            Ok(Purged::Gone) => add(&self.gone),
            Ok(Purged::TooSoon) => add(&self.too_soon),
            Err(failure) => self.failed.borrow_mut().push(format!("{url}: {failure}")),
        }
        progress.advance();
    }

    fn tell(&self, total: u64, context: &Context) {
        let (purged, gone, too_soon) = (self.purged.get(), self.gone.get(), self.too_soon.get());
        let failed = self.failed.borrow();
        let result =
            json!({"purged": purged, "gone": gone, "too_soon": too_soon, "failed": *failed, "of": total});
        context.output.result(&result, |_| format!("{purged} of {total} queues are purged"));
        if gone > 0 {
            report(format_args!("{gone} queues were gone"));
        }
        for line in failed.iter().take(TOLD) {
            report(format_args!("{line}"));
        }
    }

    fn conclude(&self) -> Result<(), Failure> {
        let (too_soon, failed) = (self.too_soon.get(), self.failed.borrow().len());
        if failed > 0 {
            return Err(Failure::Found(format!("{failed} queues could not be purged: try again")));
        }
        if too_soon > 0 {
            let text = format!(
                "{too_soon} queues were purged less than a minute ago: what came since may still wait; try again in a minute"
            );
            return Err(Failure::Found(text));
        }
        Ok(())
    }
}

async fn purge(system: &System, url: &str) -> Result<Purged, Failure> {
    let purge = async || match system.sqs().purge_queue().queue_url(url).send().await {
        Ok(_) => Ok(Purged::Done),
        Err(error) => match error.as_service_error() {
            Some(service) if service.is_queue_does_not_exist() => Ok(Purged::Gone),
            Some(service) if service.is_purge_queue_in_progress() => Ok(Purged::TooSoon),
            _ => Err(Failure::aws("purging it", error)),
        },
    };
    crate::patience::patiently(purge).await
}
