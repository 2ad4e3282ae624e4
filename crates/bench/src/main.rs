//! Measures what fan-out costs: `cargo run --release -p sbe-bench`.

use clap::{Parser, Subcommand};
use sbe_bench::{
    conditions::Conditions,
    harness::{self, Extent},
    measure::{self, Size},
    sink::{Account, server::Sink},
    usage::Mark,
};
use std::io::Read as _;

/// Measures what fan-out costs, and writes a report to target/bench-report.
#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    /// Leave the long measurements out: a hundred thousand sessions instead of a million.
    #[arg(long, global = true)]
    quick: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Answer as AWS would, until standard input ends; then print what was counted.
    Sink {
        #[command(flatten)]
        size: Size,
        #[command(flatten)]
        conditions: Conditions,
    },
    /// Measure wide audiences alone.
    Wide,
    /// Measure what the log of the stages costs alone.
    Logs,
    /// Measure one fan-out of your own.
    FanOut {
        #[command(flatten)]
        size: Size,
        #[command(flatten)]
        conditions: Conditions,
    },
    /// Take one measurement against the AWS at `AWS_ENDPOINT_URL`, and print it.
    Measure {
        /// What to measure.
        subject: measure::Subject,
        #[command(flatten)]
        size: Size,
    },
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let extent = if options.quick { Extent::Quick } else { Extent::Full };
    match options.command {
        Some(Command::Sink { size, conditions }) => serve(&size, conditions),
        Some(Command::FanOut { size, conditions }) => harness::run_one(size, conditions),
        Some(Command::Measure { subject, size }) => measure::print(subject, &size),
        Some(Command::Logs) => harness::run_logs(),
        Some(Command::Wide) => harness::run_wide(extent),
        None => harness::run(extent),
    }
}

fn serve(size: &Size, conditions: Conditions) -> anyhow::Result<()> {
    let (mark, sink) = (Mark::now()?, Sink::start(conditions.plan(size.sessions))?);
    sink.state.hand_out(measure::DISPATCHER, conditions.audience.batch(size));
    println!("{}", sink.endpoint());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    let (tally, reached) = (sink.state.tally().clone(), sink.state.reached());
    let account = Account { tally, reached, cpu: mark.cpu()?.as_secs_f64() };
    println!("{}", serde_json::to_string(&account)?);
    Ok(())
}
