//! `sbe trace`: why did somebody not get a message?
//!
//! # Layout
//!
//! - [`logs`]: the lines about a message, by CloudWatch Logs Insights
//! - [`event`]: what they tell of it
//! - [`state`]: the sessions and the history's entry, as the tables have them now
//! - [`peek`]: looks into queues without taking anything from them
//! - [`parked`]: whether an item of the failed or the rejected queue is about a message
//! - [`evidence`]: all that is known of one message
//! - [`verdict`](mod@verdict): what became of it
//! - [`story`]: the story, and the verdict, in words
//! - [`time`]: times as people read them

pub mod event;
pub mod evidence;
pub(crate) mod logs;
mod parked;
mod peek;
mod state;
pub mod story;
pub mod time;
pub mod verdict;
#[cfg(test)]
mod verdict_tests;

use crate::{
    context::Context,
    failure::Failure,
    output::report,
    parked::queue::{Held, Queue},
};
use clap::Args;
use evidence::{Asked, Evidence, State};
use sbe_core::id::{AccountId, MessageId, SessionId, UserId};
use serde_json::json;
use state::Row;
use std::time::{SystemTime, UNIX_EPOCH};
use verdict::{Verdict, verdict};

/// Which message, and for whom it is asked.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  sbe trace order-7                        what became of the message at all
  sbe trace order-7 --user 7               whether a session of user 7 got it
  sbe trace order-7 --session 1/tab-1      whether session tab-1 of account 1 got it
  sbe trace order-7 --since 2d --json

Ends with 0 when it was sent to a queue that was asked for, else with 1.")]
pub struct Trace {
    /// The message's `messageId`.
    #[arg(value_parser = |text: &str| MessageId::parse(text))]
    message_id: MessageId,

    /// Ask for the sessions of this user.
    #[arg(long, value_name = "USER", conflicts_with = "session", value_parser = UserId::parse)]
    user: Option<UserId>,

    /// Ask for this session.
    #[arg(long, value_name = "ACCOUNT/SESSION", value_parser = key)]
    session: Option<(AccountId, SessionId)>,

    /// How far back to read the log: seconds, or a number with `s`, `m`, `h` or `d`.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    since: i64,
}

fn key(text: &str) -> Result<(AccountId, SessionId), String> {
    let (account, session) = text.split_once('/').ok_or("must be ACCOUNT/SESSION, such as 1/tab-1")?;
    let account = AccountId::parse(account).map_err(|error| error.to_string())?;
    Ok((account, SessionId::parse(session).map_err(|error| error.to_string())?))
}

fn duration(text: &str) -> Result<i64, String> {
    let number = text.trim_end_matches(['s', 'm', 'h', 'd']);
    let unit = match &text[number.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => 0,
    };
    let seconds = number.parse::<u32>().ok().map(|number| i64::from(number) * unit);
    seconds.filter(|seconds| *seconds > 0).ok_or("must be such as 90s, 30m, 1h or 2d".into())
}

/// Tells the story of a message, and the verdict.
pub async fn run(args: Trace, context: &Context) -> Result<(), Failure> {
    let work = async {
        let evidence = gather(&args, context).await?;
        let verdict = verdict(&evidence);
        tell(&evidence, &verdict, context);
        if verdict.is_sent() {
            return Ok(());
        }
        Err(Failure::Found(format!("message {} was not sent; the verdict says why", evidence.id.as_str())))
    };
    context.interrupt.or(work, || "nothing was changed".into()).await
}

/// Reads the log and the tables, and looks into the queues that can tell more.
async fn gather(args: &Trace, context: &Context) -> Result<Evidence, Failure> {
    let until = now();
    let range = [until - args.since, until];
    let logs::Read { lines, is_cut } = logs::read(&context.system, &args.message_id, range).await?;
    if is_cut {
        report(format_args!(
            "the log has more lines than could be read; a shorter --since reads all of them"
        ));
    }
    let events = event::events(lines, &args.message_id);
    let asked = asked(args, context).await?;
    let mut evidence = Evidence {
        id: args.message_id.clone(),
        range,
        log_level: String::new(),
        events,
        asked,
        entry: None,
        failed: Vec::new(),
        rejected: None,
        looked_at_all: true,
    };
    let of_message = evidence.accepted().and_then(|(_, accepted)| accepted.user_id.clone());
    if let Some(user) = state::user_of(&evidence.asked).cloned().or(of_message) {
        evidence.entry = state::entry(context, &user, &evidence.id).await?;
    }
    if !verdict(&evidence).is_sent() {
        look_into_queues(&mut evidence, context).await?;
    }
    if evidence.events.is_empty() {
        evidence.log_level = log_level(context).await?;
    }
    Ok(evidence)
}

/// Those for whom it is asked, as they are now.
async fn asked(args: &Trace, context: &Context) -> Result<Asked, Failure> {
    if let Some(user) = &args.user {
        let mut states = Vec::new();
        for row in state::sessions_of(context, user).await? {
            states.push(with_content(context, row, &args.message_id).await?);
        }
        return Ok(Asked::User(user.clone(), states));
    }
    let Some((account, session)) = &args.session else { return Ok(Asked::Nobody) };
    let state = match state::session(context, account, session).await? {
        Some(row) => Some(with_content(context, row, &args.message_id).await?),
        None => None,
    };
    Ok(Asked::Session(account.clone(), session.clone(), state))
}

async fn with_content(context: &Context, row: Row, id: &MessageId) -> Result<State, Failure> {
    let held = peek::sessions_queue(context, &row, id).await?;
    Ok(State { content: held, ..row.state })
}

/// The failed queue, and that of rejected messages if the message was not taken.
async fn look_into_queues(evidence: &mut Evidence, context: &Context) -> Result<(), Failure> {
    let system = &context.system;
    if evidence.accepted().is_none() {
        let queue = Queue::new("rejected", system.sqs(), &system.rejected_queue_url);
        let look = |held: Held| parked::rejected(&held.body, &evidence.id);
        let (reasons, is_all) = peek::operators_queue(context, queue, look).await?;
        evidence.rejected = reasons.into_iter().next();
        evidence.looked_at_all &= is_all;
    }
    let queue = Queue::new("failed", system.sqs(), &system.failed_queue_url);
    let look = |held: Held| parked::failed(&held.id, &held.body, &evidence.id, &evidence.events);
    let (work, is_all) = peek::operators_queue(context, queue, look).await?;
    evidence.failed = work;
    evidence.looked_at_all &= is_all;
    Ok(())
}

/// What the dispatcher logs.
async fn log_level(context: &Context) -> Result<String, Failure> {
    let function = context.system.live("event-dispatcher");
    let get = context.system.lambda().get_function_configuration().function_name(function).send().await;
    let configuration = get.map_err(|error| Failure::aws("reading the dispatcher's configuration", error))?;
    let variables = configuration.environment.and_then(|environment| environment.variables);
    Ok(variables.and_then(|mut variables| variables.remove("RUST_LOG")).unwrap_or_else(|| "info".into()))
}

fn tell(evidence: &Evidence, verdict: &Verdict, context: &Context) {
    if !evidence.looked_at_all {
        report(format_args!("the failed or the rejected queue has more items than were looked at"));
    }
    let states: &[State] = match &evidence.asked {
        Asked::User(_, states) => states,
        Asked::Session(.., Some(state)) => std::slice::from_ref(state),
        Asked::Session(..) | Asked::Nobody => &[],
    };
    let story = story::story(evidence, states.iter());
    let sentence = story::sentence(evidence, verdict);
    let value = json!({
        "messageId": evidence.id,
        "verdict": verdict,
        "text": sentence,
        "story": story,
        "since": time::text(evidence.range[0]),
        "until": time::text(evidence.range[1]),
    });
    context.output.result(&value, |_| {
        let lines = story.iter().map(|told| format!("{:<27}  {}\n", told.at, told.text));
        format!("{}\n{}", lines.collect::<String>(), capitalised(&sentence))
    });
}

fn capitalised(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_checked() {
        assert_eq!(duration("90"), Ok(90));
        assert_eq!(duration("2d"), Ok(172_800));
        for text in ["", "h", "0h", "1w", "-1h", "1hh", "1.5h"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(key("a/b/c").unwrap().1.as_str(), "b/c");
        assert!(key("1").is_err() && key("/s").is_err() && key("1/").is_err());
    }
}
