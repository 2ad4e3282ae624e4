//! `sbe renew`.

use crate::{
    calls::{Calls, query},
    context::Context,
    failure::Failure,
    ids,
    output::unexpected,
    sessions::Secrets,
};
use clap::Args;
use sbe_core::id::{AccountId, SessionId};

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe renew 1 tab-1
  sbe renew 1 tab-1 --rotate

Ids that begin with - stand after --.";

/// Which session to renew.
#[derive(Debug, Args)]
pub struct Renew {
    /// Account of the session.
    #[arg(value_parser = ids::account, allow_negative_numbers = true)]
    account: AccountId,

    /// Session.
    #[arg(value_parser = ids::session, allow_negative_numbers = true)]
    session: SessionId,

    /// A new AES key too; messages under the former one stay readable.
    #[arg(long)]
    rotate: bool,

    #[command(flatten)]
    secrets: Secrets,
}

/// Gives the session new access keys and a later end.
pub async fn run(args: Renew, context: &Context) -> Result<(), Failure> {
    let rotate = args.rotate.then(|| "1".to_owned());
    let path = ids::path("/renew", &[&args.account, &args.session])? + &query(&[("rotate", rotate)]);
    let reply = Calls::new(context).post(&path, "").await?;
    let shown = args.secrets.hide(&reply.text).map_err(|error| unexpected(&error))?;
    context.output.reply(&shown, |_| args.secrets.text(&reply.text))
}
