//! Lines about the way of messages; their forms are in [`sbe_core::stages`].
//!
//! They are written as they are, not by `tracing`, whose fields cannot be lists; but it decides by
//! `RUST_LOG` whether they are, under the target `stages`: `info,stages=debug` adds the single queues.

use sbe_core::stages::{Line, MESSAGES_PER_LINE, Stage};
use tracing::Level;
use tracing_subscriber::fmt::{
    format::Writer,
    time::{FormatTime, SystemTime as Clock},
};

/// The way of messages through one invocation.
#[derive(Debug, Clone, Copy)]
pub struct Trail<'a> {
    request_id: &'a str,
}

impl<'a> Trail<'a> {
    /// Of the invocation with this id.
    pub fn new(request_id: &'a str) -> Self {
        Self { request_id }
    }

    /// Tells of some messages of which nothing is wrong.
    pub fn info<T>(self, messages: impl IntoIterator<Item = T>, stage: impl Fn(Vec<T>) -> Stage) {
        if tracing::enabled!(target: "stages", Level::INFO) {
            self.write(Level::INFO, messages, stage);
        }
    }

    /// Tells of some messages with which a person has to do.
    pub fn warn<T>(self, messages: impl IntoIterator<Item = T>, stage: impl Fn(Vec<T>) -> Stage) {
        if tracing::enabled!(target: "stages", Level::WARN) {
            self.write(Level::WARN, messages, stage);
        }
    }

    /// Tells of some messages what is too much to tell unasked.
    pub fn debug<T>(self, messages: impl IntoIterator<Item = T>, stage: impl Fn(Vec<T>) -> Stage) {
        if tracing::enabled!(target: "stages", Level::DEBUG) {
            self.write(Level::DEBUG, messages, stage);
        }
    }

    /// Whether [`Self::debug`] writes anything.
    pub fn is_detailed() -> bool {
        tracing::enabled!(target: "stages", Level::DEBUG)
    }

    fn write<T>(self, level: Level, messages: impl IntoIterator<Item = T>, stage: impl Fn(Vec<T>) -> Stage) {
        let (mut messages, timestamp, mut text) = (messages.into_iter(), timestamp(), String::new());
        loop {
            let some: Vec<T> = messages.by_ref().take(MESSAGES_PER_LINE).collect();
            if some.is_empty() {
                break;
            }
            let (level, request_id) = (level.to_string(), self.request_id.to_owned());
            let line = Line { timestamp: timestamp.clone(), level, request_id, stage: stage(some) };
            text.push_str(&line.to_json());
            text.push('\n');
        }
        // All at once: a line never stands in the middle of another one.
        print!("{text}");
    }
}

/// The present moment as other lines have it.
fn timestamp() -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = Clock.format_time(&mut Writer::new(&mut text));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_sort_as_texts() {
        let first = timestamp();
        assert_eq!((first.len(), first.ends_with('Z')), ("2026-01-02T03:04:05.678901Z".len(), true));
        assert!(first <= timestamp());
    }
}
