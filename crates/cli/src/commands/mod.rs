//! The commands, a module each.

use crate::{
    context::Context,
    failure::Failure,
    interrupt::Interrupt,
    locate,
    options::Options,
    output::{Output, print},
};
use clap::Subcommand;

pub mod cleanup;
pub mod load;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Delete the queues that no session owns and that are older than an hour.
    Cleanup,
    /// Load the system, and check exactly what every session receives.
    #[command(after_long_help = load::options::EXAMPLES)]
    Load(load::options::LoadArgs),
}

/// Runs a command to its end.
pub async fn run(options: Options) -> Result<(), Failure> {
    if matches!(&options.command, Command::Load(args) if args.print_scenario) {
        print(load::scenario::DEFAULTS.trim_end());
        return Ok(());
    }
    let interrupt = Interrupt::listen();
    let system = locate::of_this_release(&options.place).await?;
    let context = Context { system, output: Output { json: options.json }, interrupt };
    match options.command {
        Command::Cleanup => cleanup::run(&context).await,
        Command::Load(args) => load::run(&args, &context).await,
    }
}
