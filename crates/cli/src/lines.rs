//! Lines of a file or of standard input, one at a time, however many there are.

use std::io::{self, BufRead, BufReader, Read};
use tokio::sync::mpsc;

/// Lines that are read ahead, at most.
const AHEAD: usize = 64;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// What is in it, without its end; `None` if it is longer than the limit.
    pub bytes: Option<Vec<u8>>,
    /// How many bytes of the input end with it.
    pub end: u64,
}

/// Reads lines with a thread of its own, so that a wait for somebody who types can be dropped.
#[derive(Debug)]
pub struct Lines(mpsc::Receiver<io::Result<Line>>);

impl Lines {
    /// The lines of a reader. Of a line that is longer than `limit` bytes nothing is kept.
    pub fn of(reader: impl Read + Send + 'static, limit: usize) -> Self {
        let (sender, receiver) = mpsc::channel(AHEAD);
        std::thread::spawn(move || {
            let mut source =
                Source { reader: BufReader::with_capacity(1 << 16, reader), limit, number: 0, end: 0 };
            while let Some(line) = source.next().transpose() {
                let is_last = line.is_err();
                // Nobody wants the rest.
                if sender.blocking_send(line).is_err() || is_last {
                    return;
                }
            }
        });
        Self(receiver)
    }

    /// The next line; `None` at the end of the input.
    pub async fn next(&mut self) -> io::Result<Option<Line>> {
        self.0.recv().await.transpose()
    }
}

struct Source<R> {
    reader: BufReader<R>,
    limit: usize,
    number: u64,
    end: u64,
}

impl<R: Read> Source<R> {
    fn next(&mut self) -> io::Result<Option<Line>> {
        let (mut bytes, mut length, mut has_ended) = (Vec::new(), 0, false);
        while !has_ended {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let newline = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..newline.unwrap_or(buffer.len())];
            length += part.len();
            if length <= self.limit {
                bytes.extend_from_slice(part);
            }
            has_ended = newline.is_some();
            let used = part.len() + usize::from(has_ended);
            self.reader.consume(used);
            self.end += used as u64;
        }
        if length == 0 && !has_ended {
            return Ok(None);
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        self.number += 1;
        Ok(Some(Line { number: self.number, bytes: (length <= self.limit).then_some(bytes), end: self.end }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(text: &'static str, limit: usize) -> Vec<(u64, Option<String>, u64)> {
        let (mut lines, mut all) = (Lines::of(text.as_bytes(), limit), Vec::new());
        while let Some(line) = lines.next().await.unwrap() {
            let text = line.bytes.map(|bytes| String::from_utf8(bytes).unwrap());
            all.push((line.number, text, line.end));
        }
        all
    }

    #[tokio::test]
    async fn lines_have_numbers_and_the_last_needs_no_end() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(lines("a\r\n\nb", 9).await, [(1, text("a"), 3), (2, text(""), 4), (3, text("b"), 5)]);
        assert_eq!(lines("", 9).await, []);
        assert_eq!(lines("a\n", 9).await, [(1, text("a"), 2)]);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_passed_over() {
        assert_eq!(lines("abcd\nb\n", 3).await, [(1, None, 5), (2, Some("b".to_owned()), 7)]);
    }

    #[tokio::test]
    async fn an_endless_line_takes_no_memory() {
        let mut lines = Lines::of(std::io::repeat(b'x').take(50_000_000), 10);
        assert_eq!(lines.next().await.unwrap(), Some(Line { number: 1, bytes: None, end: 50_000_000 }));
        assert_eq!(lines.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_error_ends_the_lines() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let mut lines = Lines::of("a\n".as_bytes().chain(Broken), 10);
        assert!(lines.next().await.unwrap().is_some());
        assert!(lines.next().await.is_err());
        assert_eq!(lines.next().await.unwrap(), None);
    }
}
