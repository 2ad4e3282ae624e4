//! `.local/stack.json`, by which other programs reach the system.

use anyhow::Result;
use sbe_client::Stack;
use std::path::{Path, PathBuf};

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
