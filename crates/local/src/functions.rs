//! Builds the function binaries for this machine.

use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use tokio::process::Command;

/// Builds all binaries of the workspace, showing cargo's own progress; gives their directory.
pub async fn build() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--workspace", "--bins"])
        .status()
        .await
        .context("cargo is not there. Install Rust from https://rustup.rs.")?;
    if !status.success() {
        bail!("the functions do not build");
    }
    let exe = std::env::current_exe()?;
    Ok(exe.parent().context("this program has no directory")?.to_owned())
}
