//! Lets an editor change a message.

use crate::{
    failure::Failure,
    parked::queue::{Held, Queue},
};
use std::{env, io::Write as _, process::Stdio};
use tempfile::NamedTempFile;
use tokio::{process::Command, time::interval};

/// A message in a file that only its owner can read.
#[derive(Debug)]
pub(super) struct Draft(NamedTempFile);

impl Draft {
    /// A draft of a message.
    pub(super) fn new(message: &[u8]) -> Result<Self, Failure> {
        let write = || {
            let mut file = tempfile::Builder::new().prefix("sbe-").suffix(".json").tempfile()?;
            file.write_all(message)?;
            file.flush()?;
            Ok(Self(file))
        };
        write().map_err(|error: std::io::Error| Failure::Usage(format!("no temporary file: {error}")))
    }

    /// What the editor of `VISUAL`, `EDITOR` or `vi` left. Meanwhile the entry stays hidden.
    pub(super) async fn edit(&self, queue: &Queue, held: &Held) -> Result<Vec<u8>, Failure> {
        let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| env::var(name).ok());
        let editor = editor.filter(|editor| !editor.is_empty()).unwrap_or_else(|| "vi".into());
        let mut command = Command::new("sh");
        // An editor may have arguments, as in `code --wait`.
        command.arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(self.0.path()).kill_on_drop(true);
        command.stdin(Stdio::inherit());
        let mut beats = interval(queue.hidden / 5);
        let mut running = std::pin::pin!(command.status());
        let status = loop {
            tokio::select! {
                status = &mut running => break status,
                _ = beats.tick() => queue.hide(held).await?,
            }
        };
        let ended_well = status.as_ref().is_ok_and(std::process::ExitStatus::success);
        if !ended_well {
            return Err(Failure::Usage(format!("the editor {editor} failed: set EDITOR to another one")));
        }
        std::fs::read(self.0.path()).map_err(|error| Failure::Usage(format!("the edited text: {error}")))
    }

    /// Leaves the file there, for what cannot be published; where it is.
    pub(super) fn keep(self) -> String {
        match self.0.keep() {
            Ok((_, path)) => format!("; your text is in {}", path.display()),
            Err(_) => String::new(),
        }
    }
}
