//! What came to the session that messages are sent to.

use super::check::{Finding, answer};
use sbe_client::Consumer;
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Seconds that one poll waits; others who wait for a message wait for its end.
const POLL: u64 = 2;

/// Messages that came, whoever waited for them.
#[derive(Debug, Default)]
pub(super) struct Inbox(Mutex<Came>);

#[derive(Debug, Default)]
struct Came {
    messages: Vec<(Value, Instant)>,
    unreadable: usize,
}

impl Inbox {
    /// When the message came for which the others wait; `None` if it has not until `end`. One who waits
    /// polls for all.
    pub(super) async fn wait(
        &self,
        reader: &Consumer,
        end: Instant,
        is_it: impl Fn(&Value) -> bool,
    ) -> Result<Option<Instant>, Finding> {
        loop {
            let mut came = self.0.lock().await;
            if let Some((_, at)) = came.messages.iter().find(|(message, _)| is_it(message)) {
                return Ok(Some(*at));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            came.poll(reader, left).await?;
        }
    }

    /// The messages that came and decrypt, and how many do not.
    pub(super) async fn all(&self) -> (Vec<Value>, usize) {
        let came = self.0.lock().await;
        (came.messages.iter().map(|(message, _)| message.clone()).collect(), came.unreadable)
    }
}

impl Came {
    async fn poll(&mut self, reader: &Consumer, left: Duration) -> Result<(), Finding> {
        let seconds = i32::try_from(left.as_secs().clamp(1, POLL)).unwrap_or(1);
        let deliveries = answer("sqs:ReceiveMessage", reader.receive(seconds).await)?;
        let now = Instant::now();
        let left = answer("sqs:DeleteMessage", reader.delete(&deliveries).await)?;
        if left > 0 {
            return Err(Finding::failed(
                "a session's keys may not delete what they have received",
                "give the browsers' role the policy of the template's BrowserRole",
            ));
        }
        for delivery in deliveries {
            match delivery.text.as_deref().map(serde_json::from_str) {
                Some(Ok(message)) => self.messages.push((message, now)),
                _ => self.unreadable += 1,
            }
        }
        Ok(())
    }
}
