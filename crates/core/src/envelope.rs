//! Events of AWS that are no messages, told from messages.
//!
//! `docs/PROTOCOL.md`: "An object whose `Records` is an array, or which has a field `detail-type`, is an
//! event and never a message."

use crate::{Invalid, message::Fields};
use serde_json::value::RawValue;

/// Where events keep a list.
const RECORDS: &str = "Records";

/// The mark of `EventBridge`'s events.
const DETAIL_TYPE: &str = "detail-type";

/// The elements of `{"Records":[…]}`, the list of messages that callers of the original system hand
/// over; `None` for what is no event.
///
/// # Errors
/// When it is an event that is not supported: of SQS, SNS, S3 or another source, of `EventBridge`, of
/// Kinesis but incomplete, or a list of messages with fields beside it. Taken for a message, it would
/// have no routing keys and go to everyone.
///
/// ```
/// use sbe_core::envelope::records;
/// assert_eq!(records(r#"{"Records":[{"userId":7}]}"#).unwrap().unwrap().len(), 1);
/// assert!(records(r#"{"Records":"of the year"}"#).unwrap().is_none());
/// assert!(records(r#"{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}"#).is_err());
/// ```
pub fn records(json: &str) -> Result<Option<Vec<&RawValue>>, Invalid> {
    let Ok(fields) = serde_json::from_str::<Fields<'_>>(json) else { return Ok(None) };
    if fields.names().any(|name| name == DETAIL_TYPE) {
        return Err(Invalid::new(DETAIL_TYPE, "is a field of EventBridge's events, which are not supported"));
    }
    let Some(records) = fields.get(RECORDS)?.filter(|value| value.get().starts_with('[')) else {
        return Ok(None);
    };
    if fields.names().count() > 1 {
        return Err(Invalid::new(RECORDS, "must be the only field of a list of messages"));
    }
    let elements: Vec<&RawValue> =
        serde_json::from_str(records.get()).map_err(|_| Invalid::new(RECORDS, "must be a JSON array"))?;
    if elements.iter().any(|element| is_of_an_event(element)) {
        return Err(Invalid::new(
            RECORDS,
            "must hold messages; records of this event source are not supported",
        ));
    }
    Ok(Some(elements))
}

/// Whether a record says where it comes from, or has the form of Kinesis.
fn is_of_an_event(record: &RawValue) -> bool {
    let Ok(fields) = serde_json::from_str::<Fields<'_>>(record.get()) else { return false };
    let has = |fields: &Fields<'_>, name: &str| fields.names().any(|field| field == name);
    let kinesis = || fields.get("kinesis").map(|value| value.map(|value| serde_json::from_str(value.get())));
    has(&fields, "eventSource")
        || has(&fields, "EventSource")
        || match kinesis() {
            Ok(Some(Ok(kinesis))) => has(&kinesis, "data"),
            Ok(_) => false,
            Err(_) => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_messages_is_its_elements() {
        let elements = records(r#" {"Records" : [{"a":1.10}, {"kinesis":"a word"}, 7]}"#).unwrap().unwrap();
        let texts: Vec<&str> = elements.iter().map(|element| element.get()).collect();
        assert_eq!(texts, [r#"{"a":1.10}"#, r#"{"kinesis":"a word"}"#, "7"]);
    }

    #[test]
    fn a_message_is_no_event() {
        for json in [
            r#"{"Records":"of the year"}"#,
            r#"{"Records":{"a":[]},"accountId":1}"#,
            r#"{"records":[{"eventSource":"aws:sqs"}]}"#,
            r#"{"data":{"detail-type":"x"}}"#,
            "[]",
            "no JSON",
        ] {
            assert!(records(json).unwrap().is_none(), "{json}");
        }
    }

    #[test]
    fn events_that_are_not_supported_are_refused() {
        for (json, field) in [
            (r#"{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}"#, RECORDS),
            (r#"{"Records":[{"EventSource":"aws:sns","Sns":{}}]}"#, RECORDS),
            (r#"{"Records":[{"userId":7},{"eventSource":"aws:s3"}]}"#, RECORDS),
            (r#"{"Records":[{"eventSource":"aws:kinesis"}]}"#, RECORDS),
            (r#"{"Records":[{"kinesis":{"data":"e30="}}]}"#, RECORDS),
            (r#"{"Records":[{"kinesis":1,"kinesis":{"data":"e30="}}]}"#, RECORDS),
            (r#"{"Records":[{"userId":7}],"accountId":1}"#, RECORDS),
            (r#"{"Records":[],"Records":"x"}"#, RECORDS),
            (r#"{"Rec\u006frds":[{"eventSource":"aws:sqs"}]}"#, RECORDS),
            (r#"{"detail-type":"Scheduled Event","detail":{}}"#, DETAIL_TYPE),
            (r#"{"detail-type":1,"detail-type":2}"#, DETAIL_TYPE),
        ] {
            assert_eq!(records(json).unwrap_err().field(), field, "{json}");
        }
    }
}
