//! `sbe`: the operator's command line, for local and deployed systems alike.
//!
//! Results go to standard output, everything else to standard error; a failure is one line that says
//! what to do, and an exit code that says of what kind it is.
//!
//! # Layout
//!
//! - [`options`]: the command line
//! - [`locate`]: finds the system
//! - [`context`]: what every command is given
//! - [`failure`]: failures and their exit codes
//! - [`output`]: text for people, JSON for programs
//! - [`interrupt`]: SIGINT (Ctrl-C) and SIGTERM
//! - [`confirm`]: asks before much is changed or deleted
//! - [`progress`]: how far a long command is
//! - [`times`], [`table`]: times and tables for people
//! - [`patience`]: calls that are tried again
//! - [`session_rows`], [`session_queues`]: the sessions and queues of an environment
//! - [`parked`]: the failed and the rejected queue
//! - [`calls`]: calls of the HTTP API: throttled ones are tried again
//! - [`pages`]: lists of the API, page by page
//! - [`sessions`]: sessions in replies, without their secrets
//! - [`ids`]: ids on the command line and in paths
//! - [`input`], [`lines`]: where messages come from
//! - [`published`]: messages before they are published
//! - [`commands`]: a module for each command

pub mod calls;
pub mod commands;
pub mod confirm;
pub mod context;
pub mod failure;
pub mod ids;
pub mod input;
pub mod interrupt;
pub mod lines;
pub mod locate;
pub mod options;
pub mod output;
pub mod pages;
pub mod parked;
pub mod patience;
pub mod progress;
pub mod published;
pub mod session_queues;
pub mod session_rows;
pub mod sessions;
pub mod table;
pub mod times;

use options::Options;
use std::process::ExitCode;

/// Runs a command to its end; its failure is told on standard error.
pub async fn run(options: Options) -> ExitCode {
    match commands::run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::report(format_args!("error: {}", sbe_client::causes(&failure)));
            failure.exit_code().into()
        }
    }
}
