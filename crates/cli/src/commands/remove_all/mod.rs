//! `sbe remove-all`: deletes every session, queue and identity of an environment, before `sam delete`.
//!
//! A session's row names its identity and its queue, and an identity can be found in no other way: a pool
//! may be shared with other environments, and lists no names. So the identity goes first, then the queue,
//! then the row, if it still names both. Whatever ends this half way, the rows that are left name what is
//! left, and a second run finds it. Then queues go that no session owns, by the names that SQS lists.
//!
//! Leaving all this to `SessionUpdateProcessor`, which is told of every row that goes, would be less work here,
//! but nobody could see when it has done the last one, and `sam delete` ends it; what it failed at would be
//! lost with the failed queue. It runs all the same and finds nothing left, which is success to it; so that
//! its calls of Cognito have room, not more than half of Cognito's usual quota is used here.
//!
//! # Layout
//!
//! - [`identities`]: deletes identities, 60 a call
//! - [`sessions`]: sessions with what they own, page by page
//! - [`orphans`]: queues that no session owns
//! - [`tally`]: what was done and what was not

pub mod identities;
pub mod orphans;
pub mod sessions;
pub mod tally;

use crate::{
    confirm::confirm, context::Context, failure::Failure, output::report, session_queues, session_rows,
};
use clap::Args;
use futures::TryStreamExt as _;
use tally::Tally;

/// Examples for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe remove-all dev --env dev --region eu-west-1
  sam delete --stack-name dev

Nobody may create sessions meanwhile: stop the backends first, or take their permission away. Histories, the
failed and the rejected queue stay: they go with the stack. Of an identity pool that is shared, only the
identities of this environment's sessions go. Stopped half way, the same command goes on with what is left.";

/// Deletes every session, queue and identity of an environment.
#[derive(Debug, Clone, Args)]
pub struct RemoveAll {
    /// Name of the environment: it must be that of the system.
    #[arg(value_name = "ENVIRONMENT")]
    environment: String,

    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Runs `sbe remove-all`.
pub async fn run(args: RemoveAll, context: &Context) -> Result<(), Failure> {
    let system = &context.system;
    if args.environment != system.env {
        return Err(Failure::Usage(format!(
            "the system is environment {}, not {}: nothing was removed",
            system.env, args.environment
        )));
    }
    let (sessions, queues) = context.interrupt.or(left(context), || "nothing was removed".into()).await?;
    report(format_args!("environment  {} in {}", system.env, system.region));
    report(format_args!(
        "sessions     {sessions}, each with an identity of pool {}",
        system.identity_pool_id
    ));
    report(format_args!("queues       {queues}"));
    if sessions > 0 || queues > 0 {
        let question = "All of these are to be deleted for good, and nobody may create sessions meanwhile.";
        confirm(question, &system.env, args.yes, &context.interrupt).await?;
    }
    let tally = Tally::default();
    let result = context.interrupt.or(remove(context, &tally, sessions), || tally.interrupted()).await;
    tally.tell(context);
    result
}

/// How many sessions and queues there are.
async fn left(context: &Context) -> Result<(u64, u64), Failure> {
    let queues = session_queues::pages(&context.system);
    let queues = queues.try_fold(0, async |sum, page: Vec<String>| Ok(sum + page.len() as u64));
    futures::try_join!(session_rows::count(&context.system), queues)
}

async fn remove(context: &Context, tally: &Tally, sessions: u64) -> Result<(), Failure> {
    sessions::remove(&context.system, tally, sessions).await?;
    orphans::remove(&context.system, tally).await?;
    // What somebody made meanwhile, or what could not be deleted, is there now.
    let (sessions, queues) = left(context).await?;
    if sessions == 0 && queues == 0 && tally.has_done_all() {
        return Ok(());
    }
    Err(Failure::Found(format!(
        "{sessions} sessions and {queues} queues are left: see that nobody creates sessions, and run it again"
    )))
}
