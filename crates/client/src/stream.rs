//! Puts messages on the Kinesis stream by `PutRecords`; only what the stream did not take is put again.
//!
//! What order holds: a batch is put when the one before it is done, so that batches of one caller
//! follow each other. Within a batch the records of a shard keep their order, but for those that the
//! stream refused at first: they come after the others of their batch.

use crate::backoff::Backoff;
use aws_sdk_kinesis::{
    Client,
    error::SdkError,
    operation::put_records::{PutRecordsError, PutRecordsOutput},
    primitives::Blob,
    types::PutRecordsRequestEntry,
};
use std::time::Duration;
use tokio::time::Instant;

/// A batch has at most so many records.
pub const MAX_RECORDS: usize = 500;

/// A batch has at most so many bytes, data and partition keys together.
pub const MAX_BYTES: usize = 5 * 1024 * 1024;

/// A record has at most so many bytes of data and partition key: what every stream takes.
pub const MAX_RECORD_BYTES: usize = 1024 * 1024;

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Records that are put together. It knows which of them the stream has taken, also when a put is
/// dropped half way.
#[derive(Debug, Default)]
pub struct Batch {
    entries: Vec<PutRecordsRequestEntry>,
    bytes: usize,
    /// Indexes of the records that are not known to be taken, ascending.
    waiting: Vec<usize>,
    repeated: u64,
}

impl Batch {
    /// Whether a record with so many bytes of data and partition key has room in it. The first one has.
    pub fn has_room_for(&self, bytes: usize) -> bool {
        self.entries.is_empty() || (self.entries.len() < MAX_RECORDS && self.bytes + bytes <= MAX_BYTES)
    }

    /// Adds a record, for which there must be [room](Self::has_room_for). The partition key has 1 to 256
    /// characters.
    pub fn push(&mut self, partition_key: impl Into<String>, data: impl Into<Vec<u8>>) {
        let (partition_key, data) = (partition_key.into(), data.into());
        self.bytes += partition_key.len() + data.len();
        let entry = PutRecordsRequestEntry::builder().partition_key(partition_key).data(Blob::new(data));
        self.waiting.push(self.entries.len());
        self.entries.push(entry.build().expect("key and data are given"));
    }

    /// How many records it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The records that are not known to be taken: their indexes, ascending.
    pub fn waiting(&self) -> &[usize] {
        &self.waiting
    }

    /// How many records were put again, each time counted.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Takes note of an answer; the error of a record that was refused, if one was.
    fn settle(&mut self, output: PutRecordsOutput) -> Option<NotTaken> {
        // Results have the order of the records; one that is missing is a record that is not taken.
        let mut results = output.records.into_iter();
        let mut error = None;
        self.waiting.retain(|_| match results.next() {
            Some(result) if result.error_code.is_none() => false,
            result => {
                let result = result.unwrap_or_else(|| {
                    aws_sdk_kinesis::types::PutRecordsResultEntry::builder().error_code("NoResult").build()
                });
                error = Some(NotTaken::Record {
                    code: result.error_code.unwrap_or_default(),
                    message: result.error_message.unwrap_or_default(),
                });
                true
            }
        });
        error
    }
}

/// Why records were not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The stream refused a record: it is throttled, or fails inside.
    #[error("the stream refuses records: {code}")]
    Record {
        /// The error code, such as `ProvisionedThroughputExceededException`.
        code: String,
        /// What Kinesis says: it names the stream and the shard.
        message: String,
    },
    /// The call failed as a whole.
    #[error("PutRecords failed")]
    Call(#[source] Box<SdkError<PutRecordsError>>),
}

impl NotTaken {
    /// Whether the same put can succeed later.
    fn is_passing(&self) -> bool {
        match self {
            Self::Record { .. } => true,
            Self::Call(error) => match &**error {
                SdkError::ServiceError(error) => {
                    error.raw().status().is_server_error() || is_throttling(error.err())
                }
                error => !matches!(error, SdkError::ConstructionFailure(_)),
            },
        }
    }
}

fn is_throttling(error: &PutRecordsError) -> bool {
    let code = error.meta().code().unwrap_or_default();
    code.contains("Throttl") || code.contains("Exceeded")
}

/// A Kinesis stream.
#[derive(Debug, Clone)]
pub struct Stream {
    kinesis: Client,
    name: String,
}

impl Stream {
    /// The stream with this name.
    pub fn new(kinesis: Client, name: impl Into<String>) -> Self {
        Self { kinesis, name: name.into() }
    }

    /// Puts a batch, and again those of its records that were refused, with full-jitter backoff, until
    /// all are taken. It gives up when for as long as `patience` none was taken, or at once where the
    /// call is refused for good; [`Batch::waiting`] then says which records are left.
    ///
    /// A call without an answer may have been done: its records are put again, and may be there twice.
    /// A `messageId` in the message makes them one for browsers and histories.
    pub async fn put(&self, batch: &mut Batch, patience: Duration) -> Result<(), NotTaken> {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        let mut end = Instant::now() + patience;
        while !batch.waiting.is_empty() {
            let before = batch.waiting.len();
            let Some(error) = self.put_once(batch).await else { continue };
            if batch.waiting.len() < before {
                backoff.reset();
                end = Instant::now() + patience;
            }
            let wait = backoff.next_wait();
            if !error.is_passing() || Instant::now() + wait > end {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
            batch.repeated += batch.waiting.len() as u64;
        }
        Ok(())
    }

    async fn put_once(&self, batch: &mut Batch) -> Option<NotTaken> {
        let entries = batch.waiting.iter().map(|index| batch.entries[*index].clone()).collect();
        let put = self.kinesis.put_records().stream_name(&self.name).set_records(Some(entries));
        match put.send().await {
            Ok(output) => batch.settle(output),
            Err(error) => Some(NotTaken::Call(error.into())),
        }
    }
}
