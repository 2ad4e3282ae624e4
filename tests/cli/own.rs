//! Systems of their own, for tests that take everything from a queue, or remove everything.

use aws_sdk_sqs::types::QueueAttributeName;
use sbe_client::System;
use sbe_tests::{
    eventually,
    sbe::{Run, command_on, interrupted},
    system::{Running, start},
};
use serde_json::Value;
use std::process::Stdio;
use tokio::{io::AsyncWriteExt as _, process::Command};

/// A system that ends with the tests.
pub(crate) struct Own {
    pub(crate) system: System,
    running: Running,
}

impl Own {
    /// Starts a system with this environment.
    pub(crate) fn start(env: &str) -> Self {
        let running = start(env, "developer");
        Self { system: System::from_stack(&running.stack), running }
    }

    /// `sbe` for this system.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        command_on(&self.running.file, arguments)
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

    /// Runs `sbe` until `is_time`, then Ctrl-C.
    pub(crate) async fn interrupted<F>(&self, arguments: &[&str], is_time: impl FnMut() -> F) -> Run
    where
        F: Future<Output = Option<()>>,
    {
        let mut command = self.command(arguments);
        let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sbe starts");
        eventually("the middle", is_time).await;
        interrupted(process).await
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
