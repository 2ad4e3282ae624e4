//! Releases of the functions.

use aws_sdk_lambda::{primitives::Blob, types::InvocationType};
use sbe_tests::{
    backend::{lambda, sqs, system},
    system::{binaries, root, stack, stack_file},
};
use serde_json::Value;
use std::{collections::BTreeSet, path::PathBuf};
use tokio::process::Command;

/// The functions, callers before those whom they call.
pub(crate) const FUNCTIONS: [&str; 6] = [
    "messages-api",
    "session-manager",
    "event-dispatcher",
    "sqs-sender",
    "user-history-adder",
    "session-update-processor",
];

/// A release of the functions.
pub(crate) struct Release {
    name: &'static str,
    binaries: PathBuf,
}

impl Release {
    /// What is tested.
    pub(crate) fn this() -> Self {
        Self { name: "this", binaries: binaries() }
    }

    /// The one before it.
    pub(crate) fn previous() -> Self {
        let named = std::env::var_os("SBE_PREVIOUS").map(PathBuf::from);
        Self { name: "previous", binaries: named.unwrap_or_else(binaries) }
    }

    /// Makes these functions run it; the version that the last of them has then.
    pub(crate) async fn roll_out(&self, functions: &[&str]) -> String {
        let output = Command::new(root().join(".local/venv/bin/python"))
            .arg(root().join("tests/upgrade/release.py"))
            .args([stack_file(), &self.binaries])
            .arg(self.name)
            .args(functions)
            .output();
        let output = output.await.expect("python runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let versions = String::from_utf8(output.stdout).expect("versions are UTF-8");
        versions.lines().next_back().expect("each function has a version").to_owned()
    }
}

fn name(function: &str) -> String {
    format!("{}-sqs-browser-{function}", stack().env)
}

/// Hands a payload to a function, as other functions do.
pub(crate) async fn invoke(function: &str, payload: &Value) {
    let invoke = lambda().invoke().function_name(format!("{}:live", name(function)));
    let invoke = invoke.invocation_type(InvocationType::Event).payload(Blob::new(payload.to_string()));
    invoke.send().await.expect("the operator may invoke");
}

/// The versions of a function that have written logs.
pub(crate) async fn versions_that_ran(function: &str) -> BTreeSet<String> {
    let group = format!("/aws/lambda/{}", name(function));
    let mut pages =
        system().logs().describe_log_streams().log_group_name(group).into_paginator().items().send();
    let mut streams = Vec::new();
    while let Some(stream) = pages.next().await {
        streams.push(stream.expect("the operator may see logs"));
    }
    let version = |stream: &str| Some(stream.split_once('[')?.1.split_once(']')?.0.to_owned());
    streams.iter().filter_map(|stream| version(stream.log_stream_name()?)).collect()
}

/// Whether the failed queue has this payload, whole, for this function.
pub(crate) async fn is_parked(function: &str, payload: &Value) -> bool {
    let receive = sqs().receive_message().queue_url(&stack().failed_queue_url);
    let receive = receive.max_number_of_messages(10).visibility_timeout(1).wait_time_seconds(1);
    let messages = receive.send().await.expect("the queue answers").messages.unwrap_or_default();
    let mut entries =
        messages.iter().filter_map(|message| serde_json::from_str::<Value>(message.body()?).ok());
    let is_it = |entry: Value| {
        let of = entry["requestContext"]["functionArn"].as_str().unwrap_or_default();
        of.contains(&name(function)) && entry["requestPayload"] == *payload
    };
    entries.any(is_it)
}
