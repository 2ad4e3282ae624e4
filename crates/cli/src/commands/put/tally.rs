//! What became of the lines, and where to carry on.

use crate::failure::Failure;
use sbe_client::stream::Batch;
use serde_json::{Value, json};

/// What became of the lines.
#[derive(Debug)]
pub(super) struct Tally {
    /// The first line that was wanted.
    pub(super) from_line: u64,
    /// Lines that are no messages.
    pub(super) refused: u64,
    accepted: u64,
    put_again: u64,
    /// The prefix of ids, if messages were given ids.
    id_prefix: Option<String>,
    /// The line behind the last one that was put.
    next_line: u64,
    /// The first line that the stream is not known to have taken.
    first_left: Option<u64>,
}

impl Tally {
    pub(super) fn new(from_line: u64, id_prefix: Option<String>) -> Self {
        Self {
            from_line,
            refused: 0,
            accepted: 0,
            put_again: 0,
            id_prefix,
            next_line: from_line,
            first_left: None,
        }
    }

    /// Takes note of a batch that was put; `lines` are the numbers of its records' lines.
    pub(super) fn put(&mut self, lines: &[u64], batch: &Batch) {
        let left = batch.waiting();
        self.accepted += (lines.len() - left.len()) as u64;
        self.put_again += batch.repeated();
        self.next_line = lines.last().map_or(self.next_line, |last| last + 1);
        self.first_left = self.first_left.or(left.first().map(|index| lines[*index]));
    }

    /// In one line.
    pub(super) fn text(&self) -> String {
        let again =
            if self.put_again == 0 { String::new() } else { format!(", {} put again", self.put_again) };
        format!("{} accepted, {} refused{again}", self.accepted, self.refused)
    }

    /// For programs.
    pub(super) fn json(&self, is_complete: bool) -> Value {
        json!({
            "accepted": self.accepted,
            "refused": self.refused,
            "put_again": self.put_again,
            "complete": is_complete,
            "next_line": if is_complete { Value::Null } else { json!(self.rest_from()) },
            "id_prefix": self.id_prefix,
        })
    }

    fn rest_from(&self) -> u64 {
        self.first_left.unwrap_or(self.next_line)
    }

    /// How to put the rest.
    pub(super) fn carry_on(&self) -> String {
        let line = self.rest_from();
        match &self.id_prefix {
            Some(prefix) => format!(
                "carry on with --from-line {line} --id-prefix {prefix}; what the stream has taken meanwhile stays one message"
            ),
            None => format!("carry on with --from-line {line}; some lines behind it may have been taken"),
        }
    }

    /// The failure of a run in which lines were refused.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        match self.refused {
            0 => Ok(()),
            1 => Err(Failure::Found("a line is refused".to_owned())),
            refused => Err(Failure::Found(format!("{refused} lines are refused"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_carried_on_with_the_first_line_that_is_not_known_to_be_taken() {
        let mut tally = Tally::new(5, Some("x".into()));
        assert_eq!(tally.rest_from(), 5);
        tally.put(&[5, 7], &Batch::default());
        assert_eq!((tally.rest_from(), tally.accepted), (8, 2));
        let mut left = Batch::default();
        left.push("key", "a");
        left.push("key", "b");
        tally.put(&[9, 12], &left);
        assert_eq!((tally.rest_from(), tally.accepted), (9, 2));
        assert!(tally.carry_on().contains("--from-line 9 --id-prefix x"));
        assert_eq!(tally.json(false)["next_line"], 9);
    }
}
