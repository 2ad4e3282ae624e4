//! `tests/payloads/1`: what functions hand to each other. Functions of two releases run side by side during
//! an update, and the failed queue keeps payloads for days: whatever changes one of these files must be read by the
//! release before.

use sbe_core::{
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
};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/payloads/1/", $name, ".json")).trim_end()
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
        (fixture!("send-before-times"), &[], 0),
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
    for (json, depth) in [(fixture!("history"), 0), (fixture!("history-handed-back"), 3)] {
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
    for (json, read, depth) in
        [(fixture!("receipt-of-messages"), listed, 3), (fixture!("receipt-as-of"), Read::AsOf(CREATED), 0)]
    {
        let receipt = ReceiptPayload { user_id: UserId::from(7), read, call: "c".to_owned(), depth };
        assert_eq!(receipt.to_json(), json);
        for json in [json, &with_addition(json)] {
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

/// The dispatcher refuses what it does not know to the letter: an addition there is a new version, which one release
/// reads before the next one writes it.
#[test]
fn what_is_handed_on_takes_no_additions() {
    let newer = |json: &str, from: &str, to: &str| {
        assert!(json.contains(from), "{json}");
        json.replacen(from, to, 1)
    };
    for to in [r#""version":2"#, r#""version":1,"added":1"#] {
        let handed_on = newer(fixture!("handed-on"), r#""version":1"#, to);
        assert!(HandedOn::is_one(&handed_on) && HandedOn::parse(&handed_on, "prod").is_err(), "{to}");
        let unreached = newer(fixture!("unreached"), r#""version":1"#, to);
        assert!(
            HandedOnEvents::is_one(&unreached) && HandedOnEvents::parse(&unreached, "prod").is_err(),
            "{to}"
        );
    }
}
