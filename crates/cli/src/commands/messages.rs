//! `sbe messages`.

use crate::{
    calls::Calls,
    context::Context,
    failure::Failure,
    ids,
    output::{one_line, report},
    pages::{self, Paging},
    table::{shortened, table},
    times,
};
use clap::Args;
use sbe_core::{
    history::Timestamp,
    id::UserId,
    message::{Fields, ObjectWriter},
};
use serde_json::value::RawValue;
use std::time::Duration;

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe messages 7 --unread
  sbe messages 7 --type news,invoice --since 1h
  sbe messages 7 --start 2026-01-31T08:00:00Z --end 2026-01-31T09:00:00Z --all --json

Ids that begin with - stand after --.";

/// The longest text of a message in a table.
const SHOWN_CHARS: usize = 120;

/// Which messages of a history to show.
#[derive(Debug, Args)]
pub struct Messages {
    /// User.
    #[arg(value_parser = ids::user, allow_negative_numbers = true)]
    user: UserId,

    #[command(flatten)]
    filter: Filter,

    /// Only what is unread.
    #[arg(long, conflicts_with = "read")]
    unread: bool,

    /// Only what is read.
    #[arg(long)]
    read: bool,

    #[command(flatten)]
    paging: Paging,
}

/// Which part of a history.
#[derive(Debug, Clone, Args)]
pub struct Filter {
    /// Only messages with one of these values of `_type`, separated by commas.
    #[arg(long = "type", value_name = "TYPES")]
    types: Option<String>,

    /// Only messages of so long ago at most, such as 90s, 5m, 1h or 2d.
    #[arg(long, value_name = "DURATION", value_parser = times::duration, conflicts_with = "start")]
    since: Option<Duration>,

    /// Not before this time: epoch seconds, RFC 3339, or how long ago.
    #[arg(long, value_name = "TIME", value_parser = times::moment)]
    start: Option<Timestamp>,

    /// Not after this time.
    #[arg(long, value_name = "TIME", value_parser = times::moment)]
    end: Option<Timestamp>,
}

impl Filter {
    /// The query parameters.
    pub fn parameters(&self) -> Vec<(&'static str, Option<String>)> {
        let start = self.start.or_else(|| self.since.map(|ago| times::before(times::now(), ago)));
        let text = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
        vec![("_type", self.types.clone()), ("start", text(start)), ("end", text(self.end))]
    }
}

/// Shows a history, newest first.
pub async fn run(args: Messages, context: &Context) -> Result<(), Failure> {
    let path = ids::path("/messages/user", &[&args.user])?;
    let is_read = match (args.unread, args.read) {
        (true, _) => Some("0".to_owned()),
        (_, true) => Some("1".to_owned()),
        _ => None,
    };
    let mut parameters = args.filter.parameters();
    parameters.push(("is_read", is_read));
    let calls = Calls::new(context);
    let count = pages::list(&calls, context.output, &path, &parameters, &args.paging, rows).await?;
    if count == 0 && !context.output.json {
        report(format_args!("no such messages"));
    }
    Ok(())
}

fn rows(items: &[&RawValue]) -> serde_json::Result<String> {
    let rows = items.iter().map(|item| row(item.get())).collect::<serde_json::Result<Vec<_>>>()?;
    Ok(table(["CREATED", "", "ID", "MESSAGE"], &rows))
}

fn row(message: &str) -> serde_json::Result<[String; 4]> {
    let fields: Fields<'_> = serde_json::from_str(message)?;
    let (mut created, mut state, mut id) = (String::new(), "", String::new());
    let mut own = ObjectWriter::default();
    for (name, value) in fields.iter() {
        let text = value.get();
        match name {
            "created" => {
                let moment = Timestamp::parse(name, text);
                created = moment.map_or_else(|_| text.to_owned(), times::readable);
            }
            "is_read" => state = if text == "0" { "unread" } else { "read" },
            "messageId" => id = serde_json::from_str(text)?,
            "userId" => {}
            _ => own.add(name, text),
        }
    }
    Ok([created, state.to_owned(), id, shortened(&one_line(&own.finish()), SHOWN_CHARS)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_the_messages_own_fields() {
        let message = r#"{"text":"hello","n":12345678901234567890,"messageId":"m","userId":7,"created":1763800000.25,"is_read":0}"#;
        let row = row(message).unwrap();
        assert_eq!(
            row,
            ["2025-11-22 08:26:40Z", "unread", "m", r#"{"text":"hello","n":12345678901234567890}"#]
        );
    }
}
