//! Ids as they are given in JSON, in paths and in tables: never one for two people, nor two for one.

use super::*;
use proptest::prelude::*;

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

fn of_json(json: &str) -> Result<UserId, Invalid> {
    UserId::from_json(&raw(json))
}

#[test]
fn integers_and_their_texts_are_one() {
    for (json, id) in [
        ("5", 5),
        ("\"5\"", 5),
        ("0", 0),
        ("\"0\"", 0),
        ("-9", -9),
        ("\"\\u0037\"", 7),
        ("9223372036854775807", i64::MAX),
        ("\"-9223372036854775808\"", i64::MIN),
    ] {
        assert_eq!(of_json(json), Ok(UserId::from(id)), "{json}");
    }
}

#[test]
fn other_texts_stay_as_they_are() {
    for text in [
        "007",
        "+7",
        "-0",
        "-07",
        "7.0",
        "7e0",
        " 7",
        "7 ",
        "0x7",
        "1_000",
        "٧",
        "-",
        "--7",
        "null",
        "true",
        "9223372036854775808",
        "-9223372036854775809",
        "auth0|5f7c",
        "ann@example.com",
        "é",
        "e\u{301}",
        "A",
        "a",
    ] {
        let id = UserId::parse(text).unwrap();
        assert_eq!((id.as_integer(), id.to_string()), (None, text.to_owned()), "{text}");
        assert_eq!(of_json(&id.to_json()), Ok(id), "{text}");
    }
    assert_ne!(UserId::parse("A"), UserId::parse("a"));
    assert_ne!(UserId::parse("é"), UserId::parse("e\u{301}"));
}

#[test]
fn anything_else_is_no_id() {
    for json in [
        "null",
        "true",
        "false",
        "1.0",
        "1e3",
        "7e0",
        "-0",
        "-0.0",
        "[1]",
        "[]",
        "{}",
        "\"\"",
        "\"a\\nb\"",
        "\"\\u0000\"",
        "\"\\u007f\"",
        "\"\\u0085\"",
        "\"\\ud800\"",
        "9223372036854775808",
        "-9223372036854775809",
        "12345678901234567890123",
    ] {
        let error = of_json(json).unwrap_err();
        assert_eq!((error.field(), error.rule()), ("userId", RULE), "{json}");
        assert!(serde_json::from_str::<UserId>(json).is_err(), "{json}");
    }
}

#[test]
fn texts_are_counted_in_characters() {
    assert!(UserId::parse(&"é".repeat(128)).is_ok());
    assert!(UserId::parse(&"é".repeat(129)).is_err());
    // A long row of digits is a string like any other.
    assert!(UserId::parse(&"9".repeat(128)).is_ok_and(|id| id.as_integer().is_none()));
    assert!(UserId::parse(&"9".repeat(129)).is_err());
}

#[test]
fn an_error_never_repeats_the_id() {
    let error = serde_json::from_str::<UserId>("\"secret\\n\"").unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

/// Texts that look like integers, or nearly so, among any others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[+-]?[0-9]{1,3}", "-?[0-9]{17,21}", "[0-9. e+-]{1,4}", "\\PC{1,40}", any::<String>()]
}

proptest! {
    #[test]
    fn an_integer_is_one_id_however_it_is_given(integer: i64) {
        let id = UserId::from(integer);
        let text = integer.to_string();
        prop_assert_eq!(UserId::parse(&text), Ok(id.clone()));
        prop_assert_eq!(of_json(&text), Ok(id.clone()));
        prop_assert_eq!(of_json(&format!("\"{text}\"")), Ok(id.clone()));
        prop_assert_eq!((id.to_json(), id.to_string()), (text.clone(), text));
    }

    #[test]
    fn a_number_is_refused_or_the_same_as_its_text(number in "-?(0|[1-9][0-9]{0,21})(\\.[0-9]{1,3})?(e[0-9])?") {
        if let Ok(id) = of_json(&number) {
            prop_assert_eq!(of_json(&format!("\"{number}\"")), Ok(id));
        }
    }

    #[test]
    fn different_texts_are_different_ids(one in text(), other in text()) {
        if let (Ok(a), Ok(b)) = (UserId::parse(&one), UserId::parse(&other)) {
            prop_assert_eq!(a == b, one == other);
            prop_assert_eq!(a.to_string(), one);
        }
    }

    #[test]
    fn an_id_survives_json_and_tables(text in text()) {
        let Ok(id) = UserId::parse(&text) else { return Ok(()) };
        prop_assert_eq!(UserId::parse(&id.to_string()), Ok(id.clone()));
        prop_assert_eq!(of_json(&id.to_json()), Ok(id.clone()));
        prop_assert_eq!(&serde_json::from_str::<UserId>(&id.to_json()).unwrap(), &id);
        prop_assert_eq!(serde_json::to_string(&id).unwrap(), id.to_json());
    }
}
