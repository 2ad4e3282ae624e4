//! Reads of the history: the index by time first, which is small, then the messages that are shown.
//!
//! The index is a local one, so that a page is read consistently: what was written is shown at once.

use crate::{
    Error, Kind, Result,
    history::{History, Item, from_item, key, malformed, number, take_head},
    retry::{Backoff, Deadline, retry, within},
};
use aws_sdk_dynamodb::{
    operation::query::builders::QueryFluentBuilder,
    types::{AttributeValue, KeysAndAttributes},
};
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

/// Messages that are asked for before it is known how large they are: 6 MB of the largest ones.
const FIRST_MESSAGES: usize = 25;

/// `BatchGetItem` takes so many keys. It gives 16 MB at most, and says what it has left out.
const MAX_KEYS: usize = 100;

/// A part of a history.
#[derive(Debug, Default)]
pub struct Page {
    /// Entries, newest first.
    pub entries: Vec<Entry>,
    /// Where the next page starts, if there may be one.
    pub next: Option<Position>,
}

/// Unread messages of a page of the index.
#[derive(Debug, Default)]
pub struct Unread {
    /// Their ids, newest first.
    pub ids: Vec<MessageId>,
    /// Where the next page starts, if there is one.
    pub next: Option<Position>,
}

impl History {
    /// The entries that `query` wants at `now` (epoch seconds), newest first. Without the time to find
    /// as many as it wants, or after [`MAX_HEADS`], there are fewer, and a `next`.
    ///
    /// # Errors
    /// When there was no time for anything, or a call was refused.
    pub async fn page(&self, query: &Query, now: i64, deadline: Deadline) -> Result<Page> {
        // Half of the time is for the messages.
        let (heads, next) = self.heads(query, now, deadline.at_most(deadline.remaining() / 2)).await?;
        let mut page = Page { entries: Vec::new(), next };
        let (mut read, mut bytes) = (0, 0);
        while read < heads.len() {
            // As many as there is room for, if they are as large as those before.
            let fitting = (MAX_PAGE_BYTES - bytes) * read.max(1) / bytes.max(1);
            let count = if read == 0 { FIRST_MESSAGES } else { fitting.clamp(1, MAX_KEYS) };
            let wanted = &heads[read..heads.len().min(read + count)];
            let found = match self.messages(&query.user, wanted, deadline).await {
                Err(error) if error.is_transient() && read > 0 => {
                    page.next = Some(position(&heads[read - 1]));
                    return Ok(page);
                }
                found => found?,
            };
            for entry in found {
                bytes += entry.as_ref().map_or(0, |entry| reply_len(&entry.json));
                if bytes > MAX_PAGE_BYTES {
                    page.next = Some(position(&heads[read - 1]));
                    return Ok(page);
                }
                // It may have been marked since the index was read.
                page.entries.extend(entry.filter(|entry| query.wants_read(entry.is_read)));
                read += 1;
            }
        }
        Ok(page)
    }

    /// The heads of a page, and where the next one starts.
    async fn heads(&self, query: &Query, now: i64, time: Deadline) -> Result<(Vec<Head>, Option<Position>)> {
        let (mut wanted, mut read): (Vec<Head>, usize) = (Vec::new(), 0);
        let mut start = query.after.clone();
        loop {
            let limit = i32::try_from(query.heads_to_read(wanted.len(), read)).unwrap_or(i32::MAX);
            let request = self.created_between(&query.user, query.start, query.end).limit(limit);
            let (items, next) = match fetch(&request, &query.user, start.as_ref(), time).await {
                // What was read so far is an answer; the next call goes on from there.
                Err(error) if error.is_transient() && read > 0 => return Ok((wanted, start)),
                page => page?,
            };
            read += items.len();
            for head in items.into_iter().filter_map(|mut item| readable(take_head(&mut item))) {
                if !query.wants(&head, now) {
                    continue;
                }
                if wanted.len() == query.limit {
                    let next = wanted.last().map(position);
                    return Ok((wanted, next));
                }
                wanted.push(head);
            }
            if next.is_none() || read >= MAX_HEADS || time.has_passed() {
                return Ok((wanted, next));
            }
            start = next;
        }
    }

    /// The messages of these heads, in their order; those that are gone meanwhile are missing.
    async fn messages(
        &self,
        user: &UserId,
        heads: &[Head],
        deadline: Deadline,
    ) -> Result<Vec<Option<Entry>>> {
        let mut found: HashMap<MessageId, Entry> = HashMap::new();
        let mut keys: Vec<Item> = heads.iter().map(|head| key(user, &head.id)).collect();
        let mut backoff = Backoff::new();
        while !keys.is_empty() {
            let (entries, unprocessed) = match within(deadline, self.batch_get(keys.clone())).await {
                Err(error) if error.is_transient() => (Vec::new(), keys),
                result => result?,
            };
            found.extend(entries.into_iter().map(|entry| (entry.id.clone(), entry)));
            keys = unprocessed;
            if !keys.is_empty() && !backoff.wait(deadline).await {
                return Err(Error::new("BatchGetItem of messages", Kind::Unavailable, "NoTimeLeft"));
            }
        }
        Ok(heads.iter().map(|head| found.remove(&head.id)).collect())
    }

    /// Entries, and the keys that were not processed.
    async fn batch_get(&self, keys: Vec<Item>) -> Result<(Vec<Entry>, Vec<Item>)> {
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let wanted = wanted
            .map_err(|error| Error::new("BatchGetItem of messages", Kind::Refused, error.to_string()))?;
        let get = self.db.batch_get_item().request_items(&self.table, wanted);
        let reply = get.send().await.map_err(Error::sdk("BatchGetItem of messages"))?;
        let items = reply.responses.and_then(|mut all| all.remove(&self.table)).unwrap_or_default();
        let unprocessed = reply.unprocessed_keys.and_then(|mut all| all.remove(&self.table));
        let entries = items.into_iter().filter_map(|item| readable(from_item(item))).collect();
        Ok((entries, unprocessed.map(|left| left.keys).unwrap_or_default()))
    }

    /// The ids of messages that a user has not read and that were published up to `as_of`, newest
    /// first, from `after` on: those in one page of the index, which may be none.
    pub async fn unread(
        &self,
        user: &UserId,
        as_of: Timestamp,
        after: Option<&Position>,
        deadline: Deadline,
    ) -> Result<Unread> {
        let request = self
            .created_between(user, Timestamp(0), as_of)
            .filter_expression("isRead = :unread")
            .expression_attribute_values(":unread", number(0));
        let (items, next) = fetch(&request, user, after, deadline).await?;
        let heads = items.into_iter().filter_map(|mut item| readable(take_head(&mut item)));
        Ok(Unread { ids: heads.map(|head| head.id).collect(), next })
    }

    /// A user's heads of a time, newest first.
    pub(crate) fn created_between(
        &self,
        user: &UserId,
        start: Timestamp,
        end: Timestamp,
    ) -> QueryFluentBuilder {
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

/// A page of the index from a place on, and where the next one starts.
async fn fetch(
    request: &QueryFluentBuilder,
    user: &UserId,
    after: Option<&Position>,
    deadline: Deadline,
) -> Result<(Vec<Item>, Option<Position>)> {
    let start = after.map(|position| position_key(user, position));
    let send = || async {
        let request = request.clone().set_exclusive_start_key(start.clone());
        request.send().await.map_err(Error::sdk("Query of a history"))
    };
    let reply = retry(deadline, send).await?;
    let next = reply.last_evaluated_key.map(take_position).transpose()?;
    Ok((reply.items.unwrap_or_default(), next))
}

/// An entry that somebody else has written or changed shall not hide the others.
fn readable<T>(entry: Result<T>) -> Option<T> {
    entry.inspect_err(|error| tracing::error!(%error, "an entry of a history was passed over")).ok()
}

fn position(head: &Head) -> Position {
    Position::after(head.created, &head.id)
}

/// An upper bound of a message's length in a reply, which holds JSON in a JSON string.
fn reply_len(json: &str) -> usize {
    const OWN_FIELDS: usize = 2048;
    json.len() + json.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count() + OWN_FIELDS
}

pub(crate) fn position_key(user: &UserId, position: &Position) -> Item {
    let mut key = key(user, position.id());
    key.insert("created".into(), number(position.created()));
    key
}

pub(crate) fn take_position(mut key: Item) -> Result<Position> {
    let mut text = |name: &'static str| match key.remove(name) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => Ok(text),
        _ => Err(malformed(name)),
    };
    let created = Timestamp::parse("created", &text("created")?).map_err(|_| malformed("created"))?;
    let id = MessageId::parse(text("messageId")?).map_err(|_| malformed("messageId"))?;
    Ok(Position::after(created, &id))
}
