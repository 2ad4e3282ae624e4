//! The queues: what was rejected or given up, and whose the sessions' queues are.

use super::{
    Doctor,
    check::{Finding, Found, answer, answer_if_any},
};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// So many sessions are looked at.
const SAMPLE: i32 = 25;
/// A session that is being created or renewed differs from its queue for a moment.
const PAUSE: Duration = Duration::from_secs(2);
const AT_ONCE: usize = 5;

/// No message was rejected.
pub(super) async fn rejected(doctor: &Doctor) -> Found {
    let waiting = waiting(doctor, &doctor.system.rejected_queue_url).await?;
    let remedy = "mend the publisher; sbe rejected list says why, sbe rejected replay or drop empties it";
    Ok(judge_waiting(waiting, "rejected queue", remedy))
}

/// No work was given up.
pub(super) async fn failed(doctor: &Doctor) -> Found {
    let waiting = waiting(doctor, &doctor.system.failed_queue_url).await?;
    let remedy = "sbe failed list says why; mend the cause, then sbe failed replay";
    Ok(judge_waiting(waiting, "failed queue", remedy))
}

/// How many messages a queue has; `None` where there is no such queue.
pub(super) async fn waiting(doctor: &Doctor, url: &str) -> Result<Option<u64>, Finding> {
    let get = doctor.system.sqs().get_queue_attributes().queue_url(url);
    let get = get
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible);
    let reply = answer_if_any("sqs:GetQueueAttributes", get.send().await)?;
    let counts = reply.map(|reply| reply.attributes.unwrap_or_default());
    Ok(counts.map(|counts| counts.values().filter_map(|count| count.parse::<u64>().ok()).sum()))
}

fn judge_waiting(waiting: Option<u64>, what: &str, remedy: &str) -> Finding {
    match waiting {
        None => Finding::failed(format!("there is no {what}"), "deploy the template again"),
        Some(0) => Finding::passed(format!("the {what} is empty")),
        Some(waiting) => Finding::failed(format!("about {waiting} messages are in the {what}"), remedy),
    }
}

/// The queues of a sample of sessions are there, and tagged with the sessions' identities.
pub(super) async fn tags(doctor: &Doctor) -> Found {
    let sample = sample(doctor).await?;
    let looked_at = sample.len();
    let mut found = faulty(doctor, sample).await?;
    if !found.is_empty() {
        tokio::time::sleep(PAUSE).await;
        let again = stream::iter(found).map(|(session, _)| read(doctor, session)).buffered(AT_ONCE);
        let again: Vec<Option<Session>> = again.try_collect().await?;
        found = faulty(doctor, again.into_iter().flatten().collect()).await?;
    }
    let faults: Vec<String> = found.into_iter().map(|(_, fault)| fault).collect();
    let well = format!(
        "{looked_at} sessions looked at: each queue is there, with the tag of its session's identity"
    );
    let remedy =
        "create the session again (sbe create ACCOUNT SESSION): the tag is moved, or the queue made anew";
    Ok(Finding::of_faults(&faults, well, remedy))
}

/// What the table says of a session.
#[derive(Debug)]
struct Session {
    account: String,
    id: String,
    url: String,
    identity: String,
}

const SEEN: &str = "accountId, sessionId, sqsUrl, identityId";

async fn sample(doctor: &Doctor) -> Result<Vec<Session>, Finding> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let scan = doctor.system.dynamodb().scan().table_name(&doctor.system.session_table).limit(SAMPLE);
    let scan = scan
        .projection_expression(SEEN)
        .filter_expression("#ttl > :now")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":now", AttributeValue::N(now.to_string()));
    let page = answer_if_any("dynamodb:Scan", scan.send().await)?;
    let Some(page) = page else { return Err(Finding::skipped("there is no table of sessions")) };
    Ok(page.items.unwrap_or_default().iter().filter_map(session).collect())
}

/// A session as it is now; `None` where it has ended.
async fn read(doctor: &Doctor, session: Session) -> Result<Option<Session>, Finding> {
    let get = doctor.system.dynamodb().get_item().table_name(&doctor.system.session_table);
    let get = get
        .key("accountId", AttributeValue::S(session.account))
        .key("sessionId", AttributeValue::S(session.id))
        .projection_expression(SEEN)
        .consistent_read(true);
    let item = answer("dynamodb:GetItem", get.send().await)?.item;
    Ok(item.as_ref().and_then(self::session))
}

fn session(item: &HashMap<String, AttributeValue>) -> Option<Session> {
    let text = |name: &str| item.get(name)?.as_s().ok().cloned();
    let (account, id) = (text("accountId")?, text("sessionId")?);
    Some(Session { account, id, url: text("sqsUrl")?, identity: text("identityId")? })
}

/// Those sessions whose queue is not as it should be, and why.
async fn faulty(doctor: &Doctor, sessions: Vec<Session>) -> Result<Vec<(Session, String)>, Finding> {
    let looks = stream::iter(sessions).map(async |session| {
        let tags = doctor.system.sqs().list_queue_tags().queue_url(&session.url).send().await;
        let tags = answer_if_any("sqs:ListQueueTags", tags)?.map(|reply| reply.tags.unwrap_or_default());
        let fault = judge_tags(&session, tags.as_ref());
        Ok(fault.map(|fault| (session, fault)))
    });
    looks.buffered(AT_ONCE).try_filter_map(async |faulty| Ok(faulty)).try_collect().await
}

fn judge_tags(session: &Session, tags: Option<&HashMap<String, String>>) -> Option<String> {
    let Session { account, id, identity, .. } = session;
    match tags.map(|tags| tags.get("identityId")) {
        None => Some(format!("session {id} of account {account} has lost its queue")),
        Some(Some(tag)) if tag == identity => None,
        Some(_) => Some(format!(
            "the queue of session {id} of account {account} has another identity's tag, or none"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};

    #[test]
    fn a_queue_is_empty_or_something_is_to_be_done() {
        assert_eq!(judge_waiting(Some(0), "failed queue", "replay").outcome, Outcome::Passed);
        assert_eq!(judge_waiting(Some(3), "failed queue", "replay").remedy.as_deref(), Some("replay"));
        assert_eq!(judge_waiting(None, "failed queue", "replay").outcome, Outcome::Failed);
    }

    #[test]
    fn the_tag_names_the_identity_of_the_session() {
        let text = ToOwned::to_owned;
        let session =
            Session { account: "1".into(), id: "tab".into(), url: String::new(), identity: "r:7".into() };
        let tagged = |tag: &str| HashMap::from([(text("identityId"), text(tag))]);
        assert_eq!(judge_tags(&session, Some(&tagged("r:7"))), None);
        assert!(judge_tags(&session, Some(&tagged("r:8"))).unwrap().contains("another identity"));
        assert!(judge_tags(&session, Some(&HashMap::new())).unwrap().contains("or none"));
        assert!(judge_tags(&session, None).unwrap().contains("lost its queue"));
    }
}
