//! The queue of work that was given up.

use crate::{Result, config::Config, queues::Queues};
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
    pub async fn park(&self, function: &str, reason: &str, payload: &str) -> Result<()> {
        self.queues.send(&self.url, &body(function, reason, payload)).await
    }
}

fn body(function: &str, reason: &str, payload: &str) -> String {
    let (function, reason) = (text_json(function), text_json(reason));
    let body = format!(r#"{{"function":{function},"reason":{reason},"requestPayload":{payload}}}"#);
    // JSON allows these two, SQS does not. They can only stand in strings, where they can be escaped.
    body.replace('\u{FFFE}', "\\uFFFE").replace('\u{FFFF}', "\\uFFFF")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_parked_unchanged_in_characters_that_sqs_takes() {
        let payload = "{\"text\":\"a\u{FFFE}\u{FFFF}\u{7F}\"}";
        let body = body("f", "a \"reason\"", payload);
        assert!(!body.contains(['\u{FFFE}', '\u{FFFF}']));
        let parked: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(parked["requestPayload"], serde_json::from_str::<serde_json::Value>(payload).unwrap());
        assert_eq!((&parked["function"], &parked["reason"]), (&"f".into(), &"a \"reason\"".into()));
    }
}
