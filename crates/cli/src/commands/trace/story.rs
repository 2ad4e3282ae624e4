//! The story of a message, and the verdict, in words.

use super::{
    event::{Event, What},
    evidence::{Evidence, State},
    time,
    verdict::{Fate, Verdict},
};
use sbe_core::stages::{Accepted, Sent, Source};
use serde::Serialize;
use std::fmt::{Display, Write as _};

/// One line of the story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// When: RFC 3339, UTC.
    pub at: String,
    /// What happened.
    pub text: String,
    /// Lambda's id of the invocation that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// The story: what the log tells, and the lives of the sessions in between, in order of time.
pub fn story<'a>(evidence: &Evidence, states: impl Iterator<Item = &'a State>) -> Vec<Told> {
    let mut story: Vec<Told> = evidence.events.iter().map(told).collect();
    story.extend(states.flat_map(|state| life(state, evidence.range[1])));
    if let Some(entry) = &evidence.entry {
        let read = if entry.is_read { "read" } else { "not read" };
        let text = format!("published, as the user's history has it: {read} by now");
        story.push(Told { at: time::text(entry.created), text, request_id: None });
    }
    story.sort_by_key(|told| moment(&told.at));
    story
}

/// Times with and without fractions, in one order.
fn moment(at: &str) -> String {
    at.trim_end_matches('Z').replace('.', "!")
}

fn life(state: &State, now: i64) -> Vec<Told> {
    let name = format!("session {} of account {}", state.session, state.account);
    let told = |seconds, text: String| Told { at: time::text(seconds), text, request_id: None };
    let mut life = vec![told(state.created, format!("{name} was created"))];
    if state.ttl <= now {
        life.push(told(state.ttl, format!("{name} ended")));
    }
    life
}

fn told(event: &Event) -> Told {
    Told { at: event.at.clone(), text: text(&event.what), request_id: Some(event.request_id.clone()) }
}

fn text(what: &What) -> String {
    match what {
        What::Accepted(source, accepted) => {
            format!("accepted {}, {}", from(*source, accepted.event_id.as_deref()), whom(accepted))
        }
        What::Rejected(source, rejected) => {
            let from = from(*source, rejected.event_id.as_deref());
            format!("rejected {from}: {} ({} bytes)", rejected.reason, rejected.size)
        }
        What::Dispatched { depth, error, of } => {
            let mut text = format!("dispatched to {}", number(of.sessions, "session"));
            if *depth > 0 {
                text += ", by an invocation that carried on";
            }
            if of.workers > 0 {
                let workers = number(of.workers, "further invocation");
                let _ = write!(text, "; the rest was handed on to {workers}");
            }
            if of.failed {
                let error = error.as_deref().unwrap_or("see the log of event-dispatcher");
                let _ = write!(text, "; failed: {error}");
            }
            text
        }
        What::Sent(of) => sent(of, "sent"),
        What::SentTo { queue, of } => sent(of, &format!("queue {queue}: sent")),
        What::Kept(of) => {
            let mut text = format!("kept in {}", number(of.kept, "history").replace("historys", "histories"));
            let parts =
                [(of.known, "had it before"), (of.handed_back, "handed back"), (of.refused, "refused")];
            add(&mut text, &parts);
            text
        }
        What::Parked { function, reason } => format!("parked in the failed queue for {function}: {reason}"),
    }
}

fn sent(of: &Sent, verb: &str) -> String {
    let mut text = format!("{verb} to {}", number(of.sent, "queue"));
    let parts = [(of.gone, "gone"), (of.handed_back, "handed back"), (of.refused, "refused")];
    add(&mut text, &parts);
    text
}

fn add(text: &mut String, parts: &[(u32, &str)]) {
    for (count, name) in parts.iter().filter(|(count, _)| *count > 0) {
        let _ = write!(text, ", {count} {name}"); // writing to a String cannot fail
    }
}

fn from(source: Source, event_id: Option<&str>) -> String {
    match (source, event_id) {
        (Source::Kinesis, Some(event_id)) => format!("from the stream ({event_id})"),
        (Source::Kinesis, None) => "from the stream".into(),
        (Source::Http, _) => "by HTTP".into(),
        (Source::Invocation, _) => "by an invocation".into(),
    }
}

/// Whom a message is for.
fn whom(accepted: &Accepted) -> String {
    let key = |name: &str, value: Option<&dyn Display>| value.map(|value| format!("{name} {value}"));
    let keys = [
        key("account", accepted.account_id.as_ref().map(|id| id as &dyn Display)),
        key("user", accepted.user_id.as_ref().map(|id| id as &dyn Display)),
        key("the session with digest", accepted.session.as_ref().map(|digest| digest as &dyn Display)),
    ];
    let keys: Vec<String> = keys.into_iter().flatten().collect();
    let whom = if keys.is_empty() { "for everyone".into() } else { format!("for {}", keys.join(", ")) };
    if accepted.sqs_only { format!("{whom}, for no history") } else { whom }
}

fn number(count: impl Into<u64>, name: &str) -> String {
    let count = count.into();
    if count == 1 { format!("1 {name}") } else { format!("{count} {name}s") }
}

/// The verdict as a sentence.
pub fn sentence(evidence: &Evidence, verdict: &Verdict) -> String {
    match verdict {
        Verdict::Sent { at, sessions, gone, queue: None } => {
            let ended = if *gone > 0 { format!("; {gone} more had ended") } else { String::new() };
            format!("sent to {}, the last at {at}{ended}", number(*sessions, "queue"))
        }
        Verdict::Sent { at, queue: Some(fate), .. } => {
            format!("sent to its queue at {at}, and {}", of_queue(*fate))
        }
        Verdict::Sending { sessions } => {
            format!("on its way: the sender has not told of {} yet", number(*sessions, "session"))
        }
        Verdict::HandedOn { workers } => {
            let invocations = number(*workers, "invocation");
            format!("handed on and not finished yet: {invocations} of the dispatcher have not told of it")
        }
        Verdict::NeverMatched { key } => format!("never matched: the {key} of the message is another one"),
        Verdict::NobodyThere { kept } => {
            let history = if *kept { "the history has it" } else { "no history has it" };
            format!("never matched: no active session had its keys; {history}")
        }
        Verdict::CreatedLater { created } => {
            format!("not there yet: the session was created at {created}, too late for the lookup to find it")
        }
        Verdict::Ended { at: Some(at) } => format!("the session had ended by {at}"),
        Verdict::Ended { at: None } => "the session had ended: neither it nor its queue is there".into(),
        Verdict::Rejected { reason } => {
            let queue = if evidence.rejected.is_some() { "; it waits in the rejected queue" } else { "" };
            format!("rejected because {reason}{queue}")
        }
        Verdict::Parked { function, reason, item } => {
            let replay = match item {
                Some(item) => format!("sbe failed replay {item}"),
                None => "sbe failed replay".into(),
            };
            format!("parked in the failed queue: {reason} (of {function}); replay it with: {replay}")
        }
        Verdict::Failed { error } => {
            format!("failed in the dispatcher: {error}; the stream tries again, a caller by HTTP got 503")
        }
        Verdict::NoTrace => no_trace(evidence),
    }
}

fn of_queue(fate: Fate) -> &'static str {
    match fate {
        Fate::Waiting => "waits there to be fetched",
        Fate::InFlight => "was probably fetched: messages of the queue are received and not deleted yet",
        Fate::Fetched => "was fetched and deleted, or has expired: it is not there any more",
        Fate::Unknown => "may wait there: too many messages wait to look at all",
    }
}

fn no_trace(evidence: &Evidence) -> String {
    let [since, until] = evidence.range.map(time::text);
    let kept = if evidence.entry.is_some() { ", though the user's history has it" } else { "" };
    format!(
        "no trace of this id in the log from {since} to {until}{kept}; the functions log at {}, where a message \
         leaves lines at info. A longer range: --since",
        evidence.log_level
    )
}
