//! `sbe failed`: what the functions gave up.
//!
//! # Layout
//!
//! - [`entry`]: reads an entry of the queue
//! - [`show`]: one entry, whole
//! - [`replay`]: does the work again
//! - [`records`]: records of the stream that a pointer names

pub mod entry;
pub mod records;
pub mod replay;
pub mod show;

use crate::{
    context::Context,
    failure::Failure,
    parked::{
        Facts,
        choice::{choose, drop_all},
        list::Reader,
        pace::{Pace, Rate},
        queue::Queue,
        selection::Selection,
        sweep::{Act, sweep},
    },
};
use clap::{Args, Subcommand};
use entry::Entry;
use sbe_core::history::Timestamp;

/// Examples for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe failed list --summary                          how many, by function and reason
  sbe failed list --function sqs-sender --older-than 1h
  sbe failed show 5f2c                               one entry, by the beginning of its id
  sbe failed replay --function sqs-sender --rate 20/s
  sbe failed drop --reason ItemCollectionSizeLimitExceeded

An entry is deleted only after its work was accepted: stopped anywhere, the same command goes on with the
rest. What was in the middle just then, or whose answer was lost, may be done twice: messages keep their
messageIds, and a history has each once.";

/// What to do with what was given up.
#[derive(Debug, Subcommand)]
pub enum Failed {
    /// List entries, by function, age and reason; never their content.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        which: Which,
        /// How many there are of each function and reason.
        #[arg(long)]
        summary: bool,
    },
    /// Show one entry whole: the messages of users in it are for your eyes only.
    Show {
        /// Its id, or what it begins with.
        id: String,
        /// Show the AES keys in it.
        #[arg(long)]
        show_secrets: bool,
    },
    /// Do the work again: invoke the functions, or read the records from the stream once more.
    Replay {
        #[command(flatten)]
        #[allow(missing_docs)]
        which: Which,
        /// At most so many a second or a minute.
        #[arg(long, value_name = "N/s", default_value = "50/s")]
        rate: Rate,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
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

    /// Those of a function, such as sqs-sender.
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
}

/// Runs `sbe failed`.
pub async fn run(command: Failed, context: &Context) -> Result<(), Failure> {
    let queue = Queue::new("failed", context.system.sqs(), &context.system.failed_queue_url);
    let reader = Reader { queue: &queue, facts, arrived, origin: "FUNCTION" };
    match command {
        Failed::List { which, summary } => {
            reader.list(&which.selection, which.function.as_deref(), summary, context).await
        }
        Failed::Show { id, show_secrets } => show::run(&queue, &id, show_secrets, context).await,
        Failed::Replay { which, rate, yes } => {
            let (of, fate) = (which.function.as_deref(), "replayed");
            let wanted = choose(&reader, &which.selection, of, fate, yes, context).await?;
            let act = Act { doing: "replaying", done: "replayed", matters_twice: true };
            let replay = async |held: &_| replay::replay(&context.system, held).await;
            sweep(&queue, wanted, act, &Pace::new(rate), context, replay).await
        }
        Failed::Drop { which, yes } => {
            let (of, fate) = (which.function.as_deref(), "deleted for good");
            let wanted = choose(&reader, &which.selection, of, fate, yes, context).await?;
            drop_all(&queue, wanted, context).await
        }
    }
}

fn arrived(body: &str) -> Option<Timestamp> {
    Entry::read(body).ok()?.arrived()
}

fn facts(body: &str) -> Facts {
    Entry::read(body).map_or_else(|_| Entry::unreadable(), |entry| entry.facts())
}
