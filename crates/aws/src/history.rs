//! The history table.
//!
//! The index by `created` is a local one, so that a page is read consistently: what was written
//! is shown at once.

use crate::{Error, Kind, Result, config::Config};
use aws_sdk_dynamodb::{
    Client,
    operation::query::{QueryOutput, builders::QueryFluentBuilder},
    types::AttributeValue,
};
use sbe_core::{
    history::{Entry, Position, Query, Timestamp},
    id::{MessageId, UserId},
};
use std::collections::HashMap;

/// The index of a user's messages by time.
const CREATED_INDEX: &str = "created-index";

type Item = HashMap<String, AttributeValue>;

/// A part of a history.
#[derive(Debug, Default)]
pub struct Page {
    /// Entries, newest first.
    pub entries: Vec<Entry>,
    /// Where the next page starts, if there may be one.
    pub next: Option<Position>,
}

/// The history table.
#[derive(Debug, Clone)]
pub struct History {
    db: Client,
    table: String,
}

impl History {
    /// A page ends before its messages take more than this in the reply, so that it stays below
    /// Lambda's limit of 6 MB.
    const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

    pub(crate) fn new(db: Client, config: &Config) -> Self {
        Self { db, table: config.history_table() }
    }

    /// Adds an entry, unless the user has the message already: a replay changes nothing.
    /// Tells whether it was added.
    pub async fn add(&self, entry: &Entry) -> Result<bool> {
        let put = self
            .db
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(entry)))
            .condition_expression("attribute_not_exists(messageId)");
        match put.send().await.map_err(Error::sdk("PutItem of a history entry")) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == Kind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Marks a message read. Tells whether that changed it: not when it was read already, and not
    /// when the user has no such message; nothing is ever created.
    pub async fn mark_read(&self, user: UserId, id: &MessageId) -> Result<bool> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .key("userId", number(user))
            .key("messageId", AttributeValue::S(id.as_str().into()))
            .update_expression("SET isRead = :read")
            .condition_expression("isRead = :unread")
            .expression_attribute_values(":read", number(1))
            .expression_attribute_values(":unread", number(0));
        match update.send().await.map_err(Error::sdk("UpdateItem of a history entry")) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == Kind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The ids of the messages that a user has not read and that were published up to `as_of`.
    pub async fn unread(&self, user: UserId, as_of: Timestamp) -> Result<Vec<MessageId>> {
        let mut ids = Vec::new();
        let mut start = None;
        loop {
            let query = self
                .created_between(user, Timestamp(0), as_of)
                .filter_expression("isRead = :unread")
                .expression_attribute_values(":unread", number(0))
                .projection_expression("messageId")
                .set_exclusive_start_key(start);
            let reply = query.send().await.map_err(Error::sdk("Query of unread messages"))?;
            for mut item in reply.items.unwrap_or_default() {
                let id = item.remove("messageId").and_then(|id| id.as_s().ok().cloned());
                let id = id.and_then(|id| MessageId::parse(id).ok());
                ids.push(id.ok_or_else(|| malformed("messageId"))?);
            }
            start = reply.last_evaluated_key;
            if start.is_none() {
                return Ok(ids);
            }
        }
    }

    /// The entries that `query` wants at `now` (epoch seconds), newest first.
    pub async fn page(&self, query: &Query, now: i64) -> Result<Page> {
        let mut page = Page::default();
        let mut bytes = 0;
        let mut start = query.after.as_ref().map(|position| position_key(query.user, position));
        loop {
            let reply = self.fetch(query, start).await?;
            for item in reply.items.unwrap_or_default() {
                let entry = from_item(item)?;
                if !query.wants(&entry, now) {
                    continue;
                }
                bytes += reply_len(&entry.json);
                let full = page.entries.len() == query.limit || bytes > Self::MAX_PAGE_BYTES;
                if full && let Some(last) = page.entries.last() {
                    page.next = Some(Position::after(last));
                    return Ok(page);
                }
                page.entries.push(entry);
            }
            match reply.last_evaluated_key {
                Some(key) => start = Some(key),
                None => return Ok(page),
            }
        }
    }

    async fn fetch(&self, query: &Query, start: Option<Item>) -> Result<QueryOutput> {
        let request = self.created_between(query.user, query.start, query.end).set_exclusive_start_key(start);
        request.send().await.map_err(Error::sdk("Query of a history"))
    }

    /// A user's messages of a time, newest first.
    fn created_between(&self, user: UserId, start: Timestamp, end: Timestamp) -> QueryFluentBuilder {
        self.db
            .query()
            .table_name(&self.table)
            .index_name(CREATED_INDEX)
            .key_condition_expression("userId = :user AND created BETWEEN :start AND :end")
            .expression_attribute_values(":user", number(user))
            .expression_attribute_values(":start", number(start))
            .expression_attribute_values(":end", number(end))
            .consistent_read(true)
            .scan_index_forward(false)
    }
}

/// An upper bound of a message's length in a reply, which holds JSON in a JSON string.
fn reply_len(json: &str) -> usize {
    const OWN_FIELDS: usize = 2048;
    json.len() + json.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count() + OWN_FIELDS
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn position_key(user: UserId, position: &Position) -> Item {
    HashMap::from([
        ("userId".into(), number(user)),
        ("messageId".into(), AttributeValue::S(position.id().as_str().into())),
        ("created".into(), number(position.created())),
    ])
}

/// The message's text is one attribute, apart from ours: no field of it can overwrite one.
fn to_item(entry: &Entry) -> Item {
    let mut item = HashMap::from([
        ("userId".into(), number(entry.user)),
        ("messageId".into(), AttributeValue::S(entry.id.as_str().into())),
        ("created".into(), number(entry.created)),
        ("isRead".into(), number(u8::from(entry.is_read))),
        ("message".into(), AttributeValue::S(entry.json.clone())),
        ("ttl".into(), number(entry.ttl)),
    ]);
    if let Some(kind) = &entry.kind {
        item.insert("type".into(), AttributeValue::S(kind.clone()));
    }
    item
}

fn from_item(mut item: Item) -> Result<Entry> {
    let mut text = |name: &'static str| match item.remove(name) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => Ok(text),
        _ => Err(malformed(name)),
    };
    let whole = |name: &'static str, text: String| text.parse::<i64>().map_err(|_| malformed(name));
    Ok(Entry {
        user: UserId(whole("userId", text("userId")?)?),
        id: MessageId::parse(text("messageId")?).map_err(|_| malformed("messageId"))?,
        created: Timestamp::parse("created", &text("created")?).map_err(|_| malformed("created"))?,
        is_read: text("isRead")? == "1",
        json: text("message")?,
        ttl: whole("ttl", text("ttl")?)?,
        kind: text("type").ok(),
    })
}

fn malformed(attribute: &'static str) -> Error {
    Error::new("Reading a history entry", Kind::Refused, format!("malformed attribute {attribute}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_survives_its_item() {
        let entry = Entry {
            user: UserId(-7),
            id: MessageId::parse("m").unwrap(),
            created: Timestamp(1_763_800_000_250_000),
            is_read: true,
            kind: Some("news".into()),
            json: r#"{"ttl":0,"userId":1}"#.into(),
            ttl: 1_763_886_400,
        };
        assert_eq!(from_item(to_item(&entry)).unwrap(), entry);
        let mut item = to_item(&entry);
        item.remove("created");
        assert!(from_item(item).is_err());
    }
}
