//! The history table: entries added and marked read. How it is read is in [`crate::pages`].

use crate::{Error, Kind, Result, config::Config};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use sbe_core::{
    history::{Entry, Head, Timestamp},
    id::{MessageId, UserId},
};
use std::collections::HashMap;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The history table.
#[derive(Debug, Clone)]
pub struct History {
    pub(crate) db: Client,
    pub(crate) table: String,
}

impl History {
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

    /// Marks a message read for `call`. Tells whether this call has changed it, with this try or an
    /// earlier one whose answer was lost: not when it was read already, and not when the user has no
    /// such message; nothing is ever created.
    pub async fn mark_read(&self, user: &UserId, id: &MessageId, call: &str) -> Result<bool> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(user, id)))
            .update_expression("SET isRead = :read, readBy = :call")
            .condition_expression("isRead = :unread OR readBy = :call")
            .expression_attribute_values(":read", number(1))
            .expression_attribute_values(":unread", number(0))
            .expression_attribute_values(":call", AttributeValue::S(call.into()));
        match update.send().await.map_err(Error::sdk("UpdateItem of a history entry")) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == Kind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }
}

pub(crate) fn key(user: &UserId, id: &MessageId) -> Item {
    HashMap::from([
        ("userId".into(), AttributeValue::S(user.to_string())),
        ("messageId".into(), AttributeValue::S(id.as_str().into())),
    ])
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The message's text is one attribute, apart from ours: no field of it can overwrite one.
pub(crate) fn to_item(entry: &Entry) -> Item {
    let mut item = key(&entry.user, &entry.id);
    item.extend([
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

pub(crate) fn from_item(mut item: Item) -> Result<Entry> {
    let Head { id, created, is_read, kind, ttl } = take_head(&mut item)?;
    Ok(Entry {
        user: UserId::parse(&text(&mut item, "userId")?).map_err(|_| malformed("userId"))?,
        id,
        created,
        is_read,
        json: text(&mut item, "message")?,
        ttl,
        kind,
    })
}

/// Takes what the index holds from an item.
pub(crate) fn take_head(item: &mut Item) -> Result<Head> {
    Ok(Head {
        id: MessageId::parse(text(item, "messageId")?).map_err(|_| malformed("messageId"))?,
        created: Timestamp::parse("created", &text(item, "created")?).map_err(|_| malformed("created"))?,
        is_read: text(item, "isRead")? == "1",
        kind: text(item, "type").ok(),
        ttl: whole(item, "ttl")?,
    })
}

fn whole(item: &mut Item, name: &'static str) -> Result<i64> {
    text(item, name)?.parse().map_err(|_| malformed(name))
}

fn text(item: &mut Item, name: &'static str) -> Result<String> {
    match item.remove(name) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => Ok(text),
        _ => Err(malformed(name)),
    }
}

pub(crate) fn malformed(attribute: &'static str) -> Error {
    Error::new("Reading a history entry", Kind::Refused, format!("malformed attribute {attribute}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sbe_core::{
        message::{MAX_MESSAGE_BYTES, Message},
        target::Target,
    };

    #[test]
    fn an_entry_survives_its_item() {
        for user in [UserId::from(-7), UserId::parse("auth0|5f7c").unwrap()] {
            an_entry_of_survives_its_item(user);
        }
    }

    fn an_entry_of_survives_its_item(user: UserId) {
        let entry = Entry {
            user,
            id: MessageId::parse("m").unwrap(),
            created: Timestamp(1_763_800_000_250_000),
            is_read: true,
            kind: Some("news".into()),
            json: r#"{"ttl":0,"userId":1}"#.into(),
            ttl: 1_763_886_400,
        };
        assert_eq!(from_item(to_item(&entry)).unwrap(), entry);
        let mut item = to_item(&entry);
        assert_eq!(item["userId"], AttributeValue::S(entry.user.to_string()));
        item.remove("created");
        assert!(from_item(item).is_err());
    }

    /// DynamoDB counts an item and its entry in the local index together against 400 KB: names and
    /// values in UTF-8, numbers with at most 21 bytes, and 100 bytes more for the entry.
    #[test]
    fn the_largest_message_and_its_index_entry_fit_in_400_kb() {
        let long = "\u{1F600}".repeat(256);
        let fields = format!(r#"{{"_type":"{long}","userId":7,"text":""#);
        let text = "x".repeat(MAX_MESSAGE_BYTES - fields.len() - 2);
        let json = format!("{fields}{text}\"}}");
        let id = || MessageId::parse(&long).unwrap();
        let message = Message::parse(json.as_bytes(), &Target::EVERYONE, id).unwrap();
        let entry = Entry::new(UserId::from(i64::MIN), Timestamp::MAX, &message, i64::from(u32::MAX));
        let mut item = to_item(&entry);
        item.insert("readBy".into(), AttributeValue::S("5b1c2f0a-0000-0000-0000-000000000000".into()));
        let size = |name: &String, value: &AttributeValue| name.len() + value.as_s().map_or(21, String::len);
        let whole: usize = item.iter().map(|(name, value)| size(name, value)).sum();
        let projected = ["userId", "messageId", "created", "isRead", "type", "ttl"];
        let indexed = item.iter().filter(|(name, _)| projected.contains(&name.as_str()));
        let head: usize = indexed.map(|(name, value)| size(name, value)).sum::<usize>() + 100;
        assert!(whole > MAX_MESSAGE_BYTES, "{whole}");
        assert!(whole + head < 400 * 1024, "{whole} and {head}");
    }
}
