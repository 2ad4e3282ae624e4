//! The queue of work that was given up.

use crate::{
    Result,
    config::Config,
    queues::Queues,
    retry::{Deadline, retry},
};
use sbe_core::message::text_json;

/// The failed queue.
#[derive(Debug, Clone)]
pub struct Parking {
    queues: Queues,
    url: String,
}

impl Parking {
    pub(crate) fn new(queues: Queues, config: &Config) -> Self {
        Self { queues, url: config.failed_queue_url.clone() }
    }

    /// Parks a function's payload with the reason, in the form of Lambda's own failed events as far as
    /// it is needed to invoke the function again.
    pub async fn park(&self, function: &str, reason: &str, payload: &str, deadline: Deadline) -> Result<()> {
        let body = format!(
            r#"{{"function":{},"reason":{},"requestPayload":{payload}}}"#,
            text_json(function),
            text_json(reason)
        );
        retry(deadline, || self.queues.send(&self.url, &body)).await
    }
}
