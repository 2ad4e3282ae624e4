//! `sbe presence`.

use crate::{
    calls::Calls,
    context::Context,
    failure::Failure,
    ids,
    output::report,
    pages::{self, Paging},
    sessions::user_cell,
    table::table,
    times,
};
use clap::Args;
use sbe_core::{
    history::Timestamp,
    id::{AccountId, SessionId, UserId},
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe presence --user 7        the sessions of a user, in all accounts
  sbe presence acme --all      those of an account

Ids that begin with - stand after --, or after = as in --user=-x.";

/// Whose sessions to show.
#[derive(Debug, Args)]
pub struct Presence {
    /// Account.
    #[arg(value_parser = ids::account, allow_negative_numbers = true, required_unless_present = "user")]
    account: Option<AccountId>,

    /// User, in all accounts.
    #[arg(long, value_parser = ids::user, allow_negative_numbers = true, conflicts_with = "account")]
    user: Option<UserId>,

    #[command(flatten)]
    paging: Paging,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Present {
    account_id: AccountId,
    session_id: SessionId,
    user_id: Option<UserId>,
    created: i64,
    renewed: i64,
    ttl: i64,
}

/// Shows who is there.
pub async fn run(args: Presence, context: &Context) -> Result<(), Failure> {
    let path = match (&args.user, &args.account) {
        (Some(user), _) => ids::path("/presence/user", &[user])?,
        // `docs/PROTOCOL.md`: "The id `user` of an account cannot be asked for, since the path `/presence/user` is
        // taken."
        (_, Some(account)) if account.to_string() == "user" => {
            return Err(Failure::Usage("the API has no presence of an account with the id user".into()));
        }
        (_, Some(account)) => ids::path("/presence", &[account])?,
        (None, None) => return Err(Failure::Usage("name an account, or a user with --user".into())),
    };
    let count = pages::list(&Calls::new(context), context.output, &path, &[], &args.paging, rows).await?;
    if count == 0 && !context.output.json {
        report(format_args!("nobody is there"));
    }
    Ok(())
}

fn rows(items: &[&RawValue]) -> serde_json::Result<String> {
    let now = times::now();
    let readable = |seconds: i64| times::readable(Timestamp(seconds.saturating_mul(1_000_000)));
    let row = |item: &&RawValue| {
        let session: Present = serde_json::from_str(item.get())?;
        Ok([
            session.account_id.to_string(),
            session.session_id.to_string(),
            user_cell(session.user_id.as_ref()),
            readable(session.created),
            readable(session.renewed),
            times::readable_with_distance(session.ttl, now),
        ])
    };
    let rows = items.iter().map(row).collect::<serde_json::Result<Vec<_>>>()?;
    Ok(table(["ACCOUNT", "SESSION", "USER", "CREATED", "RENEWED", "ENDS"], &rows))
}
