//! `tests/payloads`: what functions hand to each other, by version; those in `0` said none. Functions of two releases
//! run side by side during an update, and the failed queue keeps payloads for days: whatever changes one of these
//! files must be read by the release before.

use sbe_core::{
    cleanup::{Beginnings, Scheduled},
    handed_on::{self, HandedOn},
    history::Timestamp,
    id::{MessageId, UserId},
    message::{Message, Published},
    offline::Handover,
    part::Part,
    payload::{HistoryPayload, PayloadCutter, Read, ReceiptPayload, SendPayload},
    recipient::Recipient,
    route::{Lookup, Router},
    target::Target,
    unreached::{self, HandedOnEvents, Unreached},
    version::{Later, Unreadable, Version},
};

macro_rules! fixture {
    ($name:literal) => {
        fixture!(1, $name)
    };
    ($version:literal, $name:literal) => {
        include_str!(concat!("../../../tests/payloads/", $version, "/", $name, ".json")).trim_end()
    };
}

const MESSAGE: &str = r#"{"messageId":"m","userId":7,"price":1.10}"#;
const CREATED: Timestamp = Timestamp(1_500_000);

fn published() -> Published {
    let message =
        Message::parse(MESSAGE.as_bytes(), &Target::EVERYONE, || panic!("it has an id")).expect("a message");
    Published { created: CREATED, message }
}

fn recipient() -> Recipient {
    let json =
        r#"{"accountId":1,"sessionId":"tab","userId":7,"sqsUrl":"https://sqs/1","aesKey":"a2V5","ttl":9}"#;
    serde_json::from_str(json).expect("a recipient")
}

/// With a field that a later release may add.
fn with_addition(json: &str) -> String {
    format!(r#"{{"added":1,{}"#, &json[1..])
}

#[test]
fn the_senders_payload() {
    let mut cutter = PayloadCutter::deliveries([&published().message], |_| CREATED);
    let mut payloads = cutter.push_recipient(&recipient(), &[0]);
    payloads.extend(cutter.flush());
    assert_eq!(payloads[0].json, fixture!("send"));
    // `published` is an addition: payloads from before it are read all the same.
    for (json, published, depth) in [
        (fixture!("send"), &[1500][..], 0),
        (fixture!("send-handed-back"), &[1500], 3),
        (fixture!(0, "send"), &[1500], 0),
        (fixture!(0, "send-handed-back"), &[1500], 3),
        (fixture!(0, "send-without-times"), &[], 0),
    ] {
        for json in [json, &with_addition(json)] {
            let read: SendPayload<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(read.published, published);
            let delivery = &read.deliveries[0];
            assert_eq!((read.messages[0].get(), read.depth), (MESSAGE, depth));
            assert_eq!((&*delivery.sqs_url, &*delivery.aes_key), ("https://sqs/1", "a2V5"));
            assert_eq!(delivery.messages, [0]);
        }
    }
    let handed_back = SendPayload { depth: 3, ..serde_json::from_str(fixture!("send")).unwrap() };
    assert_eq!(serde_json::to_string(&handed_back).unwrap(), fixture!("send-handed-back"));
}

#[test]
fn the_historys_payload() {
    let mut cutter = PayloadCutter::users([&published().message], |_| CREATED);
    let mut payloads = cutter.push_user(&UserId::from(7), &[0]);
    payloads.extend(cutter.flush());
    assert_eq!(payloads[0].json, fixture!("history"));
    for (json, depth) in [
        (fixture!("history"), 0),
        (fixture!("history-handed-back"), 3),
        (fixture!(0, "history"), 0),
        (fixture!(0, "history-handed-back"), 3),
    ] {
        for json in [json, &with_addition(json)] {
            let read: HistoryPayload<'_> = serde_json::from_str(json).unwrap();
            assert_eq!((read.messages[0].message.get(), read.depth), (MESSAGE, depth));
            assert_eq!(read.messages[0].created.get(), "1.500000");
            assert_eq!((&read.users[0].user_id, &read.users[0].messages[..]), (&UserId::from(7), &[0][..]));
        }
    }
    let handed_back = HistoryPayload { depth: 3, ..serde_json::from_str(fixture!("history")).unwrap() };
    assert_eq!(serde_json::to_string(&handed_back).unwrap(), fixture!("history-handed-back"));
}

#[test]
fn the_receipts_payload() {
    let listed = Read::Listed(vec![MessageId::parse("m").unwrap()]);
    for (json, earlier, read, depth) in [
        (fixture!("receipt-of-messages"), fixture!(0, "receipt-of-messages"), listed, 3),
        (fixture!("receipt-as-of"), fixture!(0, "receipt-as-of"), Read::AsOf(CREATED), 0),
    ] {
        let (user_id, call) = (UserId::from(7), "c".to_owned());
        let receipt = ReceiptPayload { version: Version, user_id, read, call, depth };
        assert_eq!(receipt.to_json(), json);
        for json in [json, &with_addition(json), earlier] {
            assert_eq!(serde_json::from_str::<ReceiptPayload>(json).unwrap(), receipt);
            assert!(serde_json::from_str::<HistoryPayload<'_>>(json).is_err(), "the history's other input");
        }
    }
}

#[test]
fn what_a_dispatcher_hands_on() {
    let messages = [published()];
    let router = Router::new(messages.iter().map(|published| &published.message));
    let part = Part::of(Lookup::User(UserId::from(7)));
    let json = handed_on::hand_on("prod", 3, &router, &messages, &part, &[0]).remove(0).json;
    assert_eq!(json, fixture!("handed-on"));
    let read = HandedOn::parse(fixture!("handed-on"), "prod").unwrap();
    assert_eq!((read.depth, &read.part, &read.waiting[..]), (3, &part, &[0][..]));
    assert_eq!(read.messages().unwrap(), messages);
}

#[test]
fn unreached_events_that_a_dispatcher_hands_on() {
    let event = Unreached::new(&published(), Handover::Message).unwrap();
    let detail = event.detail();
    let json = unreached::hand_on("prod", 3, &[(0, event)]).remove(0).json;
    assert_eq!(json, fixture!("unreached"));
    let read = HandedOnEvents::parse(fixture!("unreached"), "prod").unwrap();
    assert_eq!((read.depth, read.events[0].detail()), (3, detail));
}

#[test]
fn the_cleanups_event() {
    let carried_on = fixture!("cleanup-carried-on");
    for (json, next, times) in [
        (fixture!("cleanup"), None, 1),
        (carried_on, Some("Qw"), 4),
        (fixture!(0, "cleanup"), None, 1),
        (fixture!(0, "cleanup-carried-on"), Some("Qw"), 4),
    ] {
        for json in [json, &with_addition(json)] {
            let event: Scheduled = serde_json::from_str(json).unwrap();
            let beginnings = next.map_or_else(Beginnings::all, |next| Beginnings::from_token(next).unwrap());
            assert_eq!((event.beginnings().unwrap(), event.times()), (beginnings, times));
        }
    }
    let before: Scheduled =
        serde_json::from_str(&carried_on.replace(r#""depth":3"#, r#""depth":2"#)).unwrap();
    assert_eq!(before.carried_on(Some("Qw".into())), carried_on);
    // The template is deployed at once, and its functions by and by.
    let template = include_str!("../../../template.yaml");
    assert!(template.contains(&format!("\n            Input: '{}'\n", fixture!("cleanup"))));
}

/// The dispatcher refuses what it does not know to the letter: an addition there is a new version, which one release
/// reads before the next one writes it.
#[test]
fn what_is_handed_on_takes_no_additions() {
    let with_addition = |json: &str| json.replacen(r#""version":1"#, r#""version":1,"added":1"#, 1);
    let (handed_on, unreached) = (with_addition(fixture!("handed-on")), with_addition(fixture!("unreached")));
    assert!(HandedOn::is_one(&handed_on) && HandedOnEvents::is_one(&unreached));
    assert!(matches!(HandedOn::parse(&handed_on, "prod"), Err(Unreadable::Invalid(_))));
    assert!(matches!(HandedOnEvents::parse(&unreached, "prod"), Err(Unreadable::Invalid(_))));
}

/// After a rollback, what the later release has written waits for it, however different it is.
#[test]
fn what_a_later_release_wrote_is_left_for_it() {
    for later in [r#""version":2"#, r#""version":2,"added":1"#] {
        let later = |json: &str| {
            assert!(json.contains(r#""version":1"#), "{json}");
            json.replacen(r#""version":1"#, later, 1)
        };
        let handed_on = later(fixture!("handed-on"));
        assert!(matches!(HandedOn::parse(&handed_on, "prod"), Err(Unreadable::Later(_))));
        let unreached = later(fixture!("unreached"));
        assert!(matches!(HandedOnEvents::parse(&unreached, "prod"), Err(Unreadable::Later(_))));
        let (send, history) = (later(fixture!("send")), later(fixture!("history")));
        assert!(serde_json::from_str::<SendPayload<'_>>(&send).is_err());
        assert!(serde_json::from_str::<HistoryPayload<'_>>(&history).is_err());
        let (receipt, cleanup) = (later(fixture!("receipt-as-of")), later(fixture!("cleanup")));
        assert!(serde_json::from_str::<ReceiptPayload>(&receipt).is_err());
        assert!(serde_json::from_str::<Scheduled>(&cleanup).is_err());
        assert!([&send, &history, &receipt, &cleanup].iter().all(|json| Later::of(json, None).is_some()));
    }
}
