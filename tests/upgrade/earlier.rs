//! What other releases have written: the examples in `tests/payloads`, for the sessions of the test.

use crate::{
    audience::Audience,
    load::{Load, Message},
    rollout::invoke,
};
use sbe_core::version::VERSION;
use sbe_tests::{
    now,
    system::{root, stack},
    unique,
};
use serde_json::{Value, json};

/// The directories of versions, oldest first.
const VERSIONS: [&str; 2] = ["0", "1"];

/// The examples of a version: the function that each is for, and the payload.
fn examples(version: &str) -> Vec<(&'static str, Value)> {
    let directory = root().join("tests/payloads").join(version);
    let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap());
    let mut examples: Vec<_> = files
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            let function = match name.split(['-', '.']).next().unwrap() {
                "send" => "sqs-sender",
                "history" | "receipt" => "user-history-adder",
                "cleanup" => "session-manager",
                _ => "event-dispatcher",
            };
            (function, serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap())
        })
        .collect();
    examples.sort_by_key(|(function, payload): &(_, Value)| (*function, payload.to_string()));
    assert!(!examples.is_empty());
    examples
}

/// Hands to the functions what releases before have written, for the first session and its user.
pub(crate) async fn inject(audience: &Audience, load: &Load) {
    for (function, mut payload) in VERSIONS.into_iter().flat_map(examples) {
        let label = format!("earlier-{}", unique());
        let message = fill_in(&mut payload, audience, label);
        invoke(function, &payload).await;
        load.note(message);
    }
}

/// Puts the session, its user and a message with this label into an example; whom the message is for.
fn fill_in(payload: &mut Value, audience: &Audience, label: String) -> Message {
    const NOBODY: &[usize] = &[];
    const FIRST: &[usize] = &[0];
    let ([user, _], session) = (audience.users, &audience.members[0].browser.session);
    let message = json!({"messageId": label, "userId": user, "label": label});
    let (mut to, mut kept_for) = (NOBODY, NOBODY);
    if payload["deliveries"].is_array() {
        payload["messages"][0] = message;
        payload["deliveries"][0]["sqsUrl"] = session["sqsUrl"].clone();
        payload["deliveries"][0]["aesKey"] = session["aesKey"].clone();
        to = FIRST;
    } else if payload["users"].is_array() {
        payload["messages"][0] = json!({"created": now(), "message": message});
        payload["users"][0]["userId"] = json!(user);
        kept_for = FIRST;
    } else if payload["userId"].is_number() {
        payload["userId"] = json!(user);
    } else if let Some(handed_on) = payload.get_mut("sqs-browser-events/handed-on") {
        handed_on["env"] = json!(stack().env);
        handed_on["lookups"] = json!([{"user": user}]);
        handed_on["part"]["lookup"] = json!({"user": user});
        handed_on["messages"][0] = json!({"created": now(), "message": message});
        (to, kept_for) = (FIRST, FIRST);
    } else if let Some(unreached) = payload.get_mut("sqs-browser-events/unreached") {
        unreached["env"] = json!(stack().env);
    }
    Message { label, to, kept_for }
}

/// What a release after this one might write: the next version, with a field more.
pub(crate) fn of_a_later_release() -> Vec<(&'static str, Value)> {
    let mut payloads = examples(VERSIONS[VERSIONS.len() - 1]);
    for (_, payload) in &mut payloads {
        let object = payload.as_object_mut().unwrap();
        let marked = object.keys().next().filter(|name| name.starts_with("sqs-browser-events/")).cloned();
        let versioned = match &marked {
            Some(mark) => object.get_mut(mark).unwrap(),
            None => &mut *payload,
        };
        versioned["version"] = json!(VERSION + 1);
        versioned["added"] = json!(unique());
    }
    payloads
}
