//! The command line.

use clap::Parser;
use std::path::PathBuf;

/// Runs the whole of sqs-browser-events on this machine, until Ctrl-C.
#[derive(Debug, Clone, Parser)]
#[command(name = "sbe-local", version)]
pub struct Options {
    /// Name of the environment, the prefix of every resource.
    #[arg(long, env = "ENV", default_value = "local")]
    pub env: String,

    /// Port of the AWS endpoint; 0 takes a free one.
    #[arg(long, default_value_t = 4566)]
    pub port: u16,

    /// Deploy to this endpoint, already running, instead of starting one.
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,

    /// Directory for the state of this run: stack.json and logs.
    #[arg(long, value_name = "DIR", default_value = ".local")]
    pub dir: PathBuf,

    /// Use the function binaries in this directory instead of building them.
    #[arg(long, value_name = "DIR")]
    pub binaries: Option<PathBuf>,

    /// Only make the Python virtual environment in .local, with what the tests need, then end.
    #[arg(long)]
    pub prepare: bool,

    /// Also end when standard input ends, for programs that start this one.
    #[arg(long)]
    pub until_stdin_closes: bool,
}
