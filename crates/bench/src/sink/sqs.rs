//! What SQS answers.

use super::{Answer, record::Arrival, server::Call, tally::steps};
use serde::Deserialize;
use std::{borrow::Cow, fmt::Write as _, io};

/// SQS bills a request for each 64 KiB of a call.
const BILLED_BYTES: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<'a> {
    #[serde(borrow)]
    queue_url: Cow<'a, str>,
    #[serde(borrow, default)]
    entries: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    message_body: Cow<'a, str>,
}

/// Calls to one queue are one after the other: its URL and the number of the call name each.
pub(super) fn identity(body: &[u8]) -> String {
    serde_json::from_slice::<Batch<'_>>(body).map(|batch| batch.queue_url.into_owned()).unwrap_or_default()
}

pub(super) fn send_message_batch(call: &Call<'_>, body: &[u8]) -> io::Result<Answer> {
    let batch: Batch<'_> = serde_json::from_slice(body)?;
    if call.attempt > 0 && call.attempt <= call.state.plan.unknown_calls {
        return Ok(Answer::error(400, "com.amazonaws.sqs#QueueDoesNotExist"));
    }
    let faults = call.state.plan.faults;
    let (mut successful, mut failed, mut taken) = (String::new(), String::new(), Vec::new());
    let mut struck = 0;
    for (index, entry) in batch.entries.iter().enumerate() {
        let id = &entry.id;
        let is_struck = faults.strikes_entry(&call.identity, call.attempt, index);
        let is_too_large = entry.message_body.len() > call.state.plan.max_body;
        if is_struck || is_too_large {
            struck += usize::from(is_struck);
            let comma = if failed.is_empty() { "" } else { "," };
            let code = if is_too_large { "InvalidMessageContents" } else { "InternalError" };
            let _ = write!(failed, r#"{comma}{{"Id":"{id}","Code":"{code}","SenderFault":{is_too_large}}}"#);
        } else {
            let comma = if successful.is_empty() { "" } else { "," };
            let _ =
                write!(successful, r#"{comma}{{"Id":"{id}","MessageId":"{ID}","MD5OfMessageBody":"{MD5}"}}"#);
            taken.push(entry);
        }
    }
    let bytes: usize = batch.entries.iter().map(|entry| entry.message_body.len()).sum();
    call.state.record().struck += struck;
    call.state.tally().taken(call.operation, taken.len(), steps(bytes, BILLED_BYTES));
    call.state.reach().sent(&batch.queue_url, taken.len());
    keep(call, &batch.queue_url, &taken);
    Ok(Answer::ok(format!(r#"{{"Successful":[{successful}],"Failed":[{failed}]}}"#)))
}

fn keep(call: &Call<'_>, url: &str, taken: &[&Entry<'_>]) {
    if !call.state.plan.records {
        return;
    }
    let mut record = call.state.record();
    let queue = record.queues.entry(url.to_owned()).or_default();
    queue.lost_answers += usize::from(!call.answered);
    let arrival = |entry: &&Entry<'_>| Arrival { body: entry.message_body.to_string(), call: call.attempt };
    queue.arrivals.extend(taken.iter().map(arrival));
}

pub(super) fn send_message(call: &Call<'_>, body: &[u8]) -> Answer {
    call.state.tally().taken(call.operation, 1, steps(body.len(), BILLED_BYTES));
    let message: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let url = message["QueueUrl"].as_str().unwrap_or_default();
    if call.state.plan.refused_queue.is_some_and(|refused| url.ends_with(refused)) {
        return Answer::error(403, "com.amazonaws.sqs#AccessDenied");
    }
    if call.state.plan.records
        && let Some(body) = message["MessageBody"].as_str()
    {
        call.state.record().sent.push(body.to_owned());
    }
    Answer::ok(format!(r#"{{"MessageId":"{ID}","MD5OfMessageBody":"{MD5}"}}"#))
}

/// As long as a real one; nobody checks them.
const ID: &str = "5fea7756-0ea4-451a-a703-a558b933e274";
const MD5: &str = "fafb00f5732ab283681e124bf8747ed1";
