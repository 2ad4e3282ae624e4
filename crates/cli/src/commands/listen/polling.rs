//! Polls, prints, deletes, until it is enough.

use super::{Listen, held::Held, seen::Seen};
use crate::{
    context::Context,
    failure::Failure,
    output::{one_line, report},
};
use sbe_client::{
    backoff::Backoff,
    causes,
    consumer::Delivery,
    trouble::{Trouble, trouble},
};
use sbe_core::{id::MessageId, message::Fields};
use std::{
    io::{self, Write as _},
    time::Duration,
};
use tokio::time::Instant;

/// SQS holds a poll for so many seconds at most.
const LONGEST_POLL: u64 = 20;

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// So often in a row fresh keys may be refused, or the queue be unknown, before that is believed.
const STRIKES: u32 = 6;

/// After Ctrl-C a deletion that is on its way has so long to end.
const LAST_DELETE: Duration = Duration::from_millis(200);

/// A session whose messages are printed.
pub(super) struct Polling<'a> {
    context: &'a Context,
    args: &'a Listen,
    pub(super) held: Held<'a>,
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

impl<'a> Polling<'a> {
    pub(super) fn new(args: &'a Listen, held: Held<'a>, context: &'a Context) -> Self {
        Self {
            context,
            args,
            held,
            end: args.time.map(|time| Instant::now() + time),
            seen: Seen::default(),
            undecrypted: Seen::default(),
            printed: 0,
            repeated: 0,
            reader_is_gone: false,
            backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT),
            strikes: 0,
        }
    }

    /// Polls until there were enough messages, time ends, or Ctrl-C.
    pub(super) async fn until_done(&mut self) -> Result<(), Failure> {
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
                return Err(given_up(what, failure));
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

    pub(super) fn summary(&self) -> String {
        let deleted = if self.args.keep { "left in the queue" } else { "deleted" };
        let repeated = match self.repeated {
            0 => String::new(),
            repeated => format!(", {repeated} that came again"),
        };
        format!("{} messages printed and {deleted}{repeated}", self.printed)
    }

    /// Fewer messages than were wanted in the time are a failure.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        match self.args.count {
            Some(count) if self.printed < count && !self.reader_is_gone => {
                Err(Failure::Found(format!("{} of {count} messages came", self.printed)))
            }
            _ => Ok(()),
        }
    }
}

/// What is believed after many tries.
fn given_up(what: Trouble, failure: Failure) -> Failure {
    match what {
        Trouble::QueueGone => {
            Failure::Refused("the session's queue is gone: sbe create makes the session anew".to_owned())
        }
        _ => failure,
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
