//! Systems of their own, for tests that take everything from a queue, or remove everything.

use aws_sdk_sqs::types::QueueAttributeName;
use sbe_client::{Stack, System};
use sbe_tests::{
    eventually,
    sbe::{Run, command_for},
    system::{launch, root},
};
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, Stdio},
    time::{Duration, Instant},
};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// A system that ends with the tests.
pub(crate) struct Own {
    pub(crate) system: System,
    file: PathBuf,
    _process: Child,
}

impl Own {
    /// Starts a system with this environment.
    pub(crate) fn start(env: &str) -> Self {
        let dir = root().join(format!("target/{env}-{}", std::process::id()));
        let mut process = launch(env, &dir, Stdio::piped(), Stdio::inherit());
        let mut output = BufReader::new(process.stdout.take().expect("standard output is piped"));
        output.read_line(&mut String::new()).expect("sbe-local prints");
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        let file = dir.join("stack.json");
        let stack = Stack::read(&file).expect("the system came up");
        Self { system: System::from_stack(&stack), file, _process: process }
    }

    /// `sbe` for this system.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        command_for(&self.file, arguments)
    }

    /// Runs `sbe` to its end.
    pub(crate) async fn sbe(&self, arguments: &[&str]) -> Run {
        self.command(arguments).output().await.expect("sbe starts").into()
    }

    /// Runs `sbe` to its end with this on standard input.
    pub(crate) async fn sbe_with(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("sbe starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(input.as_bytes()).await.expect("sbe reads");
        drop(stdin);
        child.wait_with_output().await.expect("sbe ends").into()
    }

    /// Runs `sbe` until `is_time`, then Ctrl-C; it ends within a second, though not the slowest of machines'.
    pub(crate) async fn interrupted<F>(&self, arguments: &[&str], is_time: impl FnMut() -> F) -> Run
    where
        F: Future<Output = Option<()>>,
    {
        let mut command = self.command(arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sbe starts");
        eventually("the middle", is_time).await;
        let pid = child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().await.expect("kill runs");
        assert!(sent.success());
        let start = Instant::now();
        let run = child.wait_with_output().await.expect("sbe ends");
        let took = start.elapsed();
        let _ = writeln!(std::io::stderr(), "it ended {took:?} after Ctrl-C");
        assert!(took < Duration::from_secs(4), "{took:?}");
        run.into()
    }

    /// A success of the HTTP API.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Value {
        self.system.api().call("POST", path, body).await.expect("a success")
    }

    /// The texts of the messages of a user's history.
    pub(crate) async fn history(&self, user: i64) -> String {
        let path = format!("/messages/user/{user}?limit=1000");
        self.system.api().send("GET", &path, String::new()).await.expect("a reply").text
    }

    /// How many messages a queue has that nobody holds.
    pub(crate) async fn waiting(&self, url: &str) -> usize {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let get = self.system.sqs().get_queue_attributes().queue_url(url).attribute_names(name.clone());
        let attributes = get.send().await.expect("the queue is there").attributes.expect("attributes");
        attributes[&name].parse().expect("a number")
    }
}
