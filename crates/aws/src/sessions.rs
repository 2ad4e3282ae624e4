//! The sessions table: get, put, and streams of recipients.

use crate::{
    Error, Kind, Result,
    config::Config,
    retry::{Deadline, retry},
};
use aws_sdk_dynamodb::{
    Client,
    operation::{query::builders::QueryFluentBuilder, scan::builders::ScanFluentBuilder},
    types::AttributeValue,
};
use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use sbe_core::{
    id::{AccountId, SessionId},
    route::Lookup,
    session::{Cursor, Recipient, Session},
};
use std::collections::{HashMap, HashSet};

/// The index of sessions by `userId`.
const USER_INDEX: &str = "userId-index";
/// The index of sessions by `sessionId`.
const SESSION_INDEX: &str = "sessionId-index";

type Item = HashMap<String, AttributeValue>;

/// The sessions table.
#[derive(Debug, Clone)]
pub struct Sessions {
    db: Client,
    table: String,
    segments: usize,
}

impl Sessions {
    pub(crate) fn new(db: Client, config: &Config) -> Self {
        Self { db, table: config.sessions_table(), segments: config.scan_segments }
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

    /// The names of all queues that a session owns, active or not. Names, for the URL of a queue
    /// differs by the endpoint that gave it.
    pub async fn queue_names(&self) -> Result<HashSet<String>> {
        let mut names = HashSet::new();
        let mut start = None;
        loop {
            let scan = self
                .db
                .scan()
                .table_name(&self.table)
                .consistent_read(true)
                .projection_expression("sqsQueueName")
                .set_exclusive_start_key(start);
            let reply = scan.send().await.map_err(Error::sdk("Scan of queue names"))?;
            let items = reply.items.unwrap_or_default().into_iter();
            names.extend(items.filter_map(|mut item| match item.remove("sqsQueueName") {
                Some(AttributeValue::S(name)) => Some(name),
                _ => None,
            }));
            start = reply.last_evaluated_key;
            if start.is_none() {
                return Ok(names);
            }
        }
    }

    /// Pages of the sessions that a lookup finds, some of them ended.
    ///
    /// Memory holds one page for each segment of a scan, and one page of any other lookup. A page
    /// that fails is tried again by itself, while there is time.
    pub fn find(&self, lookup: &Lookup, deadline: Deadline) -> BoxStream<'static, Result<Vec<Recipient>>> {
        match lookup {
            Lookup::Key(account, session) => self.by_key(*account, session, deadline).boxed(),
            Lookup::All => self.all(deadline).boxed(),
            Lookup::Account(account) => self.by("accountId", number(account.0), None, deadline),
            Lookup::User(user) => self.by("userId", number(user.0), Some(USER_INDEX), deadline),
            Lookup::Session(id) => {
                self.by("sessionId", AttributeValue::S(id.as_str().into()), Some(SESSION_INDEX), deadline)
            }
        }
    }

    fn by_key(
        &self,
        account: AccountId,
        session: &SessionId,
        deadline: Deadline,
    ) -> impl Stream<Item = Result<Vec<Recipient>>> + use<> {
        let projection = Projection::default();
        let get = self
            .db
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(account, session)))
            .consistent_read(true)
            .projection_expression(projection.expression)
            .set_expression_attribute_names(Some(projection.names));
        stream::once(async move {
            let fetch = || async { get.clone().send().await.map_err(Error::sdk("GetItem of a recipient")) };
            retry(deadline, fetch).await?.item.map(parse).into_iter().collect()
        })
    }

    fn by(
        &self,
        name: &str,
        value: AttributeValue,
        index: Option<&str>,
        deadline: Deadline,
    ) -> BoxStream<'static, Result<Vec<Recipient>>> {
        let projection = Projection::default();
        let query = self
            .db
            .query()
            .table_name(&self.table)
            .set_index_name(index.map(str::to_owned))
            .projection_expression(projection.expression)
            .set_expression_attribute_names(Some(projection.names))
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", name)
            .expression_attribute_values(":key", value);
        pages(query, query_page, deadline).boxed()
    }

    fn all(&self, deadline: Deadline) -> impl Stream<Item = Result<Vec<Recipient>>> + use<> {
        let total = i32::try_from(self.segments).unwrap_or(1);
        let segment = |segment| pages(self.scan(segment, total), scan_page, deadline).boxed();
        stream::select_all((0..total).map(segment).collect::<Vec<_>>())
    }

    fn scan(&self, segment: i32, total: i32) -> ScanFluentBuilder {
        let projection = Projection::default();
        self.db
            .scan()
            .table_name(&self.table)
            .projection_expression(projection.expression)
            .set_expression_attribute_names(Some(projection.names))
            .segment(segment)
            .total_segments(total)
    }
}

/// Only the attributes that the dispatcher needs, by placeholders (`ttl` is a reserved word).
struct Projection {
    expression: String,
    names: HashMap<String, String>,
}

impl Default for Projection {
    fn default() -> Self {
        let names = Recipient::ATTRIBUTES.map(|name| (format!("#{name}"), name.to_owned()));
        Self { expression: names.clone().map(|(placeholder, _)| placeholder).join(","), names: names.into() }
    }
}

/// One page of recipients, and where the next one starts.
type Page = (Vec<Recipient>, Option<Item>);

/// Fetches page after page of `request`, each from where the one before ended.
fn pages<B, F, Fut>(request: B, fetch: F, deadline: Deadline) -> impl Stream<Item = Result<Vec<Recipient>>>
where
    B: Clone,
    F: Fn(B, Option<Item>) -> Fut + Copy,
    Fut: Future<Output = Result<Page>>,
{
    stream::try_unfold(Some(None), move |start: Option<Option<Item>>| {
        let request = request.clone();
        async move {
            let Some(start) = start else { return Ok(None) };
            let (recipients, next) = retry(deadline, || fetch(request.clone(), start.clone())).await?;
            Ok(Some((recipients, next.map(Some))))
        }
    })
}

async fn query_page(query: QueryFluentBuilder, start: Option<Item>) -> Result<Page> {
    let reply =
        query.set_exclusive_start_key(start).send().await.map_err(Error::sdk("Query of recipients"))?;
    Ok((parse_all(reply.items)?, reply.last_evaluated_key))
}

async fn scan_page(scan: ScanFluentBuilder, start: Option<Item>) -> Result<Page> {
    let reply = scan.set_exclusive_start_key(start).send().await.map_err(Error::sdk("Scan of recipients"))?;
    Ok((parse_all(reply.items)?, reply.last_evaluated_key))
}

fn key(account: AccountId, session: &SessionId) -> Item {
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

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn parse_all<T: serde::de::DeserializeOwned>(items: Option<Vec<Item>>) -> Result<Vec<T>> {
    items.unwrap_or_default().into_iter().map(parse).collect()
}

fn parse<T: serde::de::DeserializeOwned>(item: Item) -> Result<T> {
    serde_dynamo::from_item(item).map_err(malformed)
}

fn malformed(error: serde_dynamo::Error) -> Error {
    Error::new("Reading a session", Kind::Refused, error.to_string())
}
