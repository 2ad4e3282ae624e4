//! `sbe unread`.

use super::messages::Filter;
use crate::{
    calls::{Calls, query},
    context::Context,
    failure::Failure,
    ids,
    table::table,
};
use clap::Args;
use sbe_core::id::UserId;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe unread 7
  sbe unread 'auth0|5f7c' --type news --since 1d

Ids that begin with - stand after --.";

/// Whose unread messages to count.
#[derive(Debug, Args)]
pub struct Unread {
    /// User.
    #[arg(value_parser = ids::user, allow_negative_numbers = true)]
    user: UserId,

    #[command(flatten)]
    filter: Filter,
}

#[derive(Deserialize)]
struct Count {
    unread: u64,
    by_type: BTreeMap<String, u64>,
    #[serde(default)]
    at_least: bool,
}

/// Counts what is unread, in all and by type.
pub async fn run(args: Unread, context: &Context) -> Result<(), Failure> {
    let path = ids::path("/messages/user", &[&args.user])? + "/unread" + &query(&args.filter.parameters());
    let reply = Calls::new(context).get(&path).await?;
    context.output.reply(&reply.text, text)
}

fn text(reply: &str) -> serde_json::Result<String> {
    let Count { unread, by_type, at_least } = serde_json::from_str(reply)?;
    let number = format!("{}{unread} unread", if at_least { "at least " } else { "" });
    let name = |kind: &str| if kind.is_empty() { "(no type)".to_owned() } else { kind.to_owned() };
    let rows: Vec<_> = by_type.iter().map(|(kind, count)| [name(kind), count.to_string()]).collect();
    Ok(if rows.is_empty() { number } else { format!("{number}\n\n{}", table(["TYPE", "UNREAD"], &rows)) })
}
