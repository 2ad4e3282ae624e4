//! `make run`: the whole system on one machine.

use clap::Parser;
use sbe_local::{options::Options, progress::report};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match sbe_local::run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(format_args!("\nerror: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
