//! `sbe put`: messages to the Kinesis stream, however many.
//!
//! Lines are read and checked one by one and put in batches, one batch after the other: memory does not grow
//! with the input, and whoever pipes lines in slowly need not fill a batch.
//!
//! # Layout
//!
//! - [`putting`]: batch after batch, with the progress shown
//! - [`record`]: from a line to a record: checked, with an id and a partition key
//! - [`tally`]: what became of the lines, and where to carry on

mod putting;
mod record;
mod tally;

use crate::{context::Context, failure::Failure, input::Input, lines::Lines, output::report, published::Ids};
use clap::Args;
use putting::Putting;
use record::{Checks, MAX_LINE_BYTES};
use sbe_core::broadcast::Broadcasts;
use tally::Tally;

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
    let tally = Tally::new(args.from_line, (!args.unchecked).then(|| checks.ids.prefix().to_owned()));
    let mut putting = Putting::new(context, checks, tally, args.input.size());
    let mut lines = Lines::of(reader, MAX_LINE_BYTES);
    let result = putting.all(&mut lines, &args.input).await;
    let tally = putting.finish();
    context.output.result(&tally.json(result.is_ok()), |_| tally.text());
    if result.is_err() {
        report(format_args!("{}", tally.carry_on()));
    }
    result?;
    tally.verdict()
}

/// Which broadcasts the dispatcher refuses: that is a setting of the deployment.
async fn broadcasts(context: &Context) -> Result<Broadcasts, Failure> {
    let function = context.system.live("event-dispatcher");
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
