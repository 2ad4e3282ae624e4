//! Text for people, JSON for programs.

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
}

/// A line on standard output. A reader that has gone, as in `sbe … | head`, ends the program quietly.
pub fn print(line: impl Display) {
    if writeln!(io::stdout().lock(), "{line}").is_err() {
        process::exit(0);
    }
}

/// A line on standard error, for people; nobody has to read it.
pub fn report(line: Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
