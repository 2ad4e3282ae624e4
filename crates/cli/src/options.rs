//! The command line.

use crate::{commands::Command, failure::EXIT_CODES};
use clap::{Args, Parser};
use std::path::PathBuf;

/// Operates sqs-browser-events: calls the API, publishes, listens, explains, mends.
#[derive(Debug, Parser)]
#[command(name = "sbe", version, propagate_version = true, after_long_help = EXIT_CODES)]
pub struct Options {
    /// Which system.
    #[command(flatten)]
    pub place: Place,

    /// Print JSON for programs: one document, or one object a line where there are many.
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Which system: a local one by its stack file, a deployed one by its environment.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "System")]
pub struct Place {
    /// Stack file of a local system. [default: .local/stack.json, where there is one and no --env]
    #[arg(long, global = true, env = "SBE_STACK", value_name = "FILE", conflicts_with = "env")]
    pub stack_file: Option<PathBuf>,

    /// Environment of a deployed system, the template's parameter `Env`.
    #[arg(long, global = true, env = "SBE_ENV", value_name = "NAME")]
    pub env: Option<String>,

    /// AWS region of a deployed system. [default: that of the AWS configuration]
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,

    /// Profile of the AWS configuration files.
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
}
