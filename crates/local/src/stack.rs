//! `.local/stack.json`, by which other programs reach the system.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// An access key pair.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Keys {
    /// Access key id.
    pub access_key: String,
    /// Secret of the access key.
    pub secret_key: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// How to reach a running system.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// The AWS endpoint for every service.
    pub endpoint: String,
    /// The region to sign for.
    pub region: String,
    /// Base URL of the HTTP API.
    pub api_url: String,
    /// Name of the environment.
    pub env: String,
    /// Keys of a backend and operator, who may do everything.
    #[serde(flatten)]
    pub keys: Keys,
    /// Name of the Kinesis stream.
    pub stream: String,
    /// Name of the table of sessions.
    pub session_table: String,
    /// Name of the table of histories.
    pub history_table: String,
    /// URL of the queue of rejected messages.
    pub rejected_queue_url: String,
    /// URL of the queue of work that was given up.
    pub failed_queue_url: String,
    /// URL of the queue that shows the events of unreached messages.
    pub unreached_queue_url: String,
    /// URL of the demo page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demo_url: Option<String>,
    /// The process to end (by SIGINT or SIGTERM) to stop the system.
    pub pid: u32,
}

impl Stack {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self> {
        Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
    }
}

/// The file of a running system; dropping it removes the file.
pub struct StackFile(PathBuf);

impl StackFile {
    /// Writes the file all at once, so that nobody reads half of it.
    pub fn write(dir: &Path, stack: &Stack) -> Result<Self> {
        let path = dir.join("stack.json");
        let partial = dir.join("stack.json.partial");
        std::fs::write(&partial, serde_json::to_string_pretty(stack)? + "\n")?;
        std::fs::rename(&partial, &path)?;
        Ok(Self(path))
    }
}

impl Drop for StackFile {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_file(&self.0);
    }
}
