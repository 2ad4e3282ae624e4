//! `sbe listen`: a consumer of a session, as one is written in Rust.
//!
//! # Layout
//!
//! - [`held`]: the session that is listened to: found or created, renewed, taken up again
//! - [`seen`]: which messages came before

mod held;
mod seen;

use crate::{
    context::Context,
    failure::{Failure, causes},
    ids,
    output::{one_line, report},
    sessions, table,
    times::{self, DURATION_RULE},
};
use clap::Args;
use held::Held;
use sbe_client::{
    backoff::Backoff,
    consumer::Delivery,
    trouble::{Trouble, trouble},
};
use sbe_core::{
    id::{AccountId, MessageId, SessionId, UserId},
    message::Fields,
};
use seen::Seen;
use std::{
    io::{self, Write as _},
    time::Duration,
};
use tokio::time::Instant;

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe listen 1 tab-1 --user 7                        until Ctrl-C
  sbe listen 1 tab-1 --count 1 --for 30s             exit code 1 if nothing comes
  sbe listen 1 probe --user 7 --destroy | jq .text   a session of its own, gone afterwards

Prints each message on a line of JSON, and deletes it then. A message that comes twice, by its messageId, is
printed once. One that does not decrypt is told of and left.

A session that is there is listened to with fresh keys of its own; its other consumers go on, but do not get
what is taken here. --take-over shuts them out, by /create. Otherwise the session is created.
Ids that begin with - stand after --, or after = as in --user=-x.";

/// SQS holds a poll for so many seconds at most.
const LONGEST_POLL: u64 = 20;

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// So often in a row fresh keys may be refused, or the queue be unknown, before that is believed.
const STRIKES: u32 = 6;

/// After Ctrl-C a deletion that is on its way has so long to end, and then a `/destroy`.
const LAST_DELETE: Duration = Duration::from_millis(200);
const LAST_DESTROY: Duration = Duration::from_millis(600);

/// What to listen to, and for how long.
#[derive(Debug, Args)]
pub struct Listen {
    /// Account of the session.
    #[arg(value_parser = ids::account, allow_negative_numbers = true)]
    account: AccountId,

    /// Session.
    #[arg(value_parser = ids::session, allow_negative_numbers = true)]
    session: SessionId,

    /// User of the session.
    #[arg(long, value_parser = ids::user, allow_negative_numbers = true)]
    user: Option<UserId>,

    /// Shut other holders of the session out.
    #[arg(long)]
    take_over: bool,

    /// End after so many messages.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    #[arg(long = "for", value_name = "DURATION", value_parser = times::duration, help = format!("End after so long: {DURATION_RULE}"))]
    time: Option<Duration>,

    /// Leave messages in the queue; each comes again when its visibility timeout ends (30 s).
    #[arg(long)]
    keep: bool,

    /// Destroy the session at the end, if it was created here.
    #[arg(long)]
    destroy: bool,
}

/// Prints the session's messages as they come.
pub async fn run(args: Listen, context: &Context) -> Result<(), Failure> {
    let held = Held::take(&args, context).await?;
    if !context.output.json {
        let name = sessions::name(&args.account, &args.session, held.user.as_ref());
        report(format_args!("listening to session {}; Ctrl-C ends", table::printable(&name)));
    }
    let mut listening = Listening {
        context,
        end: args.time.map(|time| Instant::now() + time),
        args: &args,
        held,
        seen: Seen::default(),
        undecrypted: Seen::default(),
        printed: 0,
        repeated: 0,
        reader_is_gone: false,
        backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT),
        strikes: 0,
    };
    let result = listening.poll_until_done().await;
    report(format_args!("{}", listening.summary()));
    if args.destroy {
        listening.held.destroy(LAST_DESTROY).await;
    }
    result?;
    listening.verdict()
}

struct Listening<'a> {
    context: &'a Context,
    args: &'a Listen,
    held: Held<'a>,
    end: Option<Instant>,
    /// Ids of messages that were printed.
    seen: Seen,
    /// What SQS calls the messages that do not decrypt.
    undecrypted: Seen,
    printed: u64,
    repeated: u64,
    reader_is_gone: bool,
    backoff: Backoff,
    /// How often in a row keys were refused, or the queue was not there.
    strikes: u32,
}

impl Listening<'_> {
    async fn poll_until_done(&mut self) -> Result<(), Failure> {
        while !self.is_done() {
            self.held.renew_if_due().await?;
            let poll = self.held.consumer.receive(self.poll_seconds());
            tokio::select! {
                biased;
                () = self.context.interrupt.comes() => return Err(interrupted()),
                () = ended(self.end) => return Ok(()),
                polled = poll => match polled {
                    Ok(deliveries) => {
                        self.strikes = 0;
                        self.backoff.reset();
                        self.take(deliveries).await;
                    }
                    Err(error) => {
                        let what = trouble(&error);
                        self.recover(what, Failure::aws("polling", error)).await?;
                    }
                },
            }
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.reader_is_gone || self.args.count.is_some_and(|count| self.printed >= count)
    }

    fn poll_seconds(&self) -> i32 {
        let left = self.end.map_or(LONGEST_POLL, |end| (end - Instant::now()).as_secs() + 1);
        i32::try_from(left.min(LONGEST_POLL)).unwrap_or_default()
    }

    /// Prints what came, then deletes what is printed. What is not wanted any more is free at once.
    async fn take(&mut self, deliveries: Vec<Delivery>) {
        let mut deliveries = deliveries.into_iter();
        let mut done = Vec::new();
        while !self.is_done() {
            let Some(delivery) = deliveries.next() else { break };
            if self.show(&delivery) {
                done.push(delivery);
            }
        }
        let rest: Vec<Delivery> = deliveries.collect();
        let settle = async {
            if !self.args.keep {
                self.delete(&done).await;
            }
            // They come again by themselves, only later.
            let _ = self.held.consumer.release(&rest).await;
        };
        if self.context.interrupt.with_grace(LAST_DELETE, settle).await.is_none() {
            report(format_args!("the last {} messages may come again", done.len()));
        }
    }

    /// Prints a message unless it came before; whether it is done with and may be deleted.
    fn show(&mut self, delivery: &Delivery) -> bool {
        let Some(text) = &delivery.text else {
            if self.undecrypted.is_new(&delivery.id) {
                report(format_args!(
                    "message {} does not decrypt with the session's keys: it is left",
                    delivery.id
                ));
            }
            return false;
        };
        if message_id(text).is_some_and(|id| !self.seen.is_new(&id)) {
            self.repeated += 1;
            return true;
        }
        // Standard output is flushed by the line.
        if writeln!(io::stdout().lock(), "{}", one_line(text)).is_err() {
            self.reader_is_gone = true;
            return false;
        }
        self.printed += 1;
        true
    }

    async fn delete(&self, done: &[Delivery]) {
        match self.held.consumer.delete(done).await {
            Ok(0) => {}
            Ok(left) => report(format_args!("{left} messages were not deleted: they come again")),
            Err(error) => {
                let failure = Failure::aws("deleting", error);
                report(format_args!("{}: {} messages come again", causes(&failure), done.len()));
            }
        }
    }

    /// Waits, and asks for fresh keys where these are refused or the queue is not there.
    async fn recover(&mut self, what: Trouble, failure: Failure) -> Result<(), Failure> {
        if what != Trouble::Passing {
            self.strikes += 1;
            if self.strikes > STRIKES {
                return Err(self.given_up(what, failure));
            }
            self.held.take_up_again(what).await?;
        }
        let wait = self.backoff.next_wait();
        if what == Trouble::Passing {
            report(format_args!("{}: trying again in {:.1} s", causes(&failure), wait.as_secs_f64()));
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            () = ended(self.end) => Ok(()),
            () = self.context.interrupt.comes() => Err(interrupted()),
        }
    }

    fn given_up(&self, what: Trouble, failure: Failure) -> Failure {
        match what {
            Trouble::QueueGone => {
                Failure::Refused("the session's queue is gone: sbe create makes the session anew".to_owned())
            }
            _ => failure,
        }
    }

    fn summary(&self) -> String {
        let deleted = if self.args.keep { "left in the queue" } else { "deleted" };
        let repeated = match self.repeated {
            0 => String::new(),
            repeated => format!(", {repeated} that came again"),
        };
        format!("{} messages printed and {deleted}{repeated}", self.printed)
    }

    /// Fewer messages than were wanted in the time are a failure.
    fn verdict(&self) -> Result<(), Failure> {
        match self.args.count {
            Some(count) if self.printed < count && !self.reader_is_gone => {
                Err(Failure::Found(format!("{} of {count} messages came", self.printed)))
            }
            _ => Ok(()),
        }
    }
}

fn interrupted() -> Failure {
    Failure::Interrupted("interrupted".to_owned())
}

async fn ended(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

fn message_id(text: &str) -> Option<String> {
    let fields: Fields<'_> = serde_json::from_str(text).ok()?;
    let id = MessageId::from_json(fields.get(MessageId::FIELD).ok()??).ok()?;
    Some(id.into())
}
