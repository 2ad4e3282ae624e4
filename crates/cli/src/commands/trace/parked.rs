//! Whether an item of the failed or the rejected queue is about a message.

use super::{event::Event, evidence::Waiting};
use crate::commands::failed::entry::function_name;
use sbe_core::id::MessageId;
use serde_json::Value;

/// A payload holds its messages at most so deep.
const MAX_DEPTH: usize = 5;

/// The item of the failed queue as far as it is told, if it has work of the message. `item` is SQS's id of it.
pub(super) fn failed(item: &str, body: &str, id: &MessageId, events: &[Event]) -> Option<Waiting> {
    let body: Value = serde_json::from_str(body).ok()?;
    let of_lambda = &body["requestContext"];
    // Messages without an id of their own are known by the invocation that has taken them.
    let is_of_call = of_lambda["requestId"]
        .as_str()
        .is_some_and(|request_id| events.iter().any(|event| event.request_id == request_id));
    if !is_of_call && !names(&body["requestPayload"], id, MAX_DEPTH) {
        return None;
    }
    let function = body["function"].as_str().or(of_lambda["functionArn"].as_str()).unwrap_or("?");
    let error = body["responsePayload"]["errorMessage"].as_str();
    let reason = body["reason"].as_str().or(error).or(of_lambda["condition"].as_str());
    Some(Waiting {
        item: item.to_owned(),
        function: function_name(function).to_owned(),
        reason: reason.unwrap_or("no reason is given").to_owned(),
    })
}

/// The reason in an item of the rejected queue, if it is the message.
pub(super) fn rejected(body: &str, id: &MessageId) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    (body["messageId"] == id.as_str()).then(|| body["reason"].as_str().unwrap_or_default().to_owned())
}

/// Whether a payload has the message. What is in a message is its publisher's, and is not looked at.
fn names(value: &Value, id: &MessageId, depth: usize) -> bool {
    match value {
        _ if depth == 0 => false,
        Value::Array(elements) => elements.iter().any(|element| names(element, id, depth - 1)),
        Value::Object(fields) => match fields.get(MessageId::FIELD) {
            Some(of_message) => of_message == id.as_str(),
            None => fields.values().any(|field| names(field, id, depth - 1)),
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> MessageId {
        MessageId::parse("m").unwrap()
    }

    #[test]
    fn work_of_a_message_is_found_in_every_form() {
        for payload in [
            r#"{"messages":[{"a":1,"messageId":"m"}],"deliveries":[]}"#,
            r#"{"messages":[{"created":1.5,"message":{"messageId":"m"}}],"users":[]}"#,
            r#"{"sqs-browser-events/handed-on":{"messages":[{"created":1,"message":{"messageId":"m"}}]}}"#,
            r#"[{"messageId":"n"},{"messageId":"m"}]"#,
        ] {
            let body = format!(r#"{{"function":"f","reason":"why","requestPayload":{payload}}}"#);
            let expected = Waiting { item: "1".into(), function: "f".into(), reason: "why".into() };
            assert_eq!(failed("1", &body, &id(), &[]), Some(expected), "{payload}");
        }
        let content =
            r#"{"function":"f","requestPayload":{"messages":[{"messageId":"n","of":{"messageId":"m"}}]}}"#;
        assert_eq!(failed("1", content, &id(), &[]), None, "a message's content is its publisher's");
    }

    #[test]
    fn what_lambda_gave_up_names_function_and_error() {
        let body = r#"{"requestContext":{"requestId":"r","condition":"RetriesExhausted",
            "functionArn":"arn:aws:lambda:eu-west-1:1:function:dev-sqs-browser-sqs-sender:live"},
            "requestPayload":{"messages":[{"messageId":"m"}]},"responsePayload":{"errorMessage":"none of 1"}}"#;
        let waiting = failed("1", body, &id(), &[]).unwrap();
        assert_eq!((&*waiting.function, &*waiting.reason), ("dev-sqs-browser-sqs-sender", "none of 1"));
    }

    #[test]
    fn a_rejected_message_is_known_by_its_id() {
        let body = r#"{"messageId":"m","reason":"userId must be x","data":"e30="}"#;
        assert_eq!(rejected(body, &id()).as_deref(), Some("userId must be x"));
        assert_eq!(rejected(r#"{"messageId":"n"}"#, &id()), None);
    }
}
