//! Translates the template and creates the stack.

use crate::shell::program;
use anyhow::{Context, Result, bail};
use sbe_client::Keys;
use serde::Deserialize;
use serde_json::Value;
use std::{collections::HashMap, io::Write as _, path::Path};

const SCRIPT: &str = include_str!("../python/deploy.py");
const TEMPLATE: &str = include_str!("../../../template.yaml");
const STACK_POLICY: &str = include_str!("../../../docs/stack-policy.json");

/// What the deployment gave.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// The stack's outputs.
    pub outputs: HashMap<String, String>,
    /// The identity pool's settings.
    pub pool: Pool,
    /// Keys of an IAM user who may do everything.
    pub user: Keys,
    /// URL of the queue that shows the events of unreached messages.
    pub unreached_queue_url: String,
}

impl Deployment {
    /// An output of the stack.
    pub fn output(&self, name: &str) -> Result<String> {
        self.outputs.get(name).cloned().with_context(|| format!("the stack has no output {name}"))
    }
}

/// Settings of the deployed identity pool.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pool {
    /// Name of the browsers' role.
    pub role: String,
    /// Name of the role's policy.
    pub policy: String,
    /// The name under which developer users are asked for, if the pool has one.
    pub developer_provider: Option<String>,
    /// Whether there are guests.
    pub allows_guests: bool,
}

/// Where and what to deploy.
pub struct Target<'a> {
    /// The AWS endpoint.
    pub endpoint: &'a str,
    /// The region.
    pub region: &'a str,
    /// Name of the environment.
    pub env: &'a str,
    /// Which kind of identities the sessions have: `developer` or `guest`.
    pub identities: &'static str,
    /// The endpoint's root keys.
    pub root: &'a Keys,
    /// Where the function binaries are.
    pub binaries: &'a Path,
    /// Variables for every function.
    pub environment: Value,
}

/// Deploys the template.
pub async fn deploy(python: &Path, dir: &Path, target: &Target<'_>) -> Result<Deployment> {
    let template = dir.join("tmp/template.yaml");
    std::fs::File::create(&template)?.write_all(TEMPLATE.as_bytes())?;
    let output = program(python)
        .args(["-c", SCRIPT])
        .arg("--template")
        .arg(&template)
        .arg("--binaries")
        .arg(target.binaries)
        .args(["--env", target.env, "--endpoint", target.endpoint, "--region", target.region])
        .args(["--identities", target.identities, "--stack-policy", STACK_POLICY])
        .args(["--access-key", &target.root.access_key, "--secret-key", &target.root.secret_key])
        .args(["--environment", &target.environment.to_string()])
        .env("AWS_DEFAULT_REGION", target.region)
        .output()
        .await?;
    if !output.status.success() {
        bail!("the deployment failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("reading what the deployment gave")
}
