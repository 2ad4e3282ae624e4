//! `sbe status`.

use crate::{
    calls::Calls,
    context::Context,
    failure::Failure,
    ids,
    output::{report, unexpected},
    pages::{self, Paging},
    sessions::{Secrets, Shown, user_cell},
    table::table,
    times,
};
use clap::Args;
use sbe_core::id::{AccountId, SessionId};
use serde_json::value::RawValue;

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe status 1 tab-1            one session; exit code 5 if it is not active
  sbe status                    a page of all active sessions
  sbe status --all --json       all of them, a JSON object a line

Ids that begin with - stand after --.";

/// Which sessions to show.
#[derive(Debug, Args)]
pub struct Status {
    /// Account of the session; all sessions if it is left out.
    #[arg(value_parser = ids::account, allow_negative_numbers = true, requires = "session")]
    account: Option<AccountId>,

    /// Session.
    #[arg(value_parser = ids::session, allow_negative_numbers = true)]
    session: Option<SessionId>,

    #[command(flatten)]
    paging: Paging,

    #[command(flatten)]
    secrets: Secrets,
}

/// Shows a session, or a list of all.
pub async fn run(args: Status, context: &Context) -> Result<(), Failure> {
    let calls = Calls::new(context);
    let (Some(account), Some(session)) = (&args.account, &args.session) else {
        let count = pages::list(&calls, context.output, "/status", &[], &args.paging, rows).await?;
        if count == 0 && !context.output.json {
            report(format_args!("no active sessions"));
        }
        return Ok(());
    };
    if args.paging.is_given() {
        return Err(Failure::Usage("--all, --limit and --next are for the list of all sessions".into()));
    }
    one(&calls, context, account, session, args.secrets).await
}

async fn one(
    calls: &Calls<'_>,
    context: &Context,
    account: &AccountId,
    session: &SessionId,
    secrets: Secrets,
) -> Result<(), Failure> {
    let reply = calls.get(&ids::path("/status", &[account, session])?).await?;
    let is_there = !reply.json["session"].is_null();
    if context.output.json || is_there {
        let shown = secrets.hide(&reply.text).map_err(|error| unexpected(&error))?;
        context.output.reply(&shown, |_| secrets.text(&reply.text))?;
    }
    if is_there { Ok(()) } else { Err(Failure::Refused("there is no such active session".into())) }
}

fn rows(items: &[&RawValue]) -> serde_json::Result<String> {
    let now = times::now();
    let row = |item: &&RawValue| {
        let session: Shown = serde_json::from_str(item.get())?;
        Ok([
            session.account_id.to_string(),
            session.session_id.to_string(),
            user_cell(session.user_id.as_ref()),
            times::readable_with_distance(session.expires, now),
            times::readable_with_distance(session.ttl, now),
        ])
    };
    let rows = items.iter().map(row).collect::<serde_json::Result<Vec<_>>>()?;
    Ok(table(["ACCOUNT", "SESSION", "USER", "KEYS UNTIL", "ENDS"], &rows))
}
