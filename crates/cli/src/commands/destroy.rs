//! `sbe destroy`.

use crate::{calls::Calls, context::Context, failure::Failure, ids, sessions::name, table::printable};
use clap::Args;
use sbe_core::id::{AccountId, SessionId};

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe destroy 1 tab-1

Ids that begin with - stand after --.";

/// Which session to end.
#[derive(Debug, Args)]
pub struct Destroy {
    /// Account of the session.
    #[arg(value_parser = ids::account, allow_negative_numbers = true)]
    account: AccountId,

    /// Session.
    #[arg(value_parser = ids::session, allow_negative_numbers = true)]
    session: SessionId,
}

/// Deletes queue and session.
pub async fn run(args: Destroy, context: &Context) -> Result<(), Failure> {
    let path = ids::path("/destroy", &[&args.account, &args.session])?;
    let reply = Calls::new(context).post(&path, "").await?;
    let name = printable(&name(&args.account, &args.session, None));
    context.output.reply(&reply.text, |_| Ok(format!("session {name} has ended: its queue is deleted")))
}
