//! What the functions log about a message, by which `sbe trace` tells its story.

use super::{
    Doctor,
    check::{Finding, Found},
    functions::variable,
    round_trip::BY_HTTP,
};
use crate::{
    commands::trace::{
        event::{Event, What, events},
        logs, now,
    },
    failure::Failure,
};
use sbe_core::id::{MessageId, UserId};
use std::time::{Duration, Instant};

/// Insights finds lines some seconds after they were written, and each look is paid for by what it reads.
const PAUSE: Duration = Duration::from_secs(2);
/// How far back lines are looked for, seconds; others than those of this run are told by their user.
const RANGE: i64 = 3600;

/// The lines about the message that went by HTTP are found.
pub(super) async fn lines(doctor: &Doctor) -> Found {
    doctor.trial.reader()?;
    let level = variable(doctor, "event-dispatcher", "RUST_LOG").await?.unwrap_or_default();
    if !tells_of_messages(&level) {
        return Ok(Finding::skipped(format!("with LogLevel={level} no lines are written about messages")));
    }
    let named = |error: sbe_core::Invalid| Finding::skipped(error.to_string());
    let id = MessageId::parse(BY_HTTP).map_err(named)?;
    let user = UserId::parse(&doctor.trial.user).map_err(named)?;
    let start = Instant::now();
    loop {
        let until = now();
        let found = logs::read(&doctor.system, &id, [until - RANGE, until]).await.map_err(unread)?;
        if tells(&events(found.lines, &id), &user) {
            let seconds = start.elapsed().as_secs_f64();
            return Ok(Finding::passed(format!("the logs tell of the message, seen after {seconds:.1} s")));
        }
        if start.elapsed() > doctor.timeout {
            let seconds = doctor.timeout.as_secs_f64();
            return Ok(Finding::failed(
                format!(
                    "the logs do not tell what became of the message that was published {seconds:.0} s ago"
                ),
                "look at the log groups of event-dispatcher and sqs-sender, and whether their roles may write to them",
            ));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether a level of the log, as the parameter `LogLevel` has it, has the lines about messages.
fn tells_of_messages(level: &str) -> bool {
    level.split(',').any(|of| ["info", "debug", "trace"].contains(&of.trim_start_matches("stages=")))
}

/// Whether a message of this user was taken, and then sent.
fn tells(events: &[Event], user: &UserId) -> bool {
    let is_accepted =
        |event: &&Event| matches!(&event.what, What::Accepted(_, of) if of.user_id.as_ref() == Some(user));
    let accepted = events.iter().find(is_accepted);
    accepted.is_some_and(|accepted| {
        events.iter().any(|event| matches!(event.what, What::Sent(_)) && event.at >= accepted.at)
    })
}

fn unread(failure: Failure) -> Finding {
    match failure {
        Failure::NotAllowed(text) => Finding::skipped(format!(
            "these keys lack the permission logs:StartQuery or logs:GetQueryResults ({text})"
        )),
        other => {
            Finding::failed(other.to_string(), "try again; if it stays, look at the functions' log groups")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sbe_core::stages::Line;

    fn told(lines: &[(&str, &str)]) -> bool {
        let line = |(at, rest): &(&str, &str)| {
            Line::parse(&format!(r#"{{"timestamp":"{at}","level":"INFO","requestId":"r",{rest}}}"#)).unwrap()
        };
        let id = MessageId::parse(BY_HTTP).unwrap();
        tells(&events(lines.iter().map(line), &id), &UserId::parse("mine").unwrap())
    }

    #[test]
    fn a_story_is_that_of_this_run_from_end_to_end() {
        let accepted = |user: &str| {
            format!(
                r#""stage":"accepted","source":"http","messages":[{{"messageId":"{BY_HTTP}","userId":"{user}"}}]"#
            )
        };
        let (mine, others) = (accepted("mine"), accepted("another run's"));
        let sent = format!(r#""stage":"sent","messages":[{{"messageId":"{BY_HTTP}","sent":1}}]"#);
        assert!(told(&[("1", &mine), ("2", &sent)]));
        assert!(!told(&[("1", &mine)]) && !told(&[("1", &sent), ("2", &mine)]));
        assert!(!told(&[("1", &others), ("2", &sent)]));
    }

    /// The template says of `LogLevel` that `info` tells the way of every message.
    #[test]
    fn levels_that_tell_of_messages() {
        let tell = ["info", "debug", "info,stages=debug", "warn,stages=info"].map(tells_of_messages);
        assert_eq!((tell, ["warn", "error", "off", ""].map(tells_of_messages)), ([true; 4], [false; 4]));
    }
}
