//! Does again what was given up.
//!
//! An invocation goes to its function as it was, asynchronously: Lambda tries it again and parks it again
//! by itself. Records of the stream are read from it once more and handed to the dispatcher in Kinesis's own
//! form, so that they have the same `messageId`s; the answer is waited for, since it names the records that
//! failed, and nobody else would read it.

use super::{
    entry::{Entry, Pointers, Work},
    records,
};
use crate::{failure::Failure, parked::queue::Held};
use aws_sdk_lambda::{
    config::{retry::RetryConfig, timeout::TimeoutConfig},
    primitives::Blob,
    types::InvocationType,
};
use sbe_client::System;
use sbe_core::ALIAS;
use serde::Deserialize;
use std::time::Duration;

/// The dispatcher's time, and some.
const DISPATCHER: Duration = Duration::from_secs(130);

/// Does the work of an entry again.
pub(super) async fn replay(system: &System, held: &Held) -> Result<(), Failure> {
    let unknown = || Failure::Refused(format!("{}: drop it", Entry::unreadable().reason));
    let entry = Entry::read(&held.body).map_err(|_| unknown())?;
    match entry.work() {
        Work::Unknown => Err(unknown()),
        _ if !entry.function().starts_with(&system.function("")) => Err(Failure::Refused(format!(
            "{} is no function of environment {}",
            entry.function(),
            system.env
        ))),
        Work::Invocation(payload) => invoke(system, &format!("{}:{ALIAS}", entry.function()), payload).await,
        Work::Records(pointers) => dispatch(system, pointers).await,
        Work::Changes(pointers) => Err(changes(pointers)),
    }
}

/// Hands the payload over, byte for byte.
async fn invoke(system: &System, function: &str, payload: &str) -> Result<(), Failure> {
    let invoke = system.lambda().invoke().function_name(function).invocation_type(InvocationType::Event);
    let reply = invoke.payload(Blob::new(payload)).send().await;
    let status = reply.map_err(|error| Failure::aws(&format!("invoking {function}"), error))?.status_code;
    if status == 202 {
        return Ok(());
    }
    Err(Failure::Unavailable(format!("invoking {function}: it was answered {status}, not 202")))
}

/// Hands the records of a batch to the dispatcher, in order.
async fn dispatch(system: &System, pointers: &Pointers) -> Result<(), Failure> {
    let records = records::fetch(system, pointers).await?;
    for event in records::events(&records, pointers, &system.region) {
        dispatch_event(system, event).await?;
    }
    Ok(())
}

async fn dispatch_event(system: &System, event: String) -> Result<(), Failure> {
    let function = system.live("event-dispatcher");
    let patience = TimeoutConfig::builder().operation_attempt_timeout(DISPATCHER).build();
    // Tried again by whoever replays, who is told.
    let settings =
        aws_sdk_lambda::config::Builder::new().timeout_config(patience).retry_config(RetryConfig::disabled());
    let invoke = system.lambda().invoke().function_name(&function).payload(Blob::new(event));
    let reply = invoke.customize().config_override(settings).send().await;
    let reply = reply.map_err(|error| Failure::aws(&format!("invoking {function}"), error))?;
    let answer = reply.payload.map(Blob::into_inner).unwrap_or_default();
    if let Some(kind) = reply.function_error {
        return Err(Failure::Unavailable(format!("{function} failed ({kind}); its log says why")));
    }
    failed_record(&answer).map_or(Ok(()), |record| {
        Err(Failure::Unavailable(format!("{function} could not do record {record} and those behind it")))
    })
}

/// The first record that failed, by the dispatcher's answer.
fn failed_record(answer: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        batch_item_failures: Vec<Item>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Item {
        item_identifier: Option<String>,
    }
    match serde_json::from_slice::<Answer>(answer) {
        Ok(answer) => {
            let first = answer.batch_item_failures.into_iter().next();
            first.map(|item| item.item_identifier.unwrap_or_else(|| "unknown".into()))
        }
        // An answer in another form is no success.
        Err(_) => Some("unknown".into()),
    }
}

fn changes(pointers: &Pointers) -> Failure {
    Failure::Refused(format!(
        "{} changes of the sessions table cannot be replayed: sbe cleanup deletes the queues that they left; their \
         Cognito identities stay and open nothing; then drop it",
        pointers.batch_size
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_names_what_failed() {
        let failed = |answer: &str| failed_record(answer.as_bytes());
        assert_eq!(failed(r#"{"batchItemFailures":[]}"#), None);
        assert_eq!(failed(r#"{"batchItemFailures":[{"itemIdentifier":"7"}]}"#), Some("7".into()));
        for no_success in ["", "null", r#"{"success":true}"#] {
            assert_eq!(failed(no_success), Some("unknown".into()), "{no_success}");
        }
    }
}
