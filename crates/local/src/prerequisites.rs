//! Python and the virtual environment with pinned packages.

use anyhow::{Context, Result, bail};
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

const RUN_REQUIREMENTS: &str = include_str!("../python/requirements.txt");
const TEST_REQUIREMENTS: &str = include_str!("../python/requirements-test.txt");
const OLDEST_PYTHON: (u32, u32) = (3, 10);
const HOW: &str = "Install Python 3.10 or newer with its venv module \
                   (Debian/Ubuntu: apt install python3 python3-venv; macOS: brew install python).";

/// What the virtual environment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To run the local system.
    Run,
    /// To run it and all tests.
    Test,
}

/// The interpreter of the virtual environment in `dir`, which is made or renewed if need be.
pub async fn python(dir: &Path, purpose: Purpose) -> Result<PathBuf> {
    let venv = dir.join("venv");
    let python = venv.join("bin/python");
    let _one_at_a_time = lock(&dir.join("venv.lock")).await?;
    if !is_installed(&venv, RUN_REQUIREMENTS) {
        check_system_python().await?;
        quiet(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv)).await.context(HOW)?;
        install(&python, &venv, RUN_REQUIREMENTS).await?;
    }
    if purpose == Purpose::Test && !is_installed(&venv, TEST_REQUIREMENTS) {
        install(&python, &venv, TEST_REQUIREMENTS).await?;
    }
    Ok(python)
}

/// Waits until no other run installs; the lock is freed when it is dropped, and when a process ends.
async fn lock(path: &Path) -> Result<File> {
    let file = File::create(path)?;
    Ok(tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await??)
}

/// A list that was installed is kept in the environment: it is its own stamp.
fn stamp(venv: &Path, requirements: &str) -> PathBuf {
    venv.join(if requirements == RUN_REQUIREMENTS { "requirements.txt" } else { "requirements-test.txt" })
}

fn is_installed(venv: &Path, requirements: &str) -> bool {
    std::fs::read_to_string(stamp(venv, requirements)).is_ok_and(|installed| installed == requirements)
}

async fn install(python: &Path, venv: &Path, requirements: &str) -> Result<()> {
    let wanted = venv.join("wanted.txt");
    std::fs::write(&wanted, requirements)?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&wanted);
    quiet(&mut pip).await.context("installing Python packages")?;
    Ok(std::fs::rename(&wanted, stamp(venv, requirements))?)
}

async fn check_system_python() -> Result<()> {
    let version = Command::new("python3").arg("--version").output().await;
    let text = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.with_context(|| format!("python3 is not there. {HOW}"))?;
    if parse_version(&text).is_none_or(|version| version < OLDEST_PYTHON) {
        bail!("python3 is {}. {HOW}", text.trim());
    }
    Ok(())
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix("Python ")?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Runs a command; what it printed is shown only if it fails.
pub(crate) async fn quiet(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().await?;
    if !output.status.success() {
        let text = [output.stdout, output.stderr].concat();
        bail!("{}", String::from_utf8_lossy(&text).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_version("Python 3.11.7\n"), Some((3, 11)));
        assert_eq!(parse_version("Python 3.9"), Some((3, 9)));
        assert_eq!(parse_version(""), None);
    }
}
