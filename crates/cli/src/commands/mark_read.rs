//! `sbe mark-read`.

use crate::{
    calls::{Calls, query},
    context::Context,
    failure::Failure,
    ids,
    lines::Lines,
    output::{one_line, print},
    times,
};
use clap::Args;
use sbe_core::{
    history::Timestamp,
    id::{MessageId, UserId},
};

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe mark-read 7 QI_kk8Y7CkbnG7VrulxwY_pub01CM0zC8C2L2PNrVn8
  sbe mark-read 7 --as-of now
  sbe messages 7 --unread --type news --all --json | jq -r .messageId | sbe mark-read 7 --stdin

Ids that begin with - stand after --, as in sbe mark-read 7 -- -kk8Y7.";

/// Ids in one call: far below the 6 MB that a call may have, and done in a part of its time.
const IDS_PER_CALL: usize = 5000;

/// 256 characters of four bytes.
const LONGEST_ID: usize = 1024;

/// Which messages to mark read.
#[derive(Debug, Args)]
pub struct MarkRead {
    /// User.
    #[arg(value_parser = ids::user, allow_negative_numbers = true)]
    user: UserId,

    /// Ids of messages.
    #[arg(value_name = "ID", value_parser = ids::message, allow_negative_numbers = true, group = "what")]
    messages: Vec<MessageId>,

    /// All up to this time, inclusive: epoch seconds, RFC 3339, now, or how long ago.
    #[arg(long, value_name = "TIME", value_parser = times::moment, group = "what")]
    as_of: Option<Timestamp>,

    /// Read ids from standard input, one a line.
    #[arg(long, group = "what")]
    stdin: bool,

    /// Return at once; the marking follows.
    #[arg(long = "async")]
    is_async: bool,
}

/// Marks messages read, in calls of at most 5,000 ids.
pub async fn run(args: MarkRead, context: &Context) -> Result<(), Failure> {
    let mut marking =
        Marking { calls: Calls::new(context), context, is_async: args.is_async, given: 0, marked: 0 };
    if let Some(moment) = args.as_of {
        let path = ids::path("/messages/set-read/user", &[&args.user])? + &format!("/asof/{moment}");
        marking.call(&path, "").await?;
        marking.told(&format!("all up to {}", times::readable(moment)));
        return Ok(());
    }
    let path = ids::path("/messages/set-read/user", &[&args.user])?;
    if args.stdin {
        let mut lines = Lines::of(std::io::stdin(), LONGEST_ID);
        loop {
            let ids = context.interrupt.or(ids_of(&mut lines), || marking.so_far()).await?;
            if ids.is_empty() {
                break;
            }
            marking.list(&path, &ids).await?;
        }
    } else if args.messages.is_empty() {
        return Err(Failure::Usage("name messages by their ids, or give --as-of or --stdin".into()));
    }
    for ids in args.messages.chunks(IDS_PER_CALL) {
        marking.list(&path, ids).await?;
    }
    let given = marking.given;
    marking.told(&format!("{given} ids"));
    Ok(())
}

/// The next ids of standard input, as many as one call takes; none at its end.
async fn ids_of(lines: &mut Lines) -> Result<Vec<MessageId>, Failure> {
    let mut ids = Vec::new();
    while ids.len() < IDS_PER_CALL {
        let unreadable = |error| Failure::Usage(format!("standard input cannot be read: {error}"));
        let Some(line) = lines.next().await.map_err(unreadable)? else { break };
        // What is no text, or far too long, is no id either.
        let text = line
            .bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_else(|| "x".repeat(LONGEST_ID));
        if !text.trim().is_empty() {
            let id = ids::message(text.trim());
            ids.push(id.map_err(|error| Failure::Usage(format!("line {}: {error}", line.number)))?);
        }
    }
    Ok(ids)
}

struct Marking<'a> {
    calls: Calls<'a>,
    context: &'a Context,
    is_async: bool,
    given: usize,
    marked: usize,
}

impl Marking<'_> {
    async fn list(&mut self, path: &str, ids: &[MessageId]) -> Result<(), Failure> {
        let body = serde_json::to_string(ids).expect("ids are texts");
        self.call(path, &body).await?;
        self.given += ids.len();
        Ok(())
    }

    async fn call(&mut self, path: &str, body: &str) -> Result<(), Failure> {
        // The parameter has no value.
        let is_async = query(&[("async", self.is_async.then(String::new))]);
        let reply = self.calls.post(&format!("{path}{is_async}"), body).await?;
        self.marked += reply.json["messages_receipted"].as_array().map_or(0, Vec::len);
        if self.context.output.json {
            print(one_line(&reply.text));
        }
        Ok(())
    }

    fn so_far(&self) -> String {
        format!("{} ids were handed over; the rest is not done", self.given)
    }

    fn told(&self, what: &str) {
        match (self.context.output.json, self.is_async) {
            (true, _) => {}
            (_, true) => print(format_args!("{what}: the marking follows")),
            (_, false) => print(format_args!("{what}: {} messages newly marked read", self.marked)),
        }
    }
}
