//! The commands, a module each.

use crate::{
    context::Context, failure::Failure, interrupt::Interrupt, locate, options::Options, output::Output,
};
use clap::Subcommand;

pub mod cleanup;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Delete the queues that no session owns and that are older than an hour.
    Cleanup,
}

/// Runs a command to its end.
pub async fn run(options: Options) -> Result<(), Failure> {
    let interrupt = Interrupt::listen();
    let system = locate::of_this_release(&options.place).await?;
    let context = Context { system, output: Output { json: options.json }, interrupt };
    match options.command {
        Command::Cleanup => cleanup::run(&context).await,
    }
}
