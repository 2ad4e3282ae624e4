//! Read receipts: which messages a user has read, and the message that tells the user's sessions.
//!
//! `docs/PROTOCOL.md`: "A receipt is published to the sessions of the user as
//! `{"_type":"message-read-receipt","userId":U,"messages-receipted":[…],"_sqs_only":1}` and holds
//! only the ids that changed".

use crate::{
    Invalid,
    id::{MessageId, UserId},
};
use serde::Serialize;
use serde_json::value::RawValue;

/// The `_type` of a read receipt.
pub const RECEIPT_TYPE: &str = "message-read-receipt";

/// A receipt stays well below the largest message, whatever its ids.
const MAX_RECEIPT_BYTES: usize = 200_000;

#[derive(Serialize)]
struct Receipt<'a> {
    #[serde(rename = "_type")]
    kind: &'static str,
    #[serde(rename = "userId")]
    user: &'a UserId,
    #[serde(rename = "messages-receipted")]
    read: &'a [MessageId],
    #[serde(rename = "_sqs_only")]
    sqs_only: u8,
}

/// The receipts, as JSON texts, that tell of `read`: as many as are needed for each to stay within
/// `max_ids` and the size of a message; none if nothing was read.
pub fn receipts(user: &UserId, read: &[MessageId], max_ids: usize) -> Vec<String> {
    chunks(read, max_ids)
        .map(|read| {
            let receipt = Receipt { kind: RECEIPT_TYPE, user, read, sqs_only: 1 };
            serde_json::to_string(&receipt).expect("a receipt is always JSON")
        })
        .collect()
}

/// Consecutive chunks of at most `max_ids` ids and [`MAX_RECEIPT_BYTES`] of text.
pub fn chunks(ids: &[MessageId], max_ids: usize) -> impl Iterator<Item = &[MessageId]> {
    let mut rest = ids;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest.iter().take(max_ids).take_while(|id| {
            bytes += json_len(id);
            bytes <= MAX_RECEIPT_BYTES
        });
        let (chunk, after) = rest.split_at(fitting.count());
        rest = after;
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// An upper bound of an id's length in JSON, with quotes and comma: `\u0000` is the longest escape.
fn json_len(id: &MessageId) -> usize {
    id.as_str().len() * 6 + 3
}

/// Reads the list of ids in a path: separated by commas.
///
/// ```
/// let ids = sbe_core::receipt::parse_list("a,b").unwrap();
/// assert_eq!(ids.len(), 2);
/// assert!(sbe_core::receipt::parse_list("a,,b").is_err());
/// ```
pub fn parse_list(text: &str) -> Result<Vec<MessageId>, Invalid> {
    text.split(',').map(MessageId::parse).collect()
}

/// Reads the list of ids in a body: a JSON array of strings, or of numbers, which stand for
/// their text.
pub fn parse_json(json: &[u8]) -> Result<Vec<MessageId>, Invalid> {
    let rule = "must be a JSON array of messageIds, each a string of 1 to 256 characters, or a number";
    let invalid = || Invalid::new("body", rule);
    let ids: Vec<&RawValue> = serde_json::from_slice(json).map_err(|_| invalid())?;
    ids.into_iter().map(listed).collect::<Option<_>>().ok_or_else(invalid)
}

fn listed(id: &RawValue) -> Option<MessageId> {
    let is_number = id.get().starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if is_number { MessageId::parse(id.get()).ok() } else { MessageId::from_json(id).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{message::Message, target::Target};
    use proptest::prelude::*;

    fn ids(texts: &[String]) -> Vec<MessageId> {
        texts.iter().map(|text| MessageId::parse(text).unwrap()).collect()
    }

    #[test]
    fn a_receipt_is_a_message_for_the_user_and_for_no_history() {
        let receipts = receipts(&UserId::from(7), &ids(&["a".into(), "b".into()]), 300);
        assert_eq!(
            receipts,
            [r#"{"_type":"message-read-receipt","userId":7,"messages-receipted":["a","b"],"_sqs_only":1}"#]
        );
        let id = || MessageId::parse("m").unwrap();
        let message = Message::parse(receipts[0].as_bytes(), &Target::EVERYONE, id).unwrap();
        assert_eq!(message.target().user, Some(UserId::from(7)));
        assert!(message.sqs_only());
    }

    #[test]
    fn nothing_read_is_no_receipt() {
        assert!(receipts(&UserId::from(7), &[], 300).is_empty());
    }

    proptest! {
        #[test]
        fn every_id_is_in_one_chunk_and_every_receipt_is_a_message(
            texts in prop::collection::vec(prop_oneof!["[a-z]{1,40}", "\u{1}{256}"], 0..400),
            max in 1usize..350,
        ) {
            let all = ids(&texts);
            let chunked: Vec<MessageId> = chunks(&all, max).flatten().cloned().collect();
            prop_assert_eq!(&chunked, &all);
            for receipt in receipts(&UserId::from(1), &all, max) {
                prop_assert!(receipt.len() <= crate::message::MAX_MESSAGE_BYTES);
            }
        }
    }

    #[test]
    fn lists_are_checked() {
        assert!(parse_list("").is_err());
        assert_eq!(parse_json(br#"["a"]"#).unwrap().len(), 1);
        let numbers = parse_json(b"[7, 1.50, -2e3, \"7\"]").unwrap();
        assert_eq!(numbers, ids(&["7", "1.50", "-2e3", "7"].map(String::from)));
        for body in ["", "{}", "[true]", "[[1]]", "[\"\"]", "[null]"] {
            assert_eq!(parse_json(body.as_bytes()).unwrap_err().field(), "body", "{body}");
        }
    }
}
