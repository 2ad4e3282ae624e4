//! Messages from publisher to session, by both ways, and what the history keeps of them.

use super::{
    Doctor,
    check::{Finding, Found, answer_if_any},
    functions::variable,
    queues::waiting,
    trial::READER,
};
use aws_sdk_kinesis::primitives::Blob;
use sbe_client::causes;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(200);
const TYPE: &str = "sbe-doctor";

/// The id of the message that goes by HTTP, in the history of the doctor's own user.
pub(super) const BY_HTTP: &str = "sbe-doctor-http";
const BY_KINESIS: &str = "sbe-doctor-kinesis";

/// A message by HTTP reaches its session.
pub(super) async fn http(doctor: &Doctor) -> Found {
    doctor.trial.reader()?;
    let body = json!({"messageId": BY_HTTP, "_type": TYPE, "text": doctor.trial.account});
    let (account, user) = (&doctor.trial.account, &doctor.trial.user);
    let path = format!("/notify/{account}/user/{user}/session/{READER}");
    doctor.trial.expect_entry(BY_HTTP);
    let start = Instant::now();
    let reply = doctor.api.call("POST", &path, body.to_string()).await.map_err(|error| {
        doctor.trial.expect_no_entry(BY_HTTP);
        let remedy = "look at the logs of event-dispatcher, and at its role";
        Finding::failed(format!("the API does not take a message: {}", causes(&error)), remedy)
    })?;
    let handed = format!("/notify handed it to {} sessions", reply["sessions"]);
    arrival(doctor, BY_HTTP, start, &handed, "look at the logs of event-dispatcher and sqs-sender").await
}

/// A message by Kinesis reaches its session.
pub(super) async fn kinesis(doctor: &Doctor) -> Found {
    doctor.trial.reader()?;
    let record = json!({
        "accountId": doctor.trial.account, "userId": doctor.trial.user, "sessionId": READER,
        "messageId": BY_KINESIS, "_type": TYPE, "_sqs_only": 1, "text": doctor.trial.account,
    });
    let put = doctor.system.kinesis().put_record().stream_name(&doctor.system.stream).partition_key(READER);
    let start = Instant::now();
    let put = put.data(Blob::new(record.to_string())).send().await;
    if answer_if_any("kinesis:PutRecord", put)?.is_none() {
        return Ok(Finding::skipped(format!("there is no stream {}", doctor.system.stream)));
    }
    let remedy = "look at the stream's mapping, and at the logs of event-dispatcher and sqs-sender";
    arrival(doctor, BY_KINESIS, start, "the stream took it", remedy).await
}

/// Waits for a message; says how long it took, or where to look.
async fn arrival(doctor: &Doctor, id: &str, start: Instant, taken: &str, remedy: &str) -> Found {
    doctor.trial.check_open()?;
    let reader = doctor.trial.reader()?;
    let came =
        doctor.trial.inbox.wait(reader, start + doctor.timeout, |message| message["messageId"] == id).await?;
    if let Some(at) = came {
        let milliseconds = at.duration_since(start).as_millis();
        return Ok(Finding::passed(format!("a message reached its session after {milliseconds} ms")));
    }
    let failed = waiting(doctor, &doctor.system.failed_queue_url).await.ok().flatten().unwrap_or_default();
    Err(Finding::failed(
        format!(
            "no message came within {:.0} s; {taken}, and about {failed} messages are in the failed queue",
            doctor.timeout.as_secs_f64()
        ),
        format!(
            "{remedy}, and at the failed queue (sbe failed list); the role of sqs-sender must allow sqs:SendMessage \
             on the session queues"
        ),
    ))
}

/// What came decrypts, and is what was published.
pub(super) async fn decryption(doctor: &Doctor) -> Found {
    let (messages, unreadable) = doctor.trial.inbox.all().await;
    Ok(judge_decryption(&messages, unreadable, &doctor.trial.account))
}

fn judge_decryption(messages: &[Value], unreadable: usize, text: &str) -> Finding {
    let altered = messages.iter().filter(|of| of["_type"] == TYPE && of["text"] != text).count();
    match (messages.len(), unreadable, altered) {
        (0, 0, _) => Finding::skipped("no message came"),
        (count, 0, 0) => Finding::passed(format!("{count} messages decrypt, and are what was published")),
        (_, 0, altered) => Finding::failed(
            format!("{altered} messages are not what was published"),
            "deploy all of one release",
        ),
        (_, unreadable, _) => Finding::failed(
            format!("{unreadable} messages do not decrypt under the session's key"),
            "check that nobody else sends to session queues, and that all functions are of one release",
        ),
    }
}

/// The user's history keeps the message.
pub(super) async fn history(doctor: &Doctor) -> Found {
    doctor.trial.reader()?;
    let start = Instant::now();
    loop {
        if entry(doctor).await?.is_some() {
            let seconds = start.elapsed().as_secs_f64();
            return Ok(Finding::passed(format!(
                "the user's history has the message, seen after {seconds:.1} s"
            )));
        }
        if start.elapsed() > doctor.timeout {
            let seconds = doctor.timeout.as_secs_f64();
            return Err(Finding::failed(
                format!("the user's history does not have the message that was published {seconds:.0} s ago"),
                "look at the logs of user-history-adder, at its role, and at the failed queue (sbe failed list)",
            ));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The entry of the message that went by HTTP.
async fn entry(doctor: &Doctor) -> Result<Option<Value>, Finding> {
    let path = format!("/messages/user/{}", doctor.trial.user);
    let reply = doctor.api.call("GET", &path, "").await.map_err(|error| unread(&causes(&error)))?;
    let entries = reply["messages"].as_array().cloned().unwrap_or_default();
    Ok(entries.into_iter().find(|entry| entry["messageId"] == BY_HTTP))
}

fn unread(why: &str) -> Finding {
    let remedy = "look at the logs of messages-api, and at its role";
    Finding::failed(format!("the API does not serve the history: {why}"), remedy)
}

/// The message is marked read, and the user's sessions are told.
pub(super) async fn receipt(doctor: &Doctor) -> Found {
    let reader = doctor.trial.reader()?;
    let (before, skipped) =
        (entry(doctor).await, || Finding::skipped("the history does not have the message"));
    before.ok().flatten().ok_or_else(skipped)?;
    let path = format!("/messages/set-read/user/{}", doctor.trial.user);
    let reply = doctor.api.call("POST", &path, json!([BY_HTTP]).to_string()).await;
    let reply = reply.map_err(|error| unread(&causes(&error)))?;
    let is_read = entry(doctor).await?.is_some_and(|entry| entry["is_read"] == 1);
    if reply["messages_receipted"] != json!([BY_HTTP]) || !is_read {
        let remedy = "look at the logs of messages-api, and at its role";
        return Err(Finding::failed("a message that is marked read stays unread", remedy));
    }
    let told = variable(doctor, "messages-api", "SEND_READ_RECEIPTS_VIA_SQS").await.ok().flatten();
    if told.as_deref() == Some("0") {
        return Ok(Finding::passed("the message is marked read; sessions are not told, as deployed"));
    }
    if doctor.trial.inbox.all().await.0.is_empty() {
        return Ok(Finding::passed(
            "the message is marked read; no message comes to the session, so no receipt either",
        ));
    }
    let is_receipt = |message: &Value| message["messages-receipted"] == json!([BY_HTTP]);
    match doctor.trial.inbox.wait(reader, Instant::now() + doctor.timeout, is_receipt).await? {
        Some(_) => Ok(Finding::passed("the message is marked read, and the session is told")),
        None => Err(Finding::failed(
            "the message is marked read, but the session is not told",
            "look at the logs of messages-api and event-dispatcher, and at the failed queue (sbe failed list)",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};

    #[test]
    fn what_came_is_what_was_published() {
        let message = |text: &str| json!({"_type": TYPE, "text": text});
        let outcome = |messages: &[Value], unreadable| judge_decryption(messages, unreadable, "t").outcome;
        assert_eq!(outcome(&[], 0), Outcome::Skipped);
        assert_eq!(outcome(&[message("t"), json!({"_type": "message-read-receipt"})], 0), Outcome::Passed);
        assert_eq!(outcome(&[message("t")], 1), Outcome::Failed);
        assert_eq!(outcome(&[message("other")], 0), Outcome::Failed);
    }
}
