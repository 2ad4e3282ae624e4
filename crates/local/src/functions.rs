//! Builds the function binaries for this machine.

use anyhow::{Context, Result, bail};
use std::{path::PathBuf, process::Command};

/// Builds all binaries of the workspace, showing cargo's own progress; gives their directory.
pub async fn build() -> Result<PathBuf> {
    let mut cargo = cargo();
    cargo.args(["build", "--workspace", "--bins"]);
    let status = tokio::process::Command::from(cargo)
        .status()
        .await
        .context("cargo is not there. Install Rust from https://rustup.rs.")?;
    if !status.success() {
        bail!("the functions do not build");
    }
    let exe = std::env::current_exe()?;
    Ok(exe.parent().context("this program has no directory")?.to_owned())
}

/// The cargo that started this program, or the one on the path.
///
/// Without what cargo tells the programs that it runs about their package: build scripts look at
/// it (ring's does), would see a change, and half of the workspace would be built again.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| is_about_a_package(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    cargo
}

fn is_about_a_package(variable: &str) -> bool {
    ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_"]
        .iter()
        .any(|start| variable.starts_with(start))
}
