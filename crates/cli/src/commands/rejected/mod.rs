//! `sbe rejected`: messages that were rejected.
//!
//! # Layout
//!
//! - [`entry`]: reads an entry of the queue
//! - [`correct`]: the message as it is to be published
//! - [`edit`]: lets an editor change it
//! - [`replay`]: publishes it

pub mod correct;
pub mod edit;
pub mod entry;
pub mod replay;

use crate::{
    context::Context,
    failure::Failure,
    output::print,
    parked::{
        Facts,
        choice::{choose, drop_all, only},
        list::{Reader, at},
        queue::Queue,
        selection::Selection,
    },
    table::printable,
};
use clap::{Args, Subcommand};
use entry::Entry;

/// Examples for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe rejected list --summary                        how many, by reason
  sbe rejected show 5f2c                             one message, by the beginning of its id
  sbe rejected replay 5f2c --edit                    correct it in $EDITOR and publish it
  sbe rejected replay --reason user_id --set userId=7 --unset user_id
  sbe rejected replay --reason _everyone --set _everyone=true
  sbe rejected replay --unchanged                    after a rule was changed
  sbe rejected drop --older-than 7d

A message is checked by the rules of this release before it is put on the stream, and one that would go to
everyone must say so by the field _everyone. One without a messageId is given the same one each time, so that
browsers and histories have it once even if it is published twice.";

/// What to do with rejected messages.
#[derive(Debug, Subcommand)]
pub enum Rejected {
    /// List entries, by age and reason; never their content.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        which: Which,
        /// How many there are of each reason.
        #[arg(long)]
        summary: bool,
    },
    /// Show one message whole: it is for your eyes only.
    Show {
        /// Its id, or what it begins with.
        id: String,
    },
    /// Put messages on the stream again, corrected.
    Replay(replay::Replay),
    /// Delete entries for good.
    Drop {
        #[command(flatten)]
        #[allow(missing_docs)]
        which: Which,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// Which entries.
#[derive(Debug, Clone, Args)]
pub struct Which {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub selection: Selection,

    /// Those that came this way.
    #[arg(long, value_name = "WAY", value_parser = ["kinesis", "invocation"])]
    pub source: Option<String>,
}

/// Runs `sbe rejected`.
pub async fn run(command: Rejected, context: &Context) -> Result<(), Failure> {
    let queue = Queue::new("rejected", context.system.sqs(), &context.system.rejected_queue_url);
    let reader = Reader { queue: &queue, facts, arrived: |_| None, origin: "SOURCE" };
    match command {
        Rejected::List { which, summary } => {
            reader.list(&which.selection, which.source.as_deref(), summary, context).await
        }
        Rejected::Show { id } => show(&queue, &id, context).await,
        Rejected::Replay(args) => replay::run(args, &reader, context).await,
        Rejected::Drop { which, yes } => {
            let (of, fate) = (which.source.as_deref(), "deleted for good");
            let wanted = choose(&reader, &which.selection, of, fate, yes, context).await?;
            drop_all(&queue, wanted, context).await
        }
    }
}

fn facts(body: &str) -> Facts {
    Entry::read(body).map_or_else(|_| Entry::unreadable(), |entry| entry.facts())
}

async fn show(queue: &Queue, id: &str, context: &Context) -> Result<(), Failure> {
    let held = only(queue, id, context).await?;
    if context.output.json {
        print(held.to_json(&held.body));
        return Ok(());
    }
    print(format_args!("id        {}", held.id));
    print(format_args!("parked    {}", at(held.sent)));
    let Ok(entry) = Entry::read(&held.body) else {
        print(printable(&held.body));
        return Ok(());
    };
    print(format_args!("source    {}, {}", printable(&entry.source), printable(&entry.sequence_number)));
    print(format_args!("reason    {}", printable(&entry.reason)));
    print(format_args!("bytes     {}", entry.size));
    match entry.message() {
        Some(bytes) => print(printable(&String::from_utf8_lossy(&bytes))),
        None => print("the message was too large to be kept"),
    }
    Ok(())
}
