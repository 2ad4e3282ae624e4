//! `sbe listen`: a consumer of a session, as one is written in Rust.
//!
//! # Layout
//!
//! - [`polling`]: polls, prints, deletes, until it is enough
//! - [`held`]: the session that is listened to: found or created, renewed, taken up again
//! - [`seen`]: which messages came before

mod held;
mod polling;
mod seen;

use crate::{
    context::Context,
    failure::Failure,
    ids,
    output::report,
    sessions, table,
    times::{self, DURATION_RULE},
};
use clap::Args;
use held::Held;
use polling::Polling;
use sbe_core::id::{AccountId, SessionId, UserId};
use std::time::Duration;

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe listen 1 tab-1 --user 7                        until Ctrl-C
  sbe listen 1 tab-1 --count 1 --for 30s             exit code 1 if nothing comes
  sbe listen 1 probe --user 7 --destroy | jq .text   a session of its own, gone afterwards

Prints each message on a line of JSON, and deletes it then. A message that comes twice, by its messageId, is
printed once. One that does not decrypt is told of and left.

A session that is there is listened to with fresh keys of its own; its other consumers go on, but do not get
what is taken here. --take-over shuts them out, by /create. Otherwise the session is created.
Ids that begin with - stand after --, or after = as in --user=-x.";

/// After Ctrl-C a `/destroy` has so long to end.
const LAST_DESTROY: Duration = Duration::from_millis(600);

/// What to listen to, and for how long.
#[derive(Debug, Args)]
pub struct Listen {
    /// Account of the session.
    #[arg(value_parser = ids::account, allow_negative_numbers = true)]
    account: AccountId,

    /// Session.
    #[arg(value_parser = ids::session, allow_negative_numbers = true)]
    session: SessionId,

    /// User of the session.
    #[arg(long, value_parser = ids::user, allow_negative_numbers = true)]
    user: Option<UserId>,

    /// Shut other holders of the session out.
    #[arg(long)]
    take_over: bool,

    /// End after so many messages.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    #[arg(long = "for", value_name = "DURATION", value_parser = times::duration, help = format!("End after so long: {DURATION_RULE}"))]
    time: Option<Duration>,

    /// Leave messages in the queue; each comes again when its visibility timeout ends (30 s).
    #[arg(long)]
    keep: bool,

    /// Destroy the session at the end, if it was created here.
    #[arg(long)]
    destroy: bool,
}

/// Prints the session's messages as they come.
pub async fn run(args: Listen, context: &Context) -> Result<(), Failure> {
    let held = Held::take(&args, context).await?;
    if !context.output.json {
        let name = sessions::name(&args.account, &args.session, held.user.as_ref());
        report(format_args!("listening to session {}; Ctrl-C ends", table::printable(&name)));
    }
    let mut polling = Polling::new(&args, held, context);
    let result = polling.until_done().await;
    report(format_args!("{}", polling.summary()));
    if args.destroy {
        polling.held.destroy(LAST_DESTROY).await;
    }
    result?;
    polling.verdict()
}
