//! The sessions table: one session, a page of all.

use crate::{Error, Kind, Result, config::Config};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use sbe_core::{
    id::{AccountId, SessionId},
    session::{Cursor, Session},
};
use std::collections::HashMap;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The sessions table.
#[derive(Debug, Clone)]
pub struct Sessions {
    db: Client,
    table: String,
}

impl Sessions {
    pub(crate) fn new(db: Client, config: &Config) -> Self {
        Self { db, table: config.sessions_table() }
    }

    /// The session of this key, read consistently; it may have ended.
    pub async fn get(&self, account: &AccountId, session: &SessionId) -> Result<Option<Session>> {
        let reply = self
            .db
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(account, session)))
            .consistent_read(true)
            .send()
            .await
            .map_err(Error::sdk("GetItem of a session"))?;
        reply.item.map(parse).transpose()
    }

    /// Stores a session in place of `replaced`, as it was read before.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when the table no longer holds what was read: another call was faster.
    pub async fn put(&self, session: &Session, replaced: Option<&Session>) -> Result<()> {
        let put = self.db.put_item().table_name(&self.table).set_item(Some(to_item(session)?));
        let put = match replaced {
            None => put.condition_expression("attribute_not_exists(accountId)"),
            Some(old) => put
                .condition_expression(
                    "sqsUrl = :url AND identityId = :identity AND aesKey = :key AND #ttl = :ttl",
                )
                .expression_attribute_names("#ttl", "ttl")
                .expression_attribute_values(":url", AttributeValue::S(old.sqs_url.clone()))
                .expression_attribute_values(":identity", AttributeValue::S(old.identity.id.clone()))
                .expression_attribute_values(":key", AttributeValue::S(old.aes_key.clone()))
                .expression_attribute_values(":ttl", number(old.ttl)),
        };
        put.send().await.map(drop).map_err(Error::sdk("PutItem of a session"))
    }

    /// Removes a session.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when the table holds none with its queue: it is gone, or was made anew.
    pub async fn remove(&self, session: &Session) -> Result<()> {
        let delete = self
            .db
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(&session.account_id, &session.session_id)))
            .condition_expression("sqsUrl = :url")
            .expression_attribute_values(":url", AttributeValue::S(session.sqs_url.clone()));
        delete.send().await.map(drop).map_err(Error::sdk("DeleteItem of a session"))
    }

    /// Up to `limit` items, ended ones too, after the session with this key.
    pub async fn page(&self, limit: usize, after: Option<Cursor>) -> Result<Page> {
        let start = after.map(|cursor| key(&cursor.account, &cursor.session));
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        let scan = self.db.scan().table_name(&self.table).limit(limit).set_exclusive_start_key(start);
        let reply = scan.send().await.map_err(Error::sdk("Scan of sessions"))?;
        let next = reply.last_evaluated_key.map(cursor).transpose()?;
        let (sessions, unreadable) = readable(reply.items);
        Ok(Page { sessions, unreadable, next })
    }
}

/// A page of the table.
#[derive(Debug)]
pub struct Page {
    /// Its sessions, some of them ended.
    pub sessions: Vec<Session>,
    /// How many of its items are no sessions.
    pub unreadable: usize,
    /// After which session the next page starts, if there is one.
    pub next: Option<Cursor>,
}

pub(crate) fn key(account: &AccountId, session: &SessionId) -> Item {
    HashMap::from([("accountId".into(), text(account)), ("sessionId".into(), text(session))])
}

/// The tables' keys are strings, whatever an id is in JSON: its text is the same for both.
fn to_item(session: &Session) -> Result<Item> {
    let mut item: Item = serde_dynamo::to_item(session).map_err(malformed)?;
    item.extend(key(&session.account_id, &session.session_id));
    item.extend(session.user_id.iter().map(|user| ("userId".into(), text(user))));
    Ok(item)
}

pub(crate) fn cursor(key: Item) -> Result<Cursor> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Key {
        account_id: AccountId,
        session_id: SessionId,
    }
    let Key { account_id, session_id } = parse(key)?;
    Ok(Cursor { account: account_id, session: session_id })
}

pub(crate) fn text(id: &impl ToString) -> AttributeValue {
    AttributeValue::S(id.to_string())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The items that can be read, and how many cannot: one of them takes nothing from the others.
pub(crate) fn readable<T: serde::de::DeserializeOwned>(items: Option<Vec<Item>>) -> (Vec<T>, usize) {
    let items = items.unwrap_or_default();
    let count = items.len();
    let read: Vec<T> = items.into_iter().filter_map(|item| parse(item).ok()).collect();
    let unreadable = count - read.len();
    (read, unreadable)
}

pub(crate) fn parse<T: serde::de::DeserializeOwned>(item: Item) -> Result<T> {
    serde_dynamo::from_item(item).map_err(malformed)
}

pub(crate) fn malformed(error: serde_dynamo::Error) -> Error {
    Error::new("Reading a session", Kind::Refused, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sbe_core::{
        id::UserId,
        session::{Identity, MessageRetention},
    };

    fn session(developer_user_identifier: Option<String>) -> Session {
        Session {
            account_id: AccountId::from(-1),
            session_id: SessionId::parse("s").unwrap(),
            user_id: None,
            sqs_url: "url".into(),
            region: "r".into(),
            identity: Identity { id: "i".into(), developer_user_identifier },
            aes_key: "k".into(),
            previous: None,
            message_retention: MessageRetention::parse("60").unwrap(),
            created: 1,
            renewed: 2,
            expires: 3,
            ttl: 4,
        }
    }

    #[test]
    fn what_is_stored_is_read_again() {
        for session in [session(None), session(Some("d".into()))] {
            let item = to_item(&session).unwrap();
            assert_eq!(item["ttl"], number(4));
            assert_eq!(parse::<Session>(item).unwrap(), session);
        }
    }

    #[test]
    fn ids_are_stored_as_texts_and_read_as_what_they_are() {
        for (id, stored) in [("7", "7"), ("007", "007"), ("auth0|5f7c", "auth0|5f7c")] {
            let (account_id, user_id) = (AccountId::parse(id).unwrap(), UserId::parse(id).ok());
            let session = Session { account_id, user_id, ..session(None) };
            let item = to_item(&session).unwrap();
            assert_eq!((&item["accountId"], &item["userId"]), (&text(&stored), &text(&stored)));
            assert_eq!(parse::<Session>(item).unwrap(), session);
        }
    }

    #[test]
    fn an_unreadable_item_takes_nothing_from_the_others() {
        let good = to_item(&session(None)).unwrap();
        let bad = key(&AccountId::from(1), &SessionId::parse("s").unwrap());
        let (read, unreadable) = readable::<Session>(Some(vec![bad, good]));
        assert_eq!((read, unreadable), (vec![session(None)], 1));
    }
}
