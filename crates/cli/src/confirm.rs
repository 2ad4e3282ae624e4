//! Asks before much is changed or deleted.

use crate::{failure::Failure, interrupt::Interrupt, output::report};
use std::{io, thread};
use tokio::sync::oneshot;

/// Goes on where `yes` was given on the command line, or a line on standard input is `expected`.
///
/// # Errors
/// For any other answer, also where nobody can answer: nothing was changed.
pub async fn confirm(
    question: &str,
    expected: &str,
    yes: bool,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    report(format_args!("{question} Type {expected} to go on:"));
    let answer = interrupt.or(async { Ok(answer().await) }, || "nothing was changed".into()).await?;
    if answer.is_some_and(|answer| answer.trim() == expected) {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "nothing was changed: the answer is not {expected} (--yes goes on without asking)"
    )))
}

/// A line of standard input. A thread reads it for which the program does not wait at its end, as it would
/// for one of tokio's.
async fn answer() -> Option<String> {
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        let mut line = String::new();
        if matches!(io::stdin().read_line(&mut line), Ok(1..)) {
            // After Ctrl-C nobody waits for it.
            let _ = sender.send(line);
        }
    });
    receiver.await.ok()
}
