//! Builds the browser client, when its sources are newer than what was built.

use crate::prerequisites::quiet;
use anyhow::{Context, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};
use tokio::process::Command;

const WEB: &str = "web";
const SOURCES: [&str; 4] =
    ["client/src", "client/package.json", "client/rolldown.config.js", "package-lock.json"];
const HOW: &str = "The demo page needs it: install Node.js 20 or newer from https://nodejs.org, \
                   or go without the page: --no-demo.";

/// The directory of the page.
pub fn page() -> PathBuf {
    Path::new(WEB).join("demo")
}

/// The directory of the built client.
pub fn client() -> PathBuf {
    Path::new(WEB).join("client/dist")
}

/// Installs packages and builds, each if need be.
pub async fn build() -> Result<()> {
    let web = Path::new(WEB);
    if !page().join("index.html").exists() {
        bail!("{} is not here: start this in the repository, or with --no-demo", page().display());
    }
    let sources = SOURCES.iter().filter_map(|source| newest(&web.join(source))).max();
    if newest(&client().join("index.js")) > sources {
        return Ok(());
    }
    check_node().await?;
    // npm keeps this file about what it has installed.
    if newest(&web.join("node_modules/.package-lock.json")) < newest(&web.join("package-lock.json")) {
        // Without those of the tests, which are larger than all others together.
        npm(&["ci", "--workspace", "client"])
            .await
            .context("installing the packages of the browser client")?;
    }
    npm(&["run", "build", "--workspace", "client"]).await.context("building the browser client")
}

async fn check_node() -> Result<()> {
    let output = Command::new("node").arg("--version").output().await;
    let output = output.with_context(|| format!("node is not there. {HOW}"))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if major(&version).is_none_or(|major| major < 20) {
        bail!("node is {version}. {HOW}");
    }
    Ok(())
}

fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

async fn npm(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("npm");
    quiet(command.args(arguments).current_dir(WEB))
        .await
        .with_context(|| format!("npm {}", arguments.join(" ")))
}

/// When the newest file at or below `path` was changed; `None` if there is none.
fn newest(path: &Path) -> Option<SystemTime> {
    if path.is_dir() {
        let entries = fs::read_dir(path).ok()?.flatten();
        return entries.filter_map(|entry| newest(&entry.path())).max();
    }
    fs::metadata(path).ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(major("v20.11.1"), Some(20));
        assert_eq!(major("20"), None);
    }
}
