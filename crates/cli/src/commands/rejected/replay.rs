//! `sbe rejected replay`: publishes a message that was rejected.

use super::{
    Which,
    correct::{Setting, changed, checked},
    edit::Draft,
    entry::Entry,
};
use crate::{
    context::Context,
    failure::Failure,
    parked::{
        choice::choose,
        list::Reader,
        pace::{Pace, Rate},
        queue::{Held, Queue},
        sweep::{Act, sweep},
    },
};
use aws_sdk_kinesis::primitives::Blob;
use clap::{ArgGroup, Args};
use sbe_client::System;
use sbe_core::message::Message;
use std::io::Read as _;

/// Puts messages on the stream again, corrected.
#[derive(Debug, Clone, Args)]
pub struct Replay {
    #[command(flatten)]
    #[allow(missing_docs)]
    which: Which,

    #[command(flatten)]
    #[allow(missing_docs)]
    how: How,

    /// At most so many a second or a minute.
    #[arg(long, value_name = "N/s", default_value = "50/s")]
    rate: Rate,

    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// How messages are corrected.
#[derive(Debug, Clone, Args)]
#[group(skip)]
#[command(group(ArgGroup::new("correction").required(true).multiple(true)))]
struct How {
    /// Change the message in $VISUAL, $EDITOR or vi.
    #[arg(long, group = "correction", conflicts_with_all = ["stdin", "set", "unset", "unchanged"])]
    edit: bool,

    /// Take the corrected message from standard input.
    #[arg(long, group = "correction", conflicts_with_all = ["set", "unset", "unchanged"])]
    stdin: bool,

    /// Set a field: to JSON, or else to a string. May be given several times.
    #[arg(long, group = "correction", value_name = "FIELD=VALUE", conflicts_with = "unchanged")]
    set: Vec<Setting>,

    /// Leave a field out. May be given several times.
    #[arg(long, group = "correction", value_name = "FIELD", conflicts_with = "unchanged")]
    unset: Vec<String>,

    /// As it is: only sensible after a rule was changed.
    #[arg(long, group = "correction")]
    unchanged: bool,
}

pub(super) async fn run(args: Replay, reader: &Reader<'_>, context: &Context) -> Result<(), Failure> {
    let (selection, of) = (&args.which.selection, args.which.source.as_deref());
    let is_one = selection.ids.len() == 1;
    if (args.how.edit || args.how.stdin) && !is_one {
        return Err(Failure::Usage("--edit and --stdin take the ID of one entry".into()));
    }
    // Whoever edits one entry has chosen it.
    let yes = args.yes || args.how.edit || args.how.stdin;
    let wanted = choose(reader, selection, of, "published", yes, context).await?;
    if (args.how.edit || args.how.stdin) && wanted.len() != 1 {
        return Err(Failure::Usage("more than one entry begins with this ID".into()));
    }
    let act = Act { doing: "replaying", done: "replayed", matters_twice: true };
    let publish = async |held: &_| replay(&args.how, reader.queue, &context.system, held).await;
    sweep(reader.queue, wanted, act, &Pace::new(args.rate), context, publish).await
}

async fn replay(how: &How, queue: &Queue, system: &System, held: &Held) -> Result<(), Failure> {
    let refused = |reason: String| Failure::Refused(reason);
    let entry = Entry::read(&held.body).map_err(|_| refused(Entry::unreadable().reason))?;
    let check =
        |text: &[u8]| checked(text, || entry.default_id(&held.id)).map_err(|no| refused(no.to_string()));
    let message = if how.stdin {
        check(&standard_input().await?)?
    } else {
        let original = entry.message();
        let too_large = || refused("it was too large to be kept: give the message by --stdin".into());
        let original = original.ok_or_else(too_large)?;
        if how.edit {
            edited(&original, queue, held, check).await?
        } else if how.unchanged {
            check(&original)?
        } else {
            let text = changed(&original, &how.set, &how.unset).map_err(|no| refused(no.to_string()))?;
            check(text.as_bytes())?
        }
    };
    put(system, &entry, &message).await
}

async fn edited(
    original: &[u8],
    queue: &Queue,
    held: &Held,
    check: impl Fn(&[u8]) -> Result<Message, Failure>,
) -> Result<Message, Failure> {
    let draft = Draft::new(original)?;
    let text = draft.edit(queue, held).await?;
    if text == original {
        return Err(Failure::Refused("nothing was edited (--unchanged publishes it as it is)".into()));
    }
    check(&text).map_err(|failure| Failure::Refused(format!("{failure}{}", draft.keep())))
}

/// All of standard input. It is read by a thread that the program does not wait for at its end.
async fn standard_input() -> Result<Vec<u8>, Failure> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = std::io::stdin().read_to_end(&mut text);
        // After Ctrl-C nobody waits for it.
        let _ = sender.send(read.map(|_| text));
    });
    let nothing = || Failure::Usage("standard input cannot be read".into());
    receiver.await.ok().and_then(Result::ok).ok_or_else(nothing)
}

/// Puts the message where the one before it was.
async fn put(system: &System, entry: &Entry, message: &Message) -> Result<(), Failure> {
    let key: String = message.id().as_str().chars().take(256).collect();
    let key = entry.partition_key.clone().unwrap_or(key);
    let put = system.kinesis().put_record().stream_name(&system.stream).partition_key(key);
    let put = put.data(Blob::new(message.json())).send().await;
    put.map(drop).map_err(|error| Failure::aws("putting the message on the stream", error))
}
