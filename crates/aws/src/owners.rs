//! The queues that sessions own.

use crate::{
    Error, Result,
    config::Config,
    retry::{Deadline, retry},
    sessions::Item,
};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use futures::{Stream, StreamExt, stream};

/// The attribute that names a session's queue.
const QUEUE: &str = "sqsUrl";

/// Segments that are read at the same time; memory holds one page of each.
const SEGMENTS: i32 = 4;

/// The sessions table, as the cleanup reads it.
#[derive(Debug, Clone)]
pub struct Owners {
    db: Client,
    table: String,
}

impl Owners {
    pub(crate) fn new(db: Client, config: &Config) -> Self {
        Self { db, table: config.sessions_table() }
    }

    /// Pages of the URLs of all queues that a session owns, active or not, read consistently. A
    /// page that fails is tried again by itself, while there is time.
    pub fn queue_urls(&self, deadline: Deadline) -> impl Stream<Item = Result<Vec<String>>> + use<> {
        let segment = |segment| self.clone().segment(segment, deadline).boxed();
        stream::select_all((0..SEGMENTS).map(segment).collect::<Vec<_>>())
    }

    fn segment(self, segment: i32, deadline: Deadline) -> impl Stream<Item = Result<Vec<String>>> {
        stream::try_unfold(
            (self, Some(None)),
            move |(owners, start): (Self, Option<Option<Item>>)| async move {
                let Some(start) = start else { return Ok(None) };
                let (urls, next) = retry(deadline, || owners.page(segment, start.clone())).await?;
                Ok(Some((urls, (owners, next.map(Some)))))
            },
        )
    }

    async fn page(&self, segment: i32, start: Option<Item>) -> Result<(Vec<String>, Option<Item>)> {
        let scan = self
            .db
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .projection_expression(QUEUE)
            .segment(segment)
            .total_segments(SEGMENTS)
            .set_exclusive_start_key(start);
        let reply = scan.send().await.map_err(Error::sdk("Scan of queues"))?;
        // A row without a queue owns none.
        let url = |mut item: Item| match item.remove(QUEUE) {
            Some(AttributeValue::S(url)) => Some(url),
            _ => None,
        };
        let urls = reply.items.unwrap_or_default().into_iter().filter_map(url).collect();
        Ok((urls, reply.last_evaluated_key))
    }
}
