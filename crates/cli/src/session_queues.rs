//! The session queues of an environment, as SQS lists them.

use crate::{failure::Failure, patience::patiently};
use aws_sdk_sqs::operation::delete_queue::DeleteQueueError;
use futures::{Stream, stream};
use sbe_client::System;
use sbe_core::cleanup::queue_key;

/// SQS lists so many at a time.
const PAGE: i32 = 1000;

/// Pages of the URLs of all session queues, those included that no session owns. A queue that was just made
/// may be missing, and one that was just deleted may be listed for a minute.
pub fn pages(system: &System) -> impl Stream<Item = Result<Vec<String>, Failure>> + '_ {
    stream::try_unfold(Some(None), move |start: Option<Option<String>>| async move {
        let Some(token) = start else { return Ok(None) };
        let list = async || {
            let list = system.sqs().list_queues().queue_name_prefix(system.queue_prefix());
            let reply = list.max_results(PAGE).set_next_token(token.clone()).send().await;
            reply.map_err(|error| Failure::aws("listing queues", error))
        };
        let reply = patiently(list).await?;
        // The prefix alone does not tell: environment `a` must not take the queues of `a-brws-b` for its own.
        let mut urls = reply.queue_urls.unwrap_or_default();
        urls.retain(|url| queue_key(&system.env, url).is_some());
        Ok(Some((urls, reply.next_token.map(Some))))
    })
}

/// Deletes a queue; whether it was there.
pub async fn delete(system: &System, url: &str) -> Result<bool, Failure> {
    let delete = async || match system.sqs().delete_queue().queue_url(url).send().await {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(DeleteQueueError::is_queue_does_not_exist) => {
            Ok(false)
        }
        Err(error) => Err(Failure::aws("deleting a queue", error)),
    };
    patiently(delete).await
}
