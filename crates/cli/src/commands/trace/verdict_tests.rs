//! Planted stories, and their verdicts.

use super::{
    event::{Event, events},
    evidence::{Asked, Content, Entry, Evidence, State, Waiting},
    story::sentence,
    time::{seconds, text},
    verdict::{Fate, Verdict, verdict},
};
use sbe_core::{
    id::{AccountId, MessageId, SessionId, UserId},
    stages::{Line, digest},
};

/// When the message was published.
const AT: &str = "2026-01-02T03:04:05.100000Z";

/// Lines of the log, each by the second of the minute, an invocation and what it says; `M` is the message.
fn log(lines: &[(u32, &str, &str)]) -> Vec<Event> {
    let line = |(second, request, rest): &(u32, &str, &str)| {
        let rest = rest.replace('M', r#""messageId":"m""#);
        let text = format!(
            r#"{{"timestamp":"2026-01-02T03:04:{second:02}.100000Z","level":"INFO","requestId":"{request}",{rest}}}"#
        );
        Line::parse(&text).unwrap_or_else(|| panic!("{text} is no line"))
    };
    events(lines.iter().map(line), &MessageId::parse("m").unwrap())
}

const ACCEPTED: (u32, &str, &str) =
    (5, "d", r#""stage":"accepted","source":"http","messages":[{M,"userId":7}]"#);
const FOUND: (u32, &str, &str) = (6, "d", r#""stage":"dispatched","messages":[{M,"sessions":2}]"#);
const SENT: (u32, &str, &str) = (7, "s", r#""stage":"sent","messages":[{M,"sent":2}]"#);

/// A session of user 7 and account 1, created a minute before the message was published.
fn state() -> State {
    State {
        account: AccountId::from(1),
        session: SessionId::parse("s").unwrap(),
        user: Some(UserId::from(7)),
        created: seconds(AT) - 60,
        ttl: seconds(AT) + 7200,
        queue: digest("url"),
        content: Content::Absent,
    }
}

fn evidence(lines: &[(u32, &str, &str)], asked: Asked) -> Evidence {
    Evidence {
        id: MessageId::parse("m").unwrap(),
        range: [seconds(AT) - 3600, seconds(AT) + 60],
        log_level: "info".into(),
        events: log(lines),
        asked,
        entry: None,
        failed: Vec::new(),
        rejected: None,
        looked_at_all: true,
    }
}

fn on(lines: &[(u32, &str, &str)], state: State) -> Verdict {
    let asked = Asked::Session(state.account.clone(), state.session.clone(), Some(state));
    verdict(&evidence(lines, asked))
}

fn on_all(lines: &[(u32, &str, &str)]) -> Verdict {
    verdict(&evidence(lines, Asked::Nobody))
}

fn sent_at() -> String {
    "2026-01-02T03:04:07.100000Z".into()
}

#[test]
fn it_was_sent_and_its_queue_tells_the_rest() {
    for (content, fate) in [
        (Content::Absent, Fate::Fetched),
        (Content::Waits, Fate::Waiting),
        (Content::InFlight(1), Fate::InFlight),
        (Content::Unknown(500), Fate::Unknown),
    ] {
        let verdict = on(&[ACCEPTED, FOUND, SENT], State { content, ..state() });
        assert_eq!(verdict, Verdict::Sent { at: sent_at(), sessions: 2, gone: 0, queue: Some(fate) });
    }
    let all = Verdict::Sent { at: sent_at(), sessions: 2, gone: 0, queue: None };
    assert_eq!(on_all(&[ACCEPTED, FOUND, SENT]), all);
}

#[test]
fn lines_of_single_queues_decide_about_theirs() {
    let to = |queue: &str, became: &str| {
        format!(r#""stage":"sentTo","queue":"{}","messages":[{{M,"{became}":1}}]"#, digest(queue))
    };
    let half = (7, "s", r#""stage":"sent","messages":[{M,"sent":1,"gone":1}]"#);
    let (sent, gone) = (to("url", "sent"), to("url", "gone"));
    let at = sent_at();
    let verdict = on(&[ACCEPTED, FOUND, half, (7, "s", &sent)], state());
    assert_eq!(verdict, Verdict::Sent { at: at.clone(), sessions: 1, gone: 0, queue: Some(Fate::Fetched) });
    assert_eq!(on(&[ACCEPTED, FOUND, half, (7, "s", &gone)], state()), Verdict::Ended { at: Some(at) });
}

#[test]
fn the_key_that_differs_is_named() {
    let accepted = |keys: &str| format!(r#""stage":"accepted","source":"http","messages":[{{M,{keys}}}]"#);
    for (keys, key) in [
        (r#""accountId":2,"userId":7"#.to_owned(), "accountId"),
        (r#""accountId":1,"userId":8"#.to_owned(), "userId"),
        (format!(r#""accountId":1,"session":"{}""#, digest("other")), "sessionId"),
    ] {
        assert_eq!(on(&[(5, "d", &accepted(&keys)), FOUND, SENT], state()), Verdict::NeverMatched { key });
    }
    let same = accepted(&format!(r#""accountId":1,"session":"{}""#, digest("s")));
    assert!(on(&[(5, "d", &same), FOUND, SENT], state()).is_sent());
    let nobody = State { user: None, ..state() };
    assert_eq!(on(&[ACCEPTED, FOUND, SENT], nobody), Verdict::NeverMatched { key: "userId" });
}

#[test]
fn a_session_may_come_too_late_or_have_ended() {
    let none = (6, "d", r#""stage":"dispatched","messages":[{M,"sessions":0}]"#);
    let later = State { created: seconds(AT) + 3, ..state() };
    let created = text(later.created);
    assert_eq!(on(&[ACCEPTED, none], later), Verdict::CreatedLater { created });
    let new = State { created: seconds(AT), ..state() };
    let created = text(new.created);
    assert_eq!(on(&[ACCEPTED, none], new), Verdict::CreatedLater { created }, "an index may not have it yet");
    let ended = State { ttl: seconds(AT) - 1, ..state() };
    let at = Some(text(ended.ttl));
    assert_eq!(on(&[ACCEPTED, none], ended), Verdict::Ended { at });
    let gone = (7, "s", r#""stage":"sent","messages":[{M,"gone":2}]"#);
    assert_eq!(on(&[ACCEPTED, FOUND, gone], state()), Verdict::Ended { at: None });
    let absent = Asked::Session(AccountId::from(1), SessionId::parse("s").unwrap(), None);
    assert_eq!(verdict(&evidence(&[ACCEPTED, none], absent)), Verdict::Ended { at: None });
    assert_eq!(on_all(&[ACCEPTED, none]), Verdict::NobodyThere { kept: false });
    let entry = Some(Entry { created: seconds(AT), is_read: false });
    let kept = Evidence { entry, ..evidence(&[ACCEPTED, none], Asked::Nobody) };
    assert_eq!(verdict(&kept), Verdict::NobodyThere { kept: true });
}

#[test]
fn what_is_not_finished_is_told_as_such() {
    assert_eq!(on_all(&[ACCEPTED]), Verdict::HandedOn { workers: 1 }, "the dispatcher is at work");
    assert_eq!(on_all(&[ACCEPTED, FOUND]), Verdict::Sending { sessions: 2 });
    let half = (7, "s", r#""stage":"sent","messages":[{M,"sent":1,"handedBack":1}]"#);
    assert_eq!(on_all(&[ACCEPTED, FOUND, half]), Verdict::Sending { sessions: 1 });
    let rest = (8, "s2", r#""stage":"sent","messages":[{M,"sent":1}]"#);
    assert!(on_all(&[ACCEPTED, FOUND, half, rest]).is_sent());
}

/// A wide message: three workers, of which one hands on again and one is repeated by Lambda.
#[test]
fn it_is_handed_on_until_every_worker_has_told() {
    let first = (6, "d", r#""stage":"dispatched","messages":[{M,"sessions":0,"workers":3}]"#);
    let read = r#""stage":"dispatched","depth":1,"messages":[{M,"sessions":1}]"#;
    let again = r#""stage":"dispatched","depth":1,"messages":[{M,"sessions":1,"workers":1}]"#;
    let failed = r#""stage":"dispatched","depth":1,"messages":[{M,"sessions":1,"workers":1,"failed":true}]"#;
    let last = r#""stage":"dispatched","depth":2,"messages":[{M,"sessions":1}]"#;
    let mut lines = vec![ACCEPTED, first, (7, "w1", read), (8, "w2", failed), (9, "w2", again)];
    assert_eq!(on_all(&lines), Verdict::HandedOn { workers: 2 });
    lines.extend([(9, "w3", read), (10, "w4", last)]);
    assert_eq!(on_all(&lines), Verdict::Sending { sessions: 4 });
}

#[test]
fn what_was_refused_tells_the_reason() {
    let rejected =
        (5, "d", r#""stage":"rejected","source":"kinesis","messages":[{M,"reason":"why","size":2}]"#);
    let reason = "why".to_owned();
    assert_eq!(on_all(&[rejected]), Verdict::Rejected { reason: reason.clone() });
    assert_eq!(on(&[rejected], state()), Verdict::Rejected { reason: reason.clone() });
    let of_queue = Evidence { rejected: Some("why".into()), ..evidence(&[], Asked::Nobody) };
    let verdict = verdict(&of_queue);
    assert_eq!(verdict, Verdict::Rejected { reason });
    assert_eq!(sentence(&of_queue, &verdict), "rejected because why; it waits in the rejected queue");
}

#[test]
fn what_was_given_up_names_the_command_that_replays_it() {
    let refused = (7, "s", r#""stage":"sent","messages":[{M,"refused":2}]"#);
    let parked = (7, "s", r#""stage":"parked","function":"f","reason":"why","messages":["m"]"#);
    let of_log = evidence(&[ACCEPTED, FOUND, refused, parked], Asked::Nobody);
    let by_log = Verdict::Parked { function: "f".into(), reason: "why".into(), item: None };
    assert_eq!(verdict(&of_log), by_log);
    let failed = vec![Waiting { item: "1".into(), function: "f".into(), reason: "why".into() }];
    let of_queue = Evidence { failed, ..evidence(&[ACCEPTED, FOUND], Asked::Nobody) };
    let verdict = verdict(&of_queue);
    let sentence = sentence(&of_queue, &verdict);
    assert!(sentence.ends_with("sbe failed replay 1"), "{sentence}");
}

#[test]
fn a_failure_counts_until_it_is_tried_again() {
    let failed =
        (6, "d", r#""stage":"dispatched","error":"why","messages":[{M,"sessions":0,"failed":true}]"#);
    assert_eq!(on_all(&[ACCEPTED, failed]), Verdict::Failed { error: "why".into() });
    let (found, sent) = ((8, "d2", FOUND.2), (9, "s", SENT.2));
    assert!(on_all(&[ACCEPTED, failed, found, sent]).is_sent());
}

#[test]
fn of_a_users_sessions_the_best_counts() {
    let other = State { account: AccountId::from(2), created: seconds(AT) + 9, ..state() };
    let user = |states| Asked::User(UserId::from(7), states);
    let lines = [ACCEPTED, FOUND, SENT];
    assert!(verdict(&evidence(&lines, user(vec![other.clone(), state()]))).is_sent());
    let late = verdict(&evidence(&lines, user(vec![other])));
    assert!(matches!(late, Verdict::CreatedLater { .. }));
    let wrong = Asked::User(UserId::from(8), Vec::new());
    assert_eq!(verdict(&evidence(&lines, wrong)), Verdict::NeverMatched { key: "userId" });
}

#[test]
fn without_a_trace_the_range_and_the_level_are_told() {
    let nothing = evidence(&[], Asked::Nobody);
    assert_eq!(verdict(&nothing), Verdict::NoTrace);
    let sentence = sentence(&nothing, &Verdict::NoTrace);
    for told in ["2026-01-02T02:04:05Z", "2026-01-02T03:05:05Z", "log at info", "--since"] {
        assert!(sentence.contains(told), "{sentence}");
    }
}
