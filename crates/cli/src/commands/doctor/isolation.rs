//! What a session's keys open, by real calls: their own queue for reading, and nothing else.

use super::{
    Doctor,
    check::{Finding, Found},
    identities::Kind,
    trial::{NEIGHBOUR, create},
};
use crate::failure::Failure;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use sbe_client::Consumer;
use std::{
    error::Error,
    time::{Duration, Instant},
};

const PAUSE: Duration = Duration::from_millis(200);
/// A change of a tag reaches SQS's hosts one after the other: one refusal may be followed by an answer.
const IN_A_ROW: u32 = 3;
const POLICY: &str = "give the browsers' role the one policy of the template's BrowserRole, and no other";

/// How SQS answers a call with a session's keys.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Allowed,
    Refused,
    /// It says something else.
    Unclear(String),
}

impl<T, E> From<Result<T, SdkError<E, HttpResponse>>> for Answer
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn from(result: Result<T, SdkError<E, HttpResponse>>) -> Self {
        match result.map_err(|error| Failure::aws("SQS", error)) {
            Ok(_) => Self::Allowed,
            Err(Failure::NotAllowed(_)) => Self::Refused,
            Err(other) => Self::Unclear(other.to_string()),
        }
    }
}

/// A session's keys poll their own queue.
pub(super) async fn own_queue(doctor: &Doctor) -> Found {
    let start = Instant::now();
    let opened = opens(doctor.trial.reader()?, start + doctor.timeout).await;
    match opened {
        Ok(at) => {
            doctor.trial.open();
            let after = at.duration_since(start).as_secs_f64();
            Ok(Finding::passed(format!("a session's keys poll its queue, {after:.1} s after /create")))
        }
        Err(why) => {
            let kind = Kind::of(doctor).await.unwrap_or(Kind::Developer);
            Err(Finding::failed(
                format!(
                    "a session's keys, of a {} identity, do not open its own queue: {why}",
                    kind.parameter()
                ),
                format!(
                    "compare the browsers' role and the queue's tag with docs/SECURITY.md; if they are right, deploy \
                     with Identities={}, whose keys AWS makes in another way",
                    kind.other()
                ),
            ))
        }
    }
}

/// When the keys open their queue; the last answer if they do not until `end`.
async fn opens(consumer: &Consumer, end: Instant) -> Result<Instant, String> {
    loop {
        let why = match Answer::from(consumer.receive(0).await) {
            Answer::Allowed => return Ok(Instant::now()),
            Answer::Refused => "refused".to_owned(),
            Answer::Unclear(text) => text,
        };
        if Instant::now() > end {
            return Err(why);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// They do not read another session's queue.
pub(super) async fn other_queue(doctor: &Doctor) -> Found {
    doctor.trial.check_open()?;
    let (sqs, url) = (&doctor.trial.reader()?.sqs, &doctor.trial.neighbour()?.session.sqs_url);
    let receive = sqs.receive_message().queue_url(url).visibility_timeout(0).send().await;
    let look =
        sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All).send().await;
    let read = judge("poll another session's queue", receive.into());
    let seen = judge("read the attributes of another session's queue", look.into());
    Ok(if read.remedy.is_some() { read } else { Finding { detail: read.detail, ..seen } })
}

/// They do not send.
pub(super) async fn send(doctor: &Doctor) -> Found {
    let probe = probe(doctor)?;
    let send =
        probe.sqs.send_message().queue_url(&probe.session.sqs_url).message_body("sbe doctor").send().await;
    Ok(judge("send to their queue", send.into()))
}

/// They do not purge.
pub(super) async fn purge(doctor: &Doctor) -> Found {
    let probe = probe(doctor)?;
    let purge = probe.sqs.purge_queue().queue_url(&probe.session.sqs_url).send().await;
    Ok(judge("purge their queue", purge.into()))
}

/// They do not list queues.
pub(super) async fn list(doctor: &Doctor) -> Found {
    let list =
        probe(doctor)?.sqs.list_queues().queue_name_prefix(doctor.system.queue_prefix()).max_results(1);
    Ok(judge("list queues", list.send().await.into()))
}

/// They do not tag.
pub(super) async fn tag(doctor: &Doctor) -> Found {
    let probe = probe(doctor)?;
    let tag = probe.sqs.tag_queue().queue_url(&probe.session.sqs_url).tags("sbe-doctor", "1").send().await;
    Ok(judge("tag their queue", tag.into()))
}

/// They do not delete their queue.
pub(super) async fn delete(doctor: &Doctor) -> Found {
    let probe = probe(doctor)?;
    let delete = probe.sqs.delete_queue().queue_url(&probe.session.sqs_url).send().await;
    Ok(judge("delete their queue", delete.into()))
}

fn probe(doctor: &Doctor) -> Result<&Consumer, Finding> {
    doctor.trial.check_open()?;
    doctor.trial.probe()
}

fn judge(what: &str, answer: Answer) -> Finding {
    match answer {
        Answer::Refused => Finding::passed(format!("a session's keys may not {what}")),
        Answer::Allowed => Finding::failed(format!("a session's keys may {what}"), POLICY),
        Answer::Unclear(text) => Finding::failed(
            format!("it cannot be told whether a session's keys may {what}: {text}"),
            "try again",
        ),
    }
}

/// After `/create` the former keys are shut out, and the new ones open the queue.
pub(super) async fn shut_out(doctor: &Doctor) -> Found {
    doctor.trial.check_open()?;
    let former = doctor.trial.neighbour()?;
    let before = opens(former, Instant::now() + doctor.timeout).await;
    before.map_err(|why| {
        Finding::failed(format!("the keys of a second session do not open its queue: {why}"), POLICY)
    })?;
    let present = create(doctor, NEIGHBOUR).await?;
    let moved = Instant::now();
    let end = moved + doctor.timeout;
    let (shut, opened) = futures::join!(shuts(former, end), opens(&present, end));
    let after = |at: Instant| at.duration_since(moved).as_secs_f64();
    let Some(shut) = shut else {
        let detail =
            format!("former keys still open the queue {:.0} s after /create", doctor.timeout.as_secs_f64());
        return Err(Finding::failed(
            detail,
            "check that the role's condition names the tag identityId, and the queue's tag",
        ));
    };
    let opened = opened.map_err(|why| {
        let seconds = doctor.timeout.as_secs_f64();
        let detail = format!("the new keys do not open the queue {seconds:.0} s after /create: {why}");
        Finding::failed(detail, "check the queue's tag identityId, and the logs of session-manager")
    })?;
    Ok(Finding::passed(format!(
        "former keys are shut out {:.1} s after /create; the new ones open the queue after {:.1} s",
        after(shut),
        after(opened)
    )))
}

/// Since when the keys are refused; `None` if they are not until `end`.
async fn shuts(consumer: &Consumer, end: Instant) -> Option<Instant> {
    let (mut since, mut refusals) = (None, 0);
    loop {
        let now = Instant::now();
        match Answer::from(consumer.receive(0).await) {
            Answer::Refused => {
                refusals += 1;
                let first = *since.get_or_insert(now);
                if refusals == IN_A_ROW {
                    return Some(first);
                }
            }
            Answer::Allowed => (since, refusals) = (None, 0),
            Answer::Unclear(_) => {}
        }
        if now > end {
            return None;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};

    #[test]
    fn only_a_refusal_passes() {
        assert_eq!(judge("send", Answer::Refused).outcome, Outcome::Passed);
        assert_eq!(judge("send", Answer::Allowed).outcome, Outcome::Failed);
        assert_eq!(judge("send", Answer::Unclear("timeout".into())).outcome, Outcome::Failed);
    }
}
