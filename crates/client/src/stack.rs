//! `stack.json`, by which a local system is reached.

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use serde::{Deserialize, Serialize};
use std::{fmt, io, path::Path};

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

impl From<&Keys> for SharedCredentialsProvider {
    fn from(keys: &Keys) -> Self {
        Self::new(Credentials::new(&keys.access_key, &keys.secret_key, None, None, "stack.json"))
    }
}

/// How to reach a running system.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// The AWS endpoint for every service.
    pub endpoint: String,
    /// The endpoint for cognito-identity, where it is another.
    pub cognito_identity_endpoint: String,
    /// The region to sign for.
    pub region: String,
    /// Base URL of the HTTP API.
    pub api_url: String,
    /// Name of the environment.
    pub env: String,
    /// The release that is deployed.
    pub release: String,
    /// Keys of a backend and operator, who may do everything.
    #[serde(flatten)]
    pub keys: Keys,
    /// Name of the Kinesis stream.
    pub stream: String,
    /// Name of the table of sessions.
    pub session_table: String,
    /// Name of the table of histories.
    pub history_table: String,
    /// Id of the identity pool of the sessions.
    pub identity_pool_id: String,
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

/// Why a `stack.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// There is none, or it cannot be read.
    #[error("it cannot be read")]
    Unreadable(#[from] io::Error),
    /// It is of another form.
    #[error("it is not the stack file of this release")]
    Malformed(#[from] serde_json::Error),
}

impl Stack {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, StackError> {
        Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
    }
}
