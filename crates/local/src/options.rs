//! The command line.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Where state is kept, and where `sbe` looks for it.
pub const DEFAULT_DIR: &str = ".local";

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

    /// Port of the demo page and its backend; 0 takes a free one. [default: 4567, or 0 with --port 0]
    #[arg(long, value_name = "PORT")]
    demo_port: Option<u16>,

    /// Go without the demo page, which needs Node.js.
    #[arg(long, conflicts_with = "demo_port")]
    pub no_demo: bool,

    /// Which kind of identities the sessions have.
    #[arg(long, value_enum, default_value_t)]
    pub identities: Identities,

    /// Deploy to this endpoint, already running, instead of starting one. Its root keys are those
    /// of `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `test` and `test`.
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,

    /// Directory for the state of this run: stack.json and logs.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
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

/// The template's parameter `Identities`.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum Identities {
    /// Opened by tokens that only the functions can ask for.
    #[default]
    Developer,
    /// Opened by their ids.
    Guest,
}

impl Identities {
    /// The value of the parameter.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Developer => "developer",
            Self::Guest => "guest",
        }
    }
}

impl Options {
    /// The port of the demo page, or 0 for a free one.
    pub fn demo_port(&self) -> u16 {
        self.demo_port.unwrap_or(if self.port == 0 { 0 } else { 4567 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo_port(arguments: &[&str]) -> u16 {
        Options::parse_from([&["sbe-local"], arguments].concat()).demo_port()
    }

    #[test]
    fn a_free_port_implies_a_free_demo_port() {
        assert_eq!(demo_port(&[]), 4567);
        assert_eq!(demo_port(&["--port", "0"]), 0);
        assert_eq!(demo_port(&["--port", "0", "--demo-port", "5000"]), 5000);
    }
}
