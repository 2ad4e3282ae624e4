//! From a line to a record: checked by the rules of the dispatcher, with an id and a partition key.

use crate::{lines::Line, published::Ids};
use sbe_client::stream::MAX_RECORD_BYTES;
use sbe_core::{
    broadcast::Broadcasts,
    id::MessageId,
    message::{MAX_MESSAGE_BYTES, Message},
    target::Target,
};

/// A longer line is refused without being kept.
pub(super) const MAX_LINE_BYTES: usize = MAX_RECORD_BYTES - MAX_KEY_BYTES;

/// 256 characters of four bytes.
const MAX_KEY_BYTES: usize = 1024;

/// Where all broadcasts go, so that they keep their order. Messages that are not looked at go there too.
const BROADCASTS_KEY: &str = "everyone";

/// What lines are checked for, and what they are given.
#[derive(Debug)]
pub(super) struct Checks {
    /// Which broadcasts are refused; `None` if lines are put as they are.
    pub(super) broadcasts: Option<Broadcasts>,
    /// Ids for messages that have none.
    pub(super) ids: Ids,
    /// The partition key of all records, if they are to have the same.
    pub(super) partition_key: Option<String>,
}

/// What is put.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) partition_key: String,
    pub(super) data: Vec<u8>,
}

impl Record {
    pub(super) fn bytes(&self) -> usize {
        self.partition_key.len() + self.data.len()
    }
}

impl Checks {
    /// The record of a line, `None` for a blank one, or why the dispatcher would reject it.
    pub(super) fn record(&self, line: &Line) -> Result<Option<Record>, String> {
        let Some(bytes) = &line.bytes else {
            return Err(format!("the line must be at most {MAX_LINE_BYTES} bytes"));
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let Some(broadcasts) = self.broadcasts else {
            let key = self.partition_key.clone().unwrap_or_else(|| BROADCASTS_KEY.to_owned());
            return Ok(Some(Record { partition_key: key, data: bytes.clone() }));
        };
        let id = || MessageId::parse(self.ids.id(line.number)).expect("prefixes leave room for a number");
        let message = Message::parse(bytes, &Target::EVERYONE, id).map_err(|error| error.to_string())?;
        let message = broadcasts.admit(message).map_err(|error| error.to_string())?;
        let partition_key = self.partition_key.clone().unwrap_or_else(|| partition_key(message.target()));
        // The largest messages have no room for an id: the dispatcher gives them one.
        let fits = message.json().len() <= MAX_MESSAGE_BYTES;
        let data = if fits { message.json().as_bytes().to_vec() } else { bytes.clone() };
        Ok(Some(Record { partition_key, data }))
    }
}

/// What is for the same receiver is on the same shard, in its order.
fn partition_key(target: &Target) -> String {
    let user = target.user.as_ref().map(ToString::to_string);
    let session = || target.session.as_ref().map(ToString::to_string);
    let account = || target.account.as_ref().map(ToString::to_string);
    user.or_else(session).or_else(account).unwrap_or_else(|| BROADCASTS_KEY.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks(broadcasts: Option<Broadcasts>) -> Checks {
        Checks { broadcasts, ids: Ids::new(Some("run".into())), partition_key: None }
    }

    fn line(text: impl Into<Vec<u8>>) -> Line {
        Line { number: 3, bytes: Some(text.into()), end: 0 }
    }

    fn put(text: &str) -> (String, String) {
        let record = checks(Some(Broadcasts::Open)).record(&line(text)).unwrap().unwrap();
        (record.partition_key, String::from_utf8(record.data).unwrap())
    }

    #[test]
    fn a_message_keeps_its_text_and_is_given_an_id_by_its_line() {
        let (key, data) = put(r#"{"n":12345678901234567890,"userId":7,"accountId":1}"#);
        assert_eq!(data, r#"{"n":12345678901234567890,"userId":7,"accountId":1,"messageId":"run-3"}"#);
        assert_eq!(key, "7");
        let own = r#"{"sessionId":"s","accountId":1,"messageId":"mine"}"#;
        assert_eq!(put(own), ("s".to_owned(), own.to_owned()));
        assert_eq!(put(r#"{"accountId":"acme"}"#).0, "acme");
        assert_eq!(put("{}").0, "everyone");
    }

    #[test]
    fn what_the_dispatcher_rejects_is_refused_with_its_reason() {
        let refused = |text: &str| checks(Some(Broadcasts::Open)).record(&line(text)).unwrap_err();
        assert!(refused(r#"{"userId":null}"#).starts_with("userId must be an integer"));
        assert!(refused(r#"{"user_id":7}"#).contains("did you mean userId?"));
        assert!(refused("[]").starts_with("message must be a JSON object"));
        assert!(refused(&format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_MESSAGE_BYTES))).contains("256000"));
        let marked = checks(Some(Broadcasts::Marked)).record(&line("{}")).unwrap_err();
        assert!(marked.starts_with("_everyone must be"), "{marked}");
        let too_long = Line { number: 1, bytes: None, end: 0 };
        assert!(checks(None).record(&too_long).is_err());
    }

    #[test]
    fn unchecked_lines_are_put_as_they_are_and_blank_ones_never() {
        let record = checks(None).record(&line("{ no JSON")).unwrap().unwrap();
        assert_eq!(record.data, b"{ no JSON");
        for broadcasts in [None, Some(Broadcasts::Open)] {
            assert_eq!(checks(broadcasts).record(&line(" \t")), Ok(None));
        }
    }

    #[test]
    fn the_largest_message_stays_as_it_is() {
        let largest = format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_MESSAGE_BYTES - 8));
        assert_eq!(put(&largest).1, largest);
    }
}
