//! The name of a run, and the ids that it turns numbers into.

use super::{
    plan::Message,
    population::{Keys, Member},
};
use crate::failure::Failure;
use serde_json::{Map, Value, json};
use std::fmt;

/// A run: a random word, and how many accounts it has, so that it can be cleaned up by its name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    word: String,
    accounts: u32,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.word, self.accounts)
    }
}

impl Run {
    /// A run that nobody else has.
    pub fn new(accounts: u32) -> Self {
        let word = std::iter::repeat_with(fastrand::lowercase).take(10).collect();
        Self { word, accounts }
    }

    /// The run of a name such as `qwertyuiop-4`.
    pub fn parse(name: &str) -> Result<Self, Failure> {
        let run = name.split_once('-').and_then(|(word, accounts)| {
            let is_word = word.len() == 10 && word.bytes().all(|byte| byte.is_ascii_lowercase());
            Some(Self { word: word.into(), accounts: accounts.parse().ok().filter(|_| is_word)? })
        });
        run.ok_or_else(|| Failure::Usage(format!("{name} is not the name of a run, such as qwertyuiop-4")))
    }

    /// The ids of all accounts.
    pub fn accounts(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.accounts).map(|account| self.account(account))
    }

    /// The id of an account.
    pub fn account(&self, account: u32) -> String {
        format!("load-{self}-a{account}")
    }

    /// The id of a user.
    pub fn user(&self, user: u32) -> String {
        format!("load-{self}-u{user}")
    }

    /// The id of a session in its account.
    pub fn session(&self, name: u32) -> String {
        format!("load-{self}-s{name}")
    }

    /// A session, for people.
    pub fn member(&self, member: Member) -> String {
        format!("{} of {}", self.session(member.name), self.account(member.account))
    }

    /// Whom a message is for, for people.
    pub fn whom(&self, keys: Keys) -> String {
        let account = keys.account.map(|account| format!("account {}", self.account(account)));
        let user = keys.user.map(|user| format!("user {}", self.user(user)));
        let session = keys.name.map(|name| format!("session {}", self.session(name)));
        let all: Vec<String> = [account, user, session].into_iter().flatten().collect();
        if all.is_empty() { "everyone".into() } else { all.join(", ") }
    }

    /// The `messageId` of a message.
    pub fn message_id(&self, n: usize) -> String {
        format!("{self}-{n}")
    }

    /// The number of the message with a `messageId`, if it is one of this run.
    pub fn number(&self, message_id: &str) -> Option<usize> {
        message_id.strip_prefix(&format!("{self}-"))?.parse().ok()
    }

    /// The message with the number `n`, as it is published; filled up to its size.
    pub fn message(&self, n: usize, message: &Message) -> Value {
        let mut fields = Map::new();
        fields.insert("messageId".into(), self.message_id(n).into());
        fields.insert("_run".into(), self.to_string().into());
        fields.insert("n".into(), n.into());
        let Keys { account, user, name } = message.keys;
        for (key, id) in [
            ("accountId", account.map(|account| self.account(account))),
            ("userId", user.map(|user| self.user(user))),
            ("sessionId", name.map(|name| self.session(name))),
        ] {
            fields.extend(id.map(|id| (key.to_owned(), id.into())));
        }
        if message.keys == Keys::default() {
            fields.insert("_everyone".into(), json!(true));
        }
        if message.sqs_only {
            fields.insert("_sqs_only".into(), json!(1));
        }
        filled(fields, n, message.bytes as usize)
    }
}

/// Fills a message up with letters; a smaller size than the fields take is theirs.
fn filled(mut fields: Map<String, Value>, n: usize, bytes: usize) -> Value {
    const LETTERS: &[u8] = b"the quick brown fox jumps over the lazy dog, ";
    fields.insert("fill".into(), "".into());
    let left = bytes.saturating_sub(Value::from(fields.clone()).to_string().len());
    let fill: String = (n..n + left).map(|at| char::from(LETTERS[at % LETTERS.len()])).collect();
    fields.insert("fill".into(), fill.into());
    fields.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_known_by_its_name() {
        let run = Run::new(12);
        assert_eq!(Run::parse(&run.to_string()).unwrap(), run);
        assert_eq!(run.accounts().count(), 12);
        for wrong in ["", "abc", "abcdefghij", "abcdefghij-", "abcdefghij-x", "ABCDEFGHIJ-2", "../abcdef-2"] {
            assert!(Run::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_message_has_its_size_keys_and_number() {
        let run = Run::parse("qwertyuiop-2").unwrap();
        let keys = Keys { account: Some(1), user: Some(5), name: None };
        let message = run.message(3, &Message { keys, bytes: 300, sqs_only: true, call: 0 });
        assert_eq!(message.to_string().len(), 300);
        assert_eq!(message["accountId"], "load-qwertyuiop-2-a1");
        assert_eq!(message["userId"], "load-qwertyuiop-2-u5");
        assert_eq!((&message["_sqs_only"], message.get("sessionId")), (&json!(1), None));
        assert_eq!(run.number(message["messageId"].as_str().unwrap()), Some(3));
        let everyone = run.message(0, &Message { keys: Keys::default(), bytes: 1, sqs_only: false, call: 0 });
        assert_eq!(everyone["_everyone"], true);
    }
}
