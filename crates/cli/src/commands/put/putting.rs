//! Batch after batch, with the progress shown.

use super::{record::Checks, tally::Tally};
use crate::{
    context::Context,
    failure::Failure,
    input::Input,
    lines::{Line, Lines},
    progress::Progress,
};
use sbe_client::stream::{Batch, NotTaken, Stream};
use std::time::Duration;
use tokio::time::Instant;

const WHAT: &str = "putting";

/// How long the stream may take nothing before it is given up.
const PATIENCE: Duration = Duration::from_mins(1);

/// For so long more lines are waited for before a batch that is not full is put.
const LINGER: Duration = Duration::from_millis(10);

/// After Ctrl-C a call that is on its way has so long to end.
const LAST_CALL: Duration = Duration::from_millis(600);

/// A put that is going on.
pub(super) struct Putting<'a> {
    context: &'a Context,
    stream: Stream,
    checks: Checks,
    tally: Tally,
    progress: Progress,
    batch: Batch,
    /// The line of each record of the batch, and the bytes of the input up to there.
    lines: Vec<(u64, u64)>,
    /// When the batch is put, full or not.
    due: Option<Instant>,
}

impl<'a> Putting<'a> {
    /// Nothing is put of an input of so many bytes, if that is known.
    pub(super) fn new(context: &'a Context, checks: Checks, tally: Tally, size: Option<u64>) -> Self {
        Self {
            context,
            stream: Stream::new(context.system.kinesis(), &context.system.stream),
            checks,
            tally,
            progress: size.map_or_else(|| Progress::of_unknown(WHAT), |bytes| Progress::new(WHAT, bytes)),
            batch: Batch::default(),
            lines: Vec::new(),
            due: None,
        }
    }

    /// What became of the lines; the progress is shown no longer.
    pub(super) fn finish(self) -> Tally {
        self.tally
    }

    /// Puts all lines, or ends at what stops it.
    pub(super) async fn all(&mut self, lines: &mut Lines, input: &Input) -> Result<(), Failure> {
        while let Some(line) = self.next(lines, input).await? {
            if line.number >= self.tally.from_line {
                self.add(&line).await?;
            }
        }
        self.flush().await
    }

    /// The next line. What waits is put before a wait for more gets long.
    async fn next(&mut self, lines: &mut Lines, input: &Input) -> Result<Option<Line>, Failure> {
        loop {
            let due = self.due;
            let is_due = async { tokio::time::sleep_until(due.unwrap_or_else(Instant::now)).await };
            tokio::select! {
                biased;
                () = self.context.interrupt.comes() => return Err(interrupted()),
                line = lines.next() => return line.map_err(|error| input.unreadable(&error)),
                () = is_due, if due.is_some() => self.flush().await?,
            }
        }
    }

    async fn add(&mut self, line: &Line) -> Result<(), Failure> {
        let record = match self.checks.record(line) {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(()),
            Err(reason) => {
                self.tally.refused += 1;
                self.progress.tell(format_args!("line {}: {reason}", line.number));
                return Ok(());
            }
        };
        if !self.batch.has_room_for(record.bytes()) {
            self.flush().await?;
        }
        self.due.get_or_insert_with(|| Instant::now() + LINGER);
        self.lines.push((line.number, line.end));
        self.batch.push(record.partition_key, record.data);
        Ok(())
    }

    /// Puts what waits, and takes note of what the stream has taken.
    async fn flush(&mut self) -> Result<(), Failure> {
        let mut batch = std::mem::take(&mut self.batch);
        let lines = std::mem::take(&mut self.lines);
        self.due = None;
        let put = self.stream.put(&mut batch, PATIENCE);
        let put = self.context.interrupt.with_grace(LAST_CALL, put).await;
        let result = put.map_or_else(|| Err(interrupted()), |result| result.map_err(not_taken));
        let (numbers, ends): (Vec<u64>, Vec<u64>) = lines.into_iter().unzip();
        self.tally.put(&numbers, &batch);
        self.progress.set(ends.last().copied().unwrap_or_default(), &self.tally.text());
        result
    }
}

fn interrupted() -> Failure {
    Failure::Interrupted("interrupted: the rest is not put".to_owned())
}

fn not_taken(error: NotTaken) -> Failure {
    match error {
        NotTaken::Call(error) => Failure::aws("putting records", *error),
        NotTaken::Record { code, message } => {
            Failure::Unavailable(format!("the stream takes no more: {code}: {message}"))
        }
    }
}
