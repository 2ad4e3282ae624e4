//! `sbe create`.

use crate::{
    calls::{Calls, query},
    context::Context,
    failure::Failure,
    ids,
    output::unexpected,
    sessions::Secrets,
    times,
};
use clap::Args;
use sbe_core::id::{AccountId, SessionId, UserId};
use std::{fmt::Display, time::Duration};

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe create 1 tab-1 --user 7
  sbe create acme tab-1 --user 'auth0|5f7c' --retention 15m
  sbe create 1 tab-1 --json --show-secrets > session.json    what a browser needs

Ids that begin with - stand after --, or after = as in --user=-x.";

/// Which session to create.
#[derive(Debug, Args)]
pub struct Create {
    /// Account: an integer, or a string of 1 to 128 characters.
    #[arg(value_parser = ids::account, allow_negative_numbers = true)]
    pub account: AccountId,

    /// Session, unique within its account: 1 to 256 characters.
    #[arg(value_parser = ids::session, allow_negative_numbers = true)]
    pub session: SessionId,

    /// User of the session. A session that is there for another user is made anew.
    #[arg(long, value_parser = ids::user, allow_negative_numbers = true)]
    pub user: Option<UserId>,

    /// How long the queue keeps a message: 60 to 1209600 seconds, or such as 15m.
    #[arg(long, value_name = "SECONDS", value_parser = times::duration)]
    pub retention: Option<Duration>,

    #[command(flatten)]
    secrets: Secrets,
}

/// Creates or refreshes the session.
pub async fn run(args: Create, context: &Context) -> Result<(), Failure> {
    let mut parts: Vec<&dyn Display> = vec![&args.account, &args.session];
    parts.extend(args.user.as_ref().map(|user| user as &dyn Display));
    let retention = args.retention.map(|retention| retention.as_secs().to_string());
    let path = ids::path("/create", &parts)? + &query(&[("MessageRetentionPeriod", retention)]);
    let reply = Calls::new(context).post(&path, "").await?;
    let shown = args.secrets.hide(&reply.text).map_err(|error| unexpected(&error))?;
    context.output.reply(&shown, |_| args.secrets.text(&reply.text))
}
