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
    pub async fn get(&self, account: AccountId, session: &SessionId) -> Result<Option<Session>> {
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
        let item = serde_dynamo::to_item(session).map_err(malformed)?;
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item));
        let put = match replaced {
            None => put.condition_expression("attribute_not_exists(accountId)"),
            Some(old) => put
                .condition_expression("sqsUrl = :url AND identityId = :identity")
                .expression_attribute_values(":url", AttributeValue::S(old.sqs_url.clone()))
                .expression_attribute_values(":identity", AttributeValue::S(old.identity_id.clone())),
        };
        put.send().await.map(drop).map_err(Error::sdk("PutItem of a session"))
    }

    /// Removes a session, unless it was replaced since it was read; gone already is as good.
    pub async fn delete(&self, session: &Session) -> Result<()> {
        let delete = self
            .db
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(session.account_id, &session.session_id)))
            .condition_expression("sqsUrl = :url")
            .expression_attribute_values(":url", AttributeValue::S(session.sqs_url.clone()));
        match delete.send().await.map_err(Error::sdk("DeleteItem of a session")) {
            Err(error) if error.kind() != Kind::Conflict => Err(error),
            _ => Ok(()),
        }
    }

    /// Up to `limit` sessions that are active at `now`, and where the next page starts.
    pub async fn page(
        &self,
        limit: usize,
        after: Option<Cursor>,
        now: i64,
    ) -> Result<(Vec<Session>, Option<Cursor>)> {
        let mut sessions = Vec::new();
        let mut start = after.map(|cursor| key(cursor.account, &cursor.session));
        loop {
            let missing = i32::try_from(limit - sessions.len()).unwrap_or(i32::MAX);
            let scan = self.db.scan().table_name(&self.table).limit(missing).set_exclusive_start_key(start);
            let reply = scan.send().await.map_err(Error::sdk("Scan of sessions"))?;
            let found: Vec<Session> = parse_all(reply.items)?;
            sessions.extend(found.into_iter().filter(|session| session.is_active(now)));
            start = reply.last_evaluated_key;
            let Some(last) = &start else { return Ok((sessions, None)) };
            if sessions.len() >= limit {
                return Ok((sessions, Some(cursor(last)?)));
            }
        }
    }
}

pub(crate) fn key(account: AccountId, session: &SessionId) -> Item {
    HashMap::from([
        ("accountId".into(), number(account.0)),
        ("sessionId".into(), AttributeValue::S(session.as_str().into())),
    ])
}

fn cursor(key: &Item) -> Result<Cursor> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Key {
        account_id: AccountId,
        session_id: SessionId,
    }
    let Key { account_id, session_id } = parse(key.clone())?;
    Ok(Cursor { account: account_id, session: session_id })
}

pub(crate) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn parse_all<T: serde::de::DeserializeOwned>(items: Option<Vec<Item>>) -> Result<Vec<T>> {
    items.unwrap_or_default().into_iter().map(parse).collect()
}

pub(crate) fn parse<T: serde::de::DeserializeOwned>(item: Item) -> Result<T> {
    serde_dynamo::from_item(item).map_err(malformed)
}

pub(crate) fn malformed(error: serde_dynamo::Error) -> Error {
    Error::new("Reading a session", Kind::Refused, error.to_string())
}
