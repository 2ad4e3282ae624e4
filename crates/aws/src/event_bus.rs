//! The `EventBridge` bus that is told of messages which reach nobody.

use crate::{
    Error, Kind, Result,
    error::kind_of_code,
    retry::Deadline,
    settle::{FailedEntry, SettledBatch, settle_batch},
};
use aws_sdk_eventbridge::{
    Client,
    types::{PutEventsRequestEntry, PutEventsResultEntry},
};
use sbe_core::unreached::{DETAIL_TYPE, SOURCE};

/// `EventBridge`, and one bus of it.
#[derive(Debug, Clone)]
pub struct EventBus {
    events: Client,
    name: String,
}

impl EventBus {
    pub(crate) fn new(events: Client, name: String) -> Self {
        Self { events, name }
    }

    /// Puts up to ten events, whose details `detail` gives, as often as it takes for each. Events whose
    /// answer was lost are put twice.
    ///
    /// # Errors
    /// As [`settle_batch`].
    pub async fn put<T>(
        &self,
        events: Vec<T>,
        deadline: Deadline,
        detail: impl Fn(&T) -> &str,
    ) -> std::result::Result<SettledBatch<T>, (Error, SettledBatch<T>)> {
        settle_batch(events, deadline, async |events: &[T]| self.put_once(events.iter().map(&detail)).await)
            .await
    }

    /// One call; gives the entries that `EventBridge` did not take.
    async fn put_once<'a>(&self, details: impl Iterator<Item = &'a str>) -> Result<Vec<FailedEntry>> {
        let entries: Vec<PutEventsRequestEntry> = details.map(|detail| self.entry(detail)).collect();
        let count = entries.len();
        let put = self.events.put_events().set_entries(Some(entries));
        let results = put.send().await.map_err(Error::sdk("PutEvents"))?.entries.unwrap_or_default();
        if results.len() != count {
            return Err(Error::new("PutEvents", Kind::Unavailable, "an answer without all entries"));
        }
        Ok(results.iter().enumerate().filter_map(|(index, result)| failed(index, result)).collect())
    }

    fn entry(&self, detail: &str) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(DETAIL_TYPE)
            .detail(detail)
            .build()
    }
}

/// The entry that a result is of, if it was not taken. `EventBridge` calls a fault of its own
/// `InternalFailure`.
fn failed(index: usize, result: &PutEventsResultEntry) -> Option<FailedEntry> {
    let code = result.error_code()?;
    let transient = matches!(kind_of_code(code), Kind::Throttled | Kind::Unavailable);
    if !transient {
        tracing::error!(code, "an event was refused");
    }
    Some(FailedEntry { index, transient })
}
