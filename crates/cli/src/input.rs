//! Where messages come from: an argument, a file, or standard input.

use crate::{failure::Failure, interrupt::Interrupt};
use clap::Args;
use std::{
    fs::File,
    io::{self, Cursor, Read},
    path::PathBuf,
};

/// A message on the command line, or where to read it.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct Input {
    /// The text itself, or - for standard input.
    #[arg(value_name = "MESSAGE")]
    text: Option<String>,

    /// Read it from a file; - is standard input.
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Input {
    /// What it is called in errors.
    pub fn name(&self) -> String {
        match (&self.text, &self.file) {
            _ if self.is_standard_input() => "standard input".to_owned(),
            (_, Some(file)) => file.display().to_string(),
            _ => "the message".to_owned(),
        }
    }

    fn is_standard_input(&self) -> bool {
        self.text.as_deref() == Some("-") || self.file.as_ref().is_some_and(|file| file.as_os_str() == "-")
    }

    /// Its size in bytes, where that is known.
    pub fn size(&self) -> Option<u64> {
        match (&self.text, &self.file) {
            _ if self.is_standard_input() => None,
            (_, Some(file)) => {
                std::fs::metadata(file).ok().filter(std::fs::Metadata::is_file).map(|data| data.len())
            }
            (text, _) => text.as_ref().map(|text| text.len() as u64),
        }
    }

    /// Opens it.
    pub fn open(&self) -> Result<Box<dyn Read + Send>, Failure> {
        match (&self.text, &self.file) {
            _ if self.is_standard_input() => Ok(Box::new(io::stdin())),
            (_, Some(file)) => Ok(Box::new(File::open(file).map_err(|error| self.unreadable(&error))?)),
            (text, _) => Ok(Box::new(Cursor::new(text.clone().unwrap_or_default()))),
        }
    }

    /// All of it, which must be text of up to `limit` bytes. It is read by a thread of its own, so that
    /// Ctrl-C ends a wait for somebody who types.
    pub async fn read(&self, limit: u64, interrupt: &Interrupt) -> Result<String, Failure> {
        let mut reader = self.open()?.take(limit + 1);
        let (sender, text) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut text = String::new();
            let read = reader.read_to_string(&mut text);
            // Nobody waits for it any more after Ctrl-C.
            let _ = sender.send(read.map(|_| text));
        });
        let text = async {
            text.await
                .unwrap_or_else(|error| Err(io::Error::other(error)))
                .map_err(|error| self.unreadable(&error))
        };
        let text = interrupt.or(text, || "nothing is done".to_owned()).await?;
        if text.len() as u64 > limit {
            return Err(Failure::Usage(format!("{} is longer than {limit} bytes", self.name())));
        }
        Ok(text)
    }

    /// The failure of reading it.
    pub fn unreadable(&self, error: &io::Error) -> Failure {
        Failure::Usage(format!("{} cannot be read: {error}", self.name()))
    }
}
