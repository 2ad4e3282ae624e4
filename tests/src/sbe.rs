//! The operator's command line, run as a process.

use crate::system::{binaries, stack_file};
use serde_json::{Value, json};
use std::{
    path::Path,
    process::{Output, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};

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
    command_on(stack_file(), arguments)
}

/// The binary, for the system of a stack file, with nothing on standard input.
pub fn command_on(stack_file: &Path, arguments: &[&str]) -> Command {
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

/// Runs `sbe` to its end with a text on standard input.
///
/// # Panics
/// When it does not start, or does not read.
pub async fn with_input(arguments: &[&str], input: &str) -> Run {
    let mut command = command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("sbe starts");
    let mut stdin = process.stdin.take().expect("it is piped");
    let write = async move { stdin.write_all(input.as_bytes()).await.expect("sbe reads") };
    let (output, ()) = tokio::join!(process.wait_with_output(), write);
    output.expect("sbe ends").into()
}

/// Waits until a process has a handler for SIGINT.
///
/// # Panics
/// When it never has.
pub async fn listens_for_signals(process: &Child) {
    let status = format!("/proc/{}/status", process.id().expect("it runs"));
    crate::eventually("a handler of SIGINT", || async {
        let status = std::fs::read_to_string(&status).ok()?;
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        (u64::from_str_radix(caught.trim(), 16).ok()? & 0b10 != 0).then_some(())
    })
    .await;
}

/// Sends Ctrl-C to a process and waits for its end.
///
/// # Panics
/// When it takes longer than a second, and four more for a machine that is busy.
pub async fn interrupted(process: Child) -> Run {
    let id = process.id().expect("it runs").to_string();
    let begin = Instant::now();
    assert!(Command::new("kill").args(["-INT", &id]).status().await.expect("kill runs").success());
    let output = process.wait_with_output().await.expect("it ends");
    assert!(begin.elapsed() < Duration::from_secs(5), "it took {:?}", begin.elapsed());
    output.into()
}

/// A stack file with one field changed: its path.
///
/// # Panics
/// When it cannot be written.
pub fn changed_stack(field: &str, value: &str) -> String {
    let mut stack: Value = serde_json::from_str(
        &std::fs::read_to_string(stack_file()).expect("the directory of the stack file is writable"),
    )
    .expect("the directory of the stack file is writable");
    stack[field] = json!(value);
    let file = stack_file().with_file_name(format!("stack-{}.json", crate::unique()));
    std::fs::write(&file, stack.to_string()).expect("the directory of the stack file is writable");
    file.to_str().expect("the directory of the stack file is writable").to_owned()
}
