//! The commands, a module each.

use crate::{
    context::Context, failure::Failure, interrupt::Interrupt, locate, options::Options, output::Output,
};
use clap::Subcommand;

pub mod cleanup;
pub mod doctor;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Delete the queues that no session owns and that are older than an hour.
    Cleanup,
    /// Check a system: what is wrong, and how to mend it.
    Doctor(doctor::Arguments),
}

/// Runs a command to its end.
pub async fn run(options: Options) -> Result<(), Failure> {
    let interrupt = Interrupt::listen();
    let system = if matches!(options.command, Command::Doctor(_)) {
        locate::of_any_release(&options.place).await?
    } else {
        locate::of_this_release(&options.place).await?
    };
    let context = Context { system, output: Output { json: options.json }, interrupt };
    match options.command {
        Command::Cleanup => cleanup::run(&context).await,
        Command::Doctor(arguments) => doctor::run(&arguments, &context).await,
    }
}
