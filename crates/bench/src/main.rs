//! Measures what fan-out costs: `cargo run --release -p sbe-bench`.

use clap::{Parser, Subcommand};
use sbe_bench::{
    harness::{self, Extent},
    measure::{self, Size},
    population::Population,
    sink::{Plan, server::Sink},
};
use std::io::Read as _;

/// Measures what fan-out costs, and writes a report to target/bench-report.
#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    /// Leave the long measurements out: a million sessions become a hundred thousand.
    #[arg(long)]
    quick: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Answer as AWS would, until standard input ends; then print what was counted.
    Sink {
        /// Sessions in the table.
        #[arg(long)]
        sessions: usize,
        /// Sessions of each user; 0 for sessions without users.
        #[arg(long, default_value_t = 0)]
        sessions_per_user: usize,
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
    match options.command {
        Some(Command::Sink { sessions, sessions_per_user }) => serve(sessions, sessions_per_user),
        Some(Command::Measure { subject, size }) => measure::print(subject, &size),
        None => harness::run(if options.quick { Extent::Quick } else { Extent::Full }),
    }
}

fn serve(sessions: usize, sessions_per_user: usize) -> anyhow::Result<()> {
    let population = Population { sessions_per_user, ..Population::of(sessions) };
    let sink = Sink::start(Plan::instant(population))?;
    println!("{}", sink.endpoint());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    println!("{}", serde_json::to_string(&*sink.state.tally())?);
    Ok(())
}
