//! Says what is going on: a spinner on a terminal, plain lines elsewhere.
//!
//! Whoever reads may stop reading (`make run | head`): what nobody can read is not said, and the
//! system goes on. `println!` would end it.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    fmt::Display,
    io::{IsTerminal, Write, stderr, stdout},
    time::{Duration, Instant},
};

/// Prints a line to standard output, for the person or program that started this.
pub fn print(text: impl Display) {
    let _ = writeln!(stdout(), "{text}");
}

/// Prints a line to standard error: progress, and what went wrong.
pub fn report(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}

/// Runs one step, showing its name while it runs and its time when it is done.
pub async fn step<T>(name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let start = Instant::now();
    let spinner = std::io::stderr().is_terminal().then(|| spinner(name));
    if spinner.is_none() {
        report(format_args!("  … {name}"));
    }
    let result = work.await;
    if let Some(spinner) = spinner {
        spinner.finish_and_clear();
    }
    if result.is_ok() {
        report(format_args!("  ✓ {name} ({:.1} s)", start.elapsed().as_secs_f64()));
    }
    result
}

fn spinner(name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("  {spinner} {msg} {elapsed}").expect("the template is valid");
    let spinner = ProgressBar::new_spinner().with_style(style).with_message(name.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}
