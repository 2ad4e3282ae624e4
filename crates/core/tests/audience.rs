//! For every message, the sessions reached are those that the written rule names.
//!
//! `docs/PROTOCOL.md`: "All keys present in a message must match the values that the session was
//! created with. A message without keys is for every session." The rule is written here a second
//! time, by texts: an id is its text, whether it is an integer or a string. So is the rule of
//! broadcasts that are meant, with both settings of `Broadcasts`.

use proptest::prelude::*;
use sbe_core::{
    broadcast::Broadcasts,
    id::{AccountId, MessageId, SessionId, UserId},
    message::Message,
    target::{SessionKeys, Target},
};
use serde_json::{Map, Value, json};

/// Texts of ids, many of which look like others.
const TEXTS: [&str; 10] = ["7", "07", "-7", "+7", "7.0", "0", "-0", "a", "A", "9223372036854775808"];

/// The text of an id in a message; nothing if it is malformed.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) if number.is_i64() => Some(number.to_string()),
        Value::String(text) => {
            let is_valid = (1..=128).contains(&text.chars().count()) && !text.chars().any(char::is_control);
            is_valid.then(|| text.clone())
        }
        _ => None,
    }
}

/// Whether the written rule takes a message for everyone, if it has no routing keys.
fn may_go_to_everyone(message: &Map<String, Value>, broadcasts: Broadcasts) -> bool {
    let is_mistaken = |name: &String| {
        let bare: String = name.chars().filter(|c| !"_-".contains(*c)).collect();
        ["accountid", "userid", "sessionid"].iter().any(|key| bare.eq_ignore_ascii_case(key))
    };
    let has_key = ["accountId", "userId", "sessionId"].iter().any(|key| message.contains_key(*key));
    has_key
        || message.contains_key("_everyone")
        || (broadcasts == Broadcasts::Open && !message.keys().any(is_mistaken))
}

/// Whether the written rule sends a message to a session; nothing if the message is malformed.
fn rule(
    message: &Map<String, Value>,
    broadcasts: Broadcasts,
    account: &str,
    user: Option<&str>,
    session: &str,
) -> Option<bool> {
    if [json!(false), json!(null)].iter().any(|value| message.get("_everyone") == Some(value)) {
        return None;
    }
    if !may_go_to_everyone(message, broadcasts) {
        return None;
    }
    let session_id = |value: &Value| value.as_str().filter(|id| !id.is_empty()).map(str::to_owned);
    let mut reaches = true;
    if let Some(value) = message.get("accountId") {
        reaches &= text_of(value)? == account;
    }
    if let Some(value) = message.get("userId") {
        reaches &= Some(&*text_of(value)?) == user;
    }
    if let Some(value) = message.get("sessionId") {
        reaches &= session_id(value)? == session;
    }
    Some(reaches)
}

/// Values of routing keys: ids as integers and as strings, and what is none.
fn key() -> impl Strategy<Value = Value> {
    let id = prop::sample::select(TEXTS.to_vec());
    prop_oneof![
        6 => id.prop_map(|text| json!(text)),
        3 => (-8i64..9).prop_map(|integer| json!(integer)),
        1 => any::<u64>().prop_map(|integer| json!(integer)),
        1 => any::<f64>().prop_map(|float| json!(float)),
        1 => any::<String>().prop_map(|text| json!(text)),
        1 => prop::sample::select(vec![json!(null), json!(true), json!([7]), json!({"a": 7}), json!(7.0)]),
    ]
}

/// Any JSON, with routing keys inside that are none.
fn nested() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![any::<bool>().prop_map(Value::from), key()];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let name = prop_oneof![Just("userId".to_owned()), Just("user_id".to_owned()), any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Messages with any of the routing keys and with fields that are none.
fn message() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![
        3 => Just("accountId"),
        3 => Just("userId"),
        2 => Just("sessionId"),
        2 => prop::sample::select(vec!["userid", "user_id", "AccountID", "session-id", "id", "_type", "text"]),
        2 => Just("_everyone"),
    ];
    let name = prop_oneof![9 => name.prop_map(str::to_owned), 1 => any::<String>()];
    prop::collection::vec((name, prop_oneof![9 => key(), 1 => nested()]), 0..4)
        .prop_map(|all| all.into_iter().collect())
}

proptest! {
    #[test]
    fn the_sessions_reached_are_those_that_the_rule_names(
        message in message(),
        broadcasts in prop::sample::select(vec![Broadcasts::Open, Broadcasts::Marked]),
    ) {
        let text = Value::Object(message.clone()).to_string();
        let id = || MessageId::parse("m").unwrap();
        let read = Message::parse(text.as_bytes(), &Target::EVERYONE, id).and_then(|message| broadcasts.admit(message));
        for (account, user) in TEXTS.iter().flat_map(|account| TEXTS.map(|user| (*account, user))) {
            let (account_id, user_id) = (AccountId::parse(account).unwrap(), UserId::parse(user).unwrap());
            for (session, user) in [("7", Some(user)), ("a", None)] {
                let session_id = SessionId::parse(session).unwrap();
                let user_id = user.map(|_| &user_id);
                let keys = SessionKeys { account: &account_id, session: &session_id, user: user_id };
                let reached = read.as_ref().ok().map(|message| message.target().matches(keys));
                prop_assert_eq!(reached, rule(&message, broadcasts, account, user, session), "{} {:?} {}", account, user, session);
            }
        }
    }
}
