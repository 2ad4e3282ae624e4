//! Text for people, JSON for programs.

use crate::failure::Failure;
use serde_json::Value;
use std::{
    fmt::{Arguments, Display},
    io::{self, Write as _},
    process,
};

/// How results are printed.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// JSON for programs.
    pub json: bool,
}

impl Output {
    /// Prints a result: as JSON, or as the text that `text` makes of it.
    pub fn result(self, value: &Value, text: impl FnOnce(&Value) -> String) {
        if self.json {
            print(value);
        } else {
            print(text(value));
        }
    }

    /// Prints a reply of the API: as it is, so that every number keeps its digits, or as the text that
    /// `text` makes of it.
    pub fn reply(
        self,
        json: &str,
        text: impl FnOnce(&str) -> serde_json::Result<String>,
    ) -> Result<(), Failure> {
        print(if self.json { one_line(json) } else { text(json).map_err(|error| unexpected(&error))? });
        Ok(())
    }
}

/// JSON on one line: in JSON, line breaks are only between values.
pub fn one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

/// A line on standard output. A reader that has gone, as in `sbe … | head`, ends the program quietly.
pub fn print(line: impl Display) {
    if writeln!(io::stdout().lock(), "{line}").is_err() {
        process::exit(0);
    }
}

/// The failure of a reply that is not as the API's are.
pub fn unexpected(error: &serde_json::Error) -> Failure {
    Failure::Unavailable(format!("the API's reply is not as this release knows it: {error}"))
}

/// Text with its own line ends on standard output.
pub fn print_bytes(text: &[u8]) {
    if io::stdout().lock().write_all(text).is_err() {
        process::exit(0);
    }
}

/// A line on standard error, for people; nobody has to read it.
pub fn report(line: Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
