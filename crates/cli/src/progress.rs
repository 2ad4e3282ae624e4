//! How far a long command is: a bar on a terminal, now and then a line elsewhere.

use crate::output::report;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    fmt::Arguments,
    io::{IsTerminal as _, stderr},
    sync::Mutex,
    time::{Duration, Instant},
};

/// Without a terminal there is a line so often.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// The progress of one piece of work, on standard error. It ends when it is dropped.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    total: u64,
    bar: ProgressBar,
    /// When the last line was written, where there is no terminal.
    lines: Option<Mutex<Instant>>,
}

impl Progress {
    /// Nothing of `total` is done. `what` names the work, such as `creating sessions`.
    pub fn new(what: &'static str, total: u64) -> Self {
        let terminal = stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style =
            ProgressStyle::with_template("{prefix} {bar:30} {human_pos}/{human_len} {msg} [{elapsed}]");
        let bar = ProgressBar::with_draw_target(Some(total), target).with_prefix(what);
        bar.set_style(style.expect("the template is one of indicatif's"));
        Self { what, total, bar, lines: (!terminal).then(|| Mutex::new(Instant::now())) }
    }

    /// Nothing is done of work whose end is not known: only notes are shown.
    pub fn of_unknown(what: &'static str) -> Self {
        let progress = Self::new(what, 0);
        let style = ProgressStyle::with_template("{prefix} {msg} [{elapsed}]");
        progress.bar.set_style(style.expect("the template is one of indicatif's"));
        progress
    }

    /// A line for people, above the bar.
    pub fn tell(&self, line: Arguments<'_>) {
        self.bar.suspend(|| report(line));
    }

    /// So much is done; `note` says more.
    pub fn set(&self, done: u64, note: &str) {
        self.bar.set_position(done);
        if self.bar.message() != note {
            self.bar.set_message(note.to_owned());
        }
        let Some(last) = &self.lines else { return };
        let mut last = last.lock().expect("nobody panics with it");
        if last.elapsed() >= BETWEEN_LINES {
            *last = Instant::now();
            match self.total {
                0 => report(format_args!("{}: {note}", self.what)),
                total => report(format_args!("{}: {done} of {total} {note}", self.what)),
            }
        }
    }

    /// One more is done.
    pub fn advance(&self) {
        self.set(self.bar.position() + 1, &self.bar.message());
    }

    /// How much is done.
    pub fn done(&self) -> u64 {
        self.bar.position()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
