//! Lookups of the sessions that messages are for: pages of recipients.

use crate::{
    Error, Result,
    config::Config,
    retry::{Deadline, retry},
    sessions::{Item, key, parse, parse_all, text},
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
    recipient::Recipient,
    route::Lookup,
};
use std::collections::HashMap;

/// The index of sessions by `userId`.
const USER_INDEX: &str = "userId-index";
/// The index of sessions by `sessionId`.
const SESSION_INDEX: &str = "sessionId-index";

/// The sessions table, as lookups read it.
#[derive(Debug, Clone)]
pub struct Lookups {
    db: Client,
    table: String,
    segments: usize,
}

impl Lookups {
    pub(crate) fn new(db: Client, config: &Config) -> Self {
        Self { db, table: config.sessions_table(), segments: config.scan_segments }
    }

    /// Pages of the sessions that a lookup finds, some of them ended.
    ///
    /// Memory holds one page for each segment of a scan, and one page of any other lookup. A page
    /// that fails is tried again by itself, while there is time.
    pub fn find(&self, lookup: &Lookup, deadline: Deadline) -> BoxStream<'static, Result<Vec<Recipient>>> {
        match lookup {
            Lookup::Key(account, session) => self.by_key(account, session, deadline).boxed(),
            Lookup::All => self.all(deadline).boxed(),
            Lookup::Account(account) => self.by("accountId", text(account), None, deadline),
            Lookup::User(user) => self.by("userId", text(user), Some(USER_INDEX), deadline),
            Lookup::Session(id) => self.by("sessionId", text(id), Some(SESSION_INDEX), deadline),
        }
    }

    fn by_key(
        &self,
        account: &AccountId,
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
