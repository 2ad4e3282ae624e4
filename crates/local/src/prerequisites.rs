//! Python and the virtual environment with pinned packages.

use anyhow::{Context, Result, bail};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

const REQUIREMENTS: &str = include_str!("../python/requirements.txt");
const OLDEST_PYTHON: (u32, u32) = (3, 10);
const HOW: &str = "Install Python 3.10 or newer with its venv module \
                   (Debian/Ubuntu: apt install python3 python3-venv; macOS: brew install python).";

/// The interpreter of the virtual environment in `dir`, which is made or renewed if need be.
pub async fn python(dir: &Path) -> Result<PathBuf> {
    let venv = dir.join("venv");
    let python = venv.join("bin/python");
    let stamp = venv.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) {
        return Ok(python);
    }
    check_system_python().await?;
    quiet(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv)).await.context(HOW)?;
    let wanted = dir.join("requirements.txt");
    std::fs::write(&wanted, REQUIREMENTS)?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&wanted);
    quiet(&mut pip).await.context("installing the Python packages of the local system")?;
    std::fs::rename(&wanted, &stamp)?;
    Ok(python)
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
