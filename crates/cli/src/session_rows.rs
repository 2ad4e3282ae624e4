//! The rows of the sessions table, with what they own.

use crate::{failure::Failure, patience::patiently};
use aws_sdk_dynamodb::{
    operation::delete_item::DeleteItemError,
    types::{AttributeValue, Select},
};
use futures::{Stream, TryStreamExt as _, future::try_join_all, stream};
use sbe_client::System;
use std::collections::HashMap;

/// Rows that are counted at the same time, in parts of the table.
const SEGMENTS: i32 = 4;

type Item = HashMap<String, AttributeValue>;

/// A session, ended or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its account, as the table has it.
    pub account: String,
    /// Its id.
    pub session: String,
    /// The URL of its queue.
    pub queue: Option<String>,
    /// Its Cognito identity.
    pub identity: Option<String>,
}

impl Row {
    fn from_item(mut item: Item) -> Option<Self> {
        let mut text = |name: &str| match item.remove(name) {
            Some(AttributeValue::S(text)) => Some(text),
            _ => None,
        };
        let (queue, identity) = (text("sqsUrl"), text("identityId"));
        Some(Self { account: text("accountId")?, session: text("sessionId")?, queue, identity })
    }
}

/// How many rows there are, by a scan of the table.
pub async fn count(system: &System) -> Result<u64, Failure> {
    let segment = async |segment| {
        let pages = stream::try_unfold(Some(None), move |start: Option<Option<Item>>| async move {
            let Some(start) = start else { return Ok::<_, Failure>(None) };
            let scan = async || {
                let scan = system.dynamodb().scan().table_name(&system.session_table).select(Select::Count);
                let scan = scan.consistent_read(true).segment(segment).total_segments(SEGMENTS);
                let reply = scan.set_exclusive_start_key(start.clone()).send().await;
                reply.map_err(|error| Failure::aws("counting sessions", error))
            };
            let reply = patiently(scan).await?;
            Ok(Some((reply.count, reply.last_evaluated_key.map(Some))))
        });
        pages.try_fold(0, async |sum, rows| Ok(sum + u64::try_from(rows).unwrap_or_default())).await
    };
    Ok(try_join_all((0..SEGMENTS).map(segment)).await?.into_iter().sum())
}

/// Pages of up to `size` rows: all of them, or those of an account, or the one of a session.
pub fn pages<'a>(
    system: &'a System,
    account: Option<&'a str>,
    session: Option<&'a str>,
    size: i32,
) -> impl Stream<Item = Result<Vec<Row>, Failure>> + 'a {
    stream::try_unfold(Some(None), move |start: Option<Option<Item>>| async move {
        let Some(start) = start else { return Ok(None) };
        let (items, next) = match account {
            None => patiently(async || scan(system, start.clone(), size).await).await?,
            Some(account) => {
                patiently(async || query(system, account, session, start.clone(), size).await).await?
            }
        };
        let rows: Vec<Row> = items.into_iter().filter_map(Row::from_item).collect();
        Ok(Some((rows, next.map(Some))))
    })
}

const OWNED: &str = "accountId, sessionId, sqsUrl, identityId";

async fn scan(system: &System, start: Option<Item>, size: i32) -> Result<(Vec<Item>, Option<Item>), Failure> {
    let scan = system.dynamodb().scan().table_name(&system.session_table).consistent_read(true);
    let scan = scan.projection_expression(OWNED).limit(size).set_exclusive_start_key(start);
    let reply = scan.send().await.map_err(|error| Failure::aws("reading sessions", error))?;
    Ok((reply.items.unwrap_or_default(), reply.last_evaluated_key))
}

async fn query(
    system: &System,
    account: &str,
    session: Option<&str>,
    start: Option<Item>,
    size: i32,
) -> Result<(Vec<Item>, Option<Item>), Failure> {
    let query = system.dynamodb().query().table_name(&system.session_table).consistent_read(true);
    let condition = if session.is_some() { "accountId = :a AND sessionId = :s" } else { "accountId = :a" };
    let mut query =
        query.key_condition_expression(condition).expression_attribute_values(":a", text(account));
    if let Some(session) = session {
        query = query.expression_attribute_values(":s", text(session));
    }
    let query = query.projection_expression(OWNED).limit(size).set_exclusive_start_key(start);
    let reply = query.send().await.map_err(|error| Failure::aws("reading sessions", error))?;
    Ok((reply.items.unwrap_or_default(), reply.last_evaluated_key))
}

/// Deletes a row if it still owns what it owned; whether it did. One that is gone already did.
pub async fn delete(system: &System, row: &Row) -> Result<bool, Failure> {
    let delete = async || {
        let delete = system.dynamodb().delete_item().table_name(&system.session_table);
        let mut delete = delete.key("accountId", text(&row.account)).key("sessionId", text(&row.session));
        let mut conditions = Vec::new();
        for (name, value, owned) in [("sqsUrl", ":q", &row.queue), ("identityId", ":i", &row.identity)] {
            match owned {
                Some(owned) => {
                    delete = delete.expression_attribute_values(value, text(owned));
                    conditions.push(format!("{name} = {value}"));
                }
                None => conditions.push(format!("attribute_not_exists({name})")),
            }
        }
        let condition = format!("attribute_not_exists(accountId) OR ({})", conditions.join(" AND "));
        match delete.condition_expression(condition).send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(Failure::aws("deleting a session", error)),
        }
    };
    patiently(delete).await
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
