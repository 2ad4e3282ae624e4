//! The operator's command line, run as a process.

use crate::system::{binaries, stack_file};
use serde_json::Value;
use std::{
    path::Path,
    process::{Output, Stdio},
};
use tokio::process::Command;

/// What a run of `sbe` left.
#[derive(Debug)]
pub struct Run {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// What a run that succeeded printed.
    ///
    /// # Panics
    /// When it failed.
    pub fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// What a run that failed with this exit code told on standard error.
    ///
    /// # Panics
    /// When it ended otherwise.
    pub fn failure(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self.stderr
    }

    /// The JSON document that a run printed, however it ended.
    ///
    /// # Panics
    /// When it printed none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("sbe prints UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// The binary, for the running system, with nothing on standard input.
pub fn command(arguments: &[&str]) -> Command {
    command_for(stack_file(), arguments)
}

/// The binary, for the system of a stack file, with nothing on standard input.
pub fn command_for(stack_file: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binaries().join("sbe"));
    command.args(arguments).env("SBE_STACK", stack_file).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs `sbe` to its end on the running system.
///
/// # Panics
/// When it does not start.
pub async fn sbe(arguments: &[&str]) -> Run {
    command(arguments).output().await.expect("sbe starts").into()
}
