//! Reads of the history: the index by time first, which is small, then the messages that are shown.
//!
//! The index is a local one, so that a page is read consistently: what was written is shown at once.

use crate::{
    Error, Result,
    history::{History, Item, from_item, key, malformed, number, take_head},
    retry::{Backoff, Deadline, retry, within},
};
use aws_sdk_dynamodb::{
    operation::query::builders::QueryFluentBuilder,
    types::{AttributeValue, KeysAndAttributes},
};
use futures::{StreamExt, stream};
use sbe_core::{
    history::{Entry, Head, MAX_HEADS, Position, Query, Timestamp},
    id::{MessageId, UserId},
};
use std::collections::HashMap;

/// The index of a user's messages by time.
const CREATED_INDEX: &str = "created-index";

/// A page ends before its messages take more than this in the reply, so that it stays below
/// Lambda's limit of 6 MB.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Messages asked for in one call; with the largest ones that is 6 MB, of 16 that there may be.
const MESSAGES_PER_CALL: usize = 25;

/// Calls for the messages of a page at the same time.
const CONCURRENT_CALLS: usize = 4;

/// A part of a history.
#[derive(Debug, Default)]
pub struct Page {
    /// Entries, newest first.
    pub entries: Vec<Entry>,
    /// Where the next page starts, if there may be one.
    pub next: Option<Position>,
}

impl History {
    /// The entries that `query` wants at `now` (epoch seconds), newest first. Without the time to find
    /// as many as it wants, or after [`MAX_HEADS`], there are fewer, and a `next`.
    pub async fn page(&self, query: &Query, now: i64, deadline: Deadline) -> Result<Page> {
        // Half of the time is for the messages.
        let (heads, next) = self.heads(query, now, deadline.at_most(deadline.remaining() / 2)).await?;
        let calls: Vec<Vec<MessageId>> = heads
            .chunks(MESSAGES_PER_CALL)
            .map(|chunk| chunk.iter().map(|head| head.id.clone()).collect())
            .collect();
        let mut messages = stream::iter(calls)
            .map(|ids| self.messages(&query.user, ids, deadline))
            .buffered(CONCURRENT_CALLS);
        let mut page = Page { entries: Vec::new(), next };
        let mut bytes = 0;
        while let Some(entries) = messages.next().await {
            for entry in entries? {
                bytes += reply_len(&entry.json);
                if bytes > MAX_PAGE_BYTES
                    && let Some(last) = page.entries.last()
                {
                    page.next = Some(Position::after(last.created, &last.id));
                    return Ok(page);
                }
                page.entries.push(entry);
            }
        }
        Ok(page)
    }

    /// The heads of a page, and where the next one starts.
    async fn heads(&self, query: &Query, now: i64, time: Deadline) -> Result<(Vec<Head>, Option<Position>)> {
        let mut wanted: Vec<Head> = Vec::new();
        let mut read = 0;
        let mut start = query.after.as_ref().map(|position| position_key(&query.user, position));
        loop {
            let limit = i32::try_from(query.heads_to_read(wanted.len())).unwrap_or(i32::MAX);
            let request = self.created_between(&query.user, query.start, query.end).limit(limit);
            let (items, next) = fetch(&request, start, time).await?;
            for mut item in items {
                read += 1;
                let head = take_head(&mut item)?;
                if !query.wants(&head, now) {
                    continue;
                }
                if wanted.len() == query.limit {
                    let next = wanted.last().map(|last| Position::after(last.created, &last.id));
                    return Ok((wanted, next));
                }
                wanted.push(head);
            }
            let Some(key) = next else { return Ok((wanted, None)) };
            if read >= MAX_HEADS || time.has_passed() {
                let last = take_position(key.clone())?;
                return Ok((wanted, Some(last)));
            }
            start = Some(key);
        }
    }

    /// The messages with these ids, in this order; those that are gone meanwhile are left out.
    async fn messages(&self, user: &UserId, ids: Vec<MessageId>, deadline: Deadline) -> Result<Vec<Entry>> {
        let mut found: HashMap<MessageId, Entry> = HashMap::new();
        let mut keys: Vec<Item> = ids.iter().map(|id| key(user, id)).collect();
        let mut backoff = Backoff::new();
        while !keys.is_empty() {
            let (entries, unprocessed) = match within(deadline, self.batch_get(keys.clone())).await {
                Err(error) if error.is_transient() => (Vec::new(), keys),
                result => result?,
            };
            found.extend(entries.into_iter().map(|entry| (entry.id.clone(), entry)));
            keys = unprocessed;
            if !keys.is_empty() && !backoff.wait(deadline).await {
                return Err(Error::new("BatchGetItem of messages", crate::Kind::Unavailable, "NoTimeLeft"));
            }
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// Entries, and the keys that were not processed.
    async fn batch_get(&self, keys: Vec<Item>) -> Result<(Vec<Entry>, Vec<Item>)> {
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let wanted = wanted.map_err(|error| {
            Error::new("BatchGetItem of messages", crate::Kind::Refused, error.to_string())
        })?;
        let get = self.db.batch_get_item().request_items(&self.table, wanted);
        let reply = get.send().await.map_err(Error::sdk("BatchGetItem of messages"))?;
        let items = reply.responses.and_then(|mut all| all.remove(&self.table)).unwrap_or_default();
        let unprocessed = reply.unprocessed_keys.and_then(|mut all| all.remove(&self.table));
        let entries = items.into_iter().map(from_item).collect::<Result<_>>()?;
        Ok((entries, unprocessed.map(|left| left.keys).unwrap_or_default()))
    }

    /// The ids of the messages that a user has not read and that were published up to `as_of`.
    pub async fn unread(
        &self,
        user: &UserId,
        as_of: Timestamp,
        deadline: Deadline,
    ) -> Result<Vec<MessageId>> {
        let mut ids = Vec::new();
        let mut start = None;
        let request = self
            .created_between(user, Timestamp(0), as_of)
            .filter_expression("isRead = :unread")
            .expression_attribute_values(":unread", number(0))
            .projection_expression("messageId");
        loop {
            let (items, next) = fetch(&request, start, deadline).await?;
            for mut item in items {
                let id = item.remove("messageId").and_then(|id| id.as_s().ok().cloned());
                let id = id.and_then(|id| MessageId::parse(id).ok());
                ids.push(id.ok_or_else(|| malformed("messageId"))?);
            }
            start = next;
            if start.is_none() {
                return Ok(ids);
            }
        }
    }

    /// A user's heads of a time, newest first.
    fn created_between(&self, user: &UserId, start: Timestamp, end: Timestamp) -> QueryFluentBuilder {
        self.db
            .query()
            .table_name(&self.table)
            .index_name(CREATED_INDEX)
            .key_condition_expression("userId = :user AND created BETWEEN :start AND :end")
            .expression_attribute_values(":user", AttributeValue::S(user.to_string()))
            .expression_attribute_values(":start", number(start))
            .expression_attribute_values(":end", number(end))
            .consistent_read(true)
            .scan_index_forward(false)
    }
}

async fn fetch(
    request: &QueryFluentBuilder,
    start: Option<Item>,
    deadline: Deadline,
) -> Result<(Vec<Item>, Option<Item>)> {
    let send = || async {
        let request = request.clone().set_exclusive_start_key(start.clone());
        request.send().await.map_err(Error::sdk("Query of a history"))
    };
    let reply = retry(deadline, send).await?;
    Ok((reply.items.unwrap_or_default(), reply.last_evaluated_key))
}

/// An upper bound of a message's length in a reply, which holds JSON in a JSON string.
fn reply_len(json: &str) -> usize {
    const OWN_FIELDS: usize = 2048;
    json.len() + json.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count() + OWN_FIELDS
}

fn position_key(user: &UserId, position: &Position) -> Item {
    let mut key = key(user, position.id());
    key.insert("created".into(), number(position.created()));
    key
}

fn take_position(mut key: Item) -> Result<Position> {
    let mut text = |name: &'static str| match key.remove(name) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => Ok(text),
        _ => Err(malformed(name)),
    };
    let created = Timestamp::parse("created", &text("created")?).map_err(|_| malformed("created"))?;
    let id = MessageId::parse(text("messageId")?).map_err(|_| malformed("messageId"))?;
    Ok(Position::after(created, &id))
}
