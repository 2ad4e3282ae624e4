//! Removes the queues and identities of sessions that are gone.
//!
//! Fed by the sessions table's stream: a removed session (ended, or expired by its TTL) leaves a
//! queue and an identity; a changed one may leave an old queue or an old identity. Gone already is
//! success. A record that cannot be handled is reported by itself, so that it blocks no other.

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use lambda_runtime::{Error, LambdaEvent};
use sbe_aws::{
    Kind,
    clients::Clients,
    config::Config,
    identities::{Identities, Undeleted},
    queues::Queues,
    retry::{Backoff, Deadline, retry},
    settle::settle,
};
use sbe_core::life::Owned;
use sbe_edge::metrics;
use std::collections::HashSet;

/// What the function works with.
pub struct App {
    queues: Queues,
    identities: Identities,
    config: Config,
}

impl App {
    /// Builds the app from configured clients.
    pub fn new(clients: &Clients) -> Self {
        // Every call is tried again here, within the time there is.
        let clients = clients.without_retries();
        Self { queues: clients.queues(), identities: clients.identities(), config: clients.config().clone() }
    }
}

/// What a record leaves behind.
#[derive(Debug)]
struct Leftovers {
    sequence_number: String,
    has_ended: bool,
    owned: Owned,
}

/// Handles one batch of the stream; the records that failed are to be handled again.
pub async fn handle(app: &'static App, event: LambdaEvent<Event>) -> Result<DynamoDbEventResponse, Error> {
    let deadline = Deadline::from_epoch_millis(event.context.deadline);
    let leftovers: Vec<Leftovers> = event.payload.records.iter().map(leftovers).collect();
    let mut failed = remove_queues(app, &leftovers, deadline).await;
    let kept = remove_identities(app, &leftovers, deadline).await;
    let has_kept =
        |record: &&Leftovers| record.owned.identity_id.as_ref().is_some_and(|id| kept.contains(id));
    failed.extend(leftovers.iter().filter(has_kept).map(|record| record.sequence_number.clone()));
    let counts = [
        ("Records", leftovers.len() as u64),
        ("Ended", ended(&leftovers, &failed) as u64),
        ("Failed", failed.len() as u64),
    ];
    metrics::record(&app.config, &counts);
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures = failed.into_iter().map(failure).collect();
    Ok(response)
}

fn leftovers(record: &EventRecord) -> Leftovers {
    let change = &record.change;
    Leftovers {
        sequence_number: change.sequence_number.clone().unwrap_or_default(),
        has_ended: record.event_name == "REMOVE",
        owned: owned(&change.old_image).left_behind(&owned(&change.new_image)),
    }
}

/// The sessions that have ended and have left nothing; one that is tried again is counted then.
fn ended(leftovers: &[Leftovers], failed: &HashSet<String>) -> usize {
    let is_done = |record: &&Leftovers| record.has_ended && !failed.contains(&record.sequence_number);
    leftovers.iter().filter(is_done).count()
}

fn owned(image: &serde_dynamo::Item) -> Owned {
    Owned { sqs_url: text(image, "sqsUrl"), identity_id: text(image, "identityId") }
}

fn text(item: &serde_dynamo::Item, name: &str) -> Option<String> {
    match item.get(name) {
        Some(serde_dynamo::AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Deletes the queues; gives the sequence numbers of those that could not be deleted.
async fn remove_queues(app: &App, leftovers: &[Leftovers], deadline: Deadline) -> HashSet<String> {
    let queues = leftovers.iter().filter_map(|record| Some((record, record.owned.sqs_url.as_deref()?)));
    let delete = async |(_, url): &(&Leftovers, &str)| app.queues.delete(url).await;
    let settled = settle(queues, app.config.max_concurrency, deadline, delete).await;
    for ((record, _), error) in &settled.refused {
        tracing::error!(sequence_number = record.sequence_number, %error, "a queue was not deleted");
    }
    let refused = settled.refused.into_iter().map(|(queue, _)| queue);
    settled.left.into_iter().chain(refused).map(|(record, _)| record.sequence_number.clone()).collect()
}

/// Deletes the identities; gives those that could not be deleted.
async fn remove_identities(app: &App, leftovers: &[Leftovers], deadline: Deadline) -> HashSet<String> {
    let mut kept = HashSet::new();
    let mut waiting: Vec<String> =
        leftovers.iter().filter_map(|record| record.owned.identity_id.clone()).collect();
    let mut backoff = Backoff::new();
    while !waiting.is_empty() {
        let (transient, refused): (Vec<Undeleted>, Vec<Undeleted>) =
            delete_identities(app, &waiting, deadline).await.into_iter().partition(|left| left.transient);
        kept.extend(refused.into_iter().map(|left| left.identity_id));
        waiting = transient.into_iter().map(|left| left.identity_id).collect();
        if !waiting.is_empty() && !backoff.wait(deadline).await {
            break;
        }
    }
    kept.extend(waiting);
    kept
}

/// One call for all; if Cognito refuses it because of one, one call for each, so that a single bad
/// id blocks no other. An identity that is gone is as good as deleted.
async fn delete_identities(app: &App, ids: &[String], deadline: Deadline) -> Vec<Undeleted> {
    match retry(deadline, || app.identities.delete(ids)).await {
        Ok(left) => left,
        Err(error) if !error.is_transient() && ids.len() > 1 => {
            let each =
                ids.iter().map(|id| Box::pin(delete_identities(app, std::slice::from_ref(id), deadline)));
            futures::future::join_all(each).await.concat()
        }
        Err(error) if error.kind() == Kind::NotFound => Vec::new(),
        Err(error) => {
            tracing::error!(%error, identities = ids.len(), "identities were not deleted");
            let undeleted = |id: &String| Undeleted { identity_id: id.clone(), transient: false };
            ids.iter().map(undeleted).collect()
        }
    }
}

fn failure(sequence_number: String) -> DynamoDbBatchItemFailure {
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = Some(sequence_number);
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_that_were_renewed_or_are_tried_again_have_not_ended() {
        let record = |(name, number): (&str, &str)| {
            let mut record = EventRecord::default();
            record.event_name = name.into();
            record.change.sequence_number = Some(number.into());
            leftovers(&record)
        };
        let leftovers = [("REMOVE", "1"), ("MODIFY", "2"), ("REMOVE", "3")].map(record);
        assert_eq!(ended(&leftovers, &HashSet::new()), 2);
        assert_eq!(ended(&leftovers, &HashSet::from(["3".to_owned()])), 1);
    }
}
