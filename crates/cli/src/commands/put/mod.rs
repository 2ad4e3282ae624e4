//! `sbe put`: messages to the Kinesis stream, however many.
//!
//! Lines are read and checked one by one and put in batches, one batch after the other: memory does not grow
//! with the input, and whoever pipes lines in slowly need not fill a batch.
//!
//! # Layout
//!
//! - [`record`]: from a line to a record: checked, with an id and a partition key
//! - [`tally`]: what became of the lines, and where to carry on

mod record;
mod tally;

use crate::{
    context::Context,
    failure::Failure,
    input::Input,
    lines::{Line, Lines},
    output::report,
    progress::Progress,
    published::Ids,
};
use clap::Args;
use record::{Checks, MAX_LINE_BYTES};
use sbe_client::stream::{Batch, NotTaken, Stream};
use sbe_core::broadcast::Broadcasts;
use std::time::Duration;
use tally::Tally;
use tokio::time::Instant;

/// Examples, for `--help`.
pub const EXAMPLES: &str = r#"Examples:
  sbe put '{"userId":7,"text":"hello"}'
  sbe put --file events.jsonl
  tail -f events.jsonl | sbe put -
  sbe put --file events.jsonl --from-line 70001 --id-prefix 3f2a…    carry on, as it said when it stopped

Input has one JSON object a line; blank lines are passed over. A line that the dispatcher would reject is
refused with its number and the reason, and the others are put. A message without messageId is given one:
the prefix of the run and its line, so that a line that is put twice is one message.

Order: a batch is put when the one before it is done. Within a batch, messages with the same partition key keep
their order, but for those that the stream refused at first. The partition key is the userId, else the
sessionId, else the accountId, else the same for all broadcasts."#;

const WHAT: &str = "putting";

/// How long the stream may take nothing before it is given up.
const PATIENCE: Duration = Duration::from_mins(1);

/// For so long more lines are waited for before a batch that is not full is put.
const LINGER: Duration = Duration::from_millis(10);

/// After Ctrl-C a call that is on its way has so long to end.
const LAST_CALL: Duration = Duration::from_millis(600);

/// What to put, and how.
#[derive(Debug, Args)]
pub struct Put {
    #[command(flatten)]
    input: Input,

    /// Put lines as they are: unchecked, and without an id of their own.
    #[arg(long, conflicts_with = "id_prefix")]
    unchecked: bool,

    /// Carry on from this line of the input.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    from_line: u64,

    /// What the ids given to messages begin with. [default: random, for each run]
    #[arg(long, value_name = "PREFIX", value_parser = prefix)]
    id_prefix: Option<String>,

    /// Partition key of all records.
    #[arg(long, value_name = "KEY", value_parser = partition_key)]
    partition_key: Option<String>,
}

fn prefix(text: &str) -> Result<String, String> {
    // A hyphen and the largest number have room behind it in a messageId.
    let fits = (1..=200).contains(&text.chars().count());
    if fits { Ok(text.to_owned()) } else { Err("must have 1 to 200 characters".to_owned()) }
}

fn partition_key(text: &str) -> Result<String, String> {
    let fits = (1..=256).contains(&text.chars().count());
    if fits { Ok(text.to_owned()) } else { Err("must have 1 to 256 characters".to_owned()) }
}

/// Puts all lines of the input, and tells of those that are refused.
pub async fn run(args: Put, context: &Context) -> Result<(), Failure> {
    let reader = args.input.open()?;
    let checks = Checks {
        broadcasts: if args.unchecked { None } else { Some(broadcasts(context).await?) },
        ids: Ids::new(args.id_prefix.clone()),
        partition_key: args.partition_key.clone(),
    };
    let mut putting = Putting {
        context,
        stream: Stream::new(context.system.kinesis(), &context.system.stream),
        tally: Tally::new(args.from_line, (!args.unchecked).then(|| checks.ids.prefix().to_owned())),
        progress: args
            .input
            .size()
            .map_or_else(|| Progress::of_unknown(WHAT), |bytes| Progress::new(WHAT, bytes)),
        checks,
        batch: Batch::default(),
        lines: Vec::new(),
        due: None,
    };
    let mut lines = Lines::of(reader, MAX_LINE_BYTES);
    let result = putting.all(&mut lines, &args.input).await;
    let tally = putting.tally;
    drop(putting.progress);
    context.output.result(&tally.json(result.is_ok()), |_| tally.text());
    if result.is_err() {
        report(format_args!("{}", tally.carry_on()));
    }
    result?;
    tally.verdict()
}

struct Putting<'a> {
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

impl Putting<'_> {
    async fn all(&mut self, lines: &mut Lines, input: &Input) -> Result<(), Failure> {
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

/// Which broadcasts the dispatcher refuses: that is a setting of the deployment.
async fn broadcasts(context: &Context) -> Result<Broadcasts, Failure> {
    let function = context.system.function("event-dispatcher");
    let configuration = context.system.lambda().get_function_configuration().function_name(function);
    let asked = async { Ok(configuration.send().await) };
    let settings = match context.interrupt.or(asked, || "nothing is put".to_owned()).await? {
        Ok(settings) => settings,
        // Whoever may put records need not be allowed to look at functions.
        Err(error) => {
            let failure = Failure::aws("reading the dispatcher's settings", error);
            report(format_args!("warning: {failure}; whether broadcasts need _everyone is not checked"));
            return Ok(Broadcasts::Open);
        }
    };
    let variables = settings.environment.and_then(|environment| environment.variables).unwrap_or_default();
    Ok(variables.get("BROADCASTS").and_then(|text| Broadcasts::parse(text)).unwrap_or_default())
}
