//! The commands, a module each.

use crate::{
    context::Context, failure::Failure, interrupt::Interrupt, locate, options::Options, output::Output,
};
use clap::Subcommand;

pub mod cleanup;
pub mod trace;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Delete the queues that no session owns and that are older than an hour.
    Cleanup,
    /// Tell the story of a message: who got it, and if not, why not.
    Trace(trace::Trace),
}

/// Runs a command to its end.
pub async fn run(options: Options) -> Result<(), Failure> {
    let interrupt = Interrupt::listen();
    let system = locate::of_this_release(&options.place).await?;
    let context = Context { system, output: Output { json: options.json }, interrupt };
    match options.command {
        Command::Cleanup => cleanup::run(&context).await,
        Command::Trace(args) => Box::pin(trace::run(args, &context)).await,
    }
}
