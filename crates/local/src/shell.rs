//! Programs without what the shell says of AWS: it is about another one than the one on this machine.

use std::path::Path;
use tokio::process::Command;

/// A program without the shell's variables `AWS_…`, such as `AWS_ENDPOINT_URL` and `AWS_PROFILE`.
pub fn program(path: &Path) -> Command {
    let mut command = Command::new(path);
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command
}
