//! The commands, a module each.

use crate::{
    context::Context, failure::Failure, interrupt::Interrupt, locate, options::Options, output::Output,
};
use clap::Subcommand;

pub mod cleanup;
pub mod failed;
pub mod purge;
pub mod rejected;
pub mod remove_all;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Delete the queues that no session owns and that are older than an hour.
    Cleanup,
    /// List, show, replay or drop work that the functions gave up.
    #[command(subcommand, after_long_help = failed::EXAMPLES)]
    Failed(failed::Failed),
    /// Delete the messages that wait in session queues.
    #[command(after_long_help = purge::EXAMPLES)]
    Purge(purge::Purge),
    /// List, show, correct or drop messages that were rejected.
    #[command(subcommand, after_long_help = rejected::EXAMPLES)]
    Rejected(rejected::Rejected),
    /// Delete every session, queue and identity of an environment, before `sam delete`.
    #[command(after_long_help = remove_all::EXAMPLES)]
    RemoveAll(remove_all::RemoveAll),
}

/// Runs a command to its end.
pub async fn run(options: Options) -> Result<(), Failure> {
    let interrupt = Interrupt::listen();
    let system = locate::of_this_release(&options.place).await?;
    let context = Context { system, output: Output { json: options.json }, interrupt };
    match options.command {
        Command::Cleanup => cleanup::run(&context).await,
        Command::Failed(command) => failed::run(command, &context).await,
        Command::Purge(args) => purge::run(args, &context).await,
        Command::Rejected(command) => rejected::run(command, &context).await,
        Command::RemoveAll(args) => remove_all::run(args, &context).await,
    }
}
