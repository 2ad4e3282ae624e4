//! `sbe`: the operator's command line.

use clap::Parser as _;
use sbe_cli::options::Options;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    sbe_cli::run(Options::parse()).await
}
