//! Lookups of the sessions that messages are for: parts read page by page.

use crate::{
    Error, Result,
    config::Config,
    retry::{Deadline, retry},
    sessions::{Item, cursor, key, readable, text},
};
use aws_sdk_dynamodb::{Client, operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use futures::{Stream, stream};
use sbe_core::{
    id::{AccountId, SessionId, UserId},
    part::{Part, Segments},
    recipient::Recipient,
    route::Lookup,
    session::Cursor,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The index of sessions by `userId`.
pub(crate) const USER_INDEX: &str = "userId-index";
/// The index of sessions by `sessionId`: the smallest place that holds all sessions, with no more of them
/// than a lookup needs.
const SESSION_INDEX: &str = "sessionId-index";

/// How long the number of sessions is taken for known; `DynamoDB` itself counts every few hours.
const SIZE_LIFE: Duration = Duration::from_mins(10);

/// The sessions table, as lookups read it.
#[derive(Debug, Clone)]
pub struct Lookups {
    db: Client,
    table: String,
    size: Arc<Mutex<Option<(Instant, u64)>>>,
}

/// What the reading of a part comes upon.
pub enum Found {
    /// A page of sessions, some of them ended.
    Page(Page),
    /// There was no room or no time for the rest, which begins where the last page ended.
    Rest(Part),
    /// The rest cannot be read; trying again will not help.
    Failed(Part, Error),
}

/// One page of a part.
pub struct Page {
    /// What was looked up.
    pub lookup: Lookup,
    /// The sessions.
    pub recipients: Vec<Recipient>,
    /// How many items are no sessions.
    pub unreadable: usize,
}

impl Lookups {
    pub(crate) fn new(db: Client, config: &Config) -> Self {
        Self { db, table: config.sessions_table(), size: Arc::default() }
    }

    /// The segments in which everyone is read, by about how many sessions there are. When that cannot be
    /// told, they are taken for few: a scan never fails for want of it.
    pub async fn segments(&self, deadline: Deadline) -> Segments {
        let known = *self.size.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, sessions)) = known
            && at.elapsed() < SIZE_LIFE
        {
            return Segments::for_sessions(Some(sessions));
        }
        match retry(deadline, || self.count()).await {
            Ok(sessions) => {
                *self.size.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), sessions));
                Segments::for_sessions(Some(sessions))
            }
            Err(error) => {
                tracing::warn!(%error, "the number of sessions is not known");
                Segments::for_sessions(known.map(|(_, sessions)| sessions))
            }
        }
    }

    async fn count(&self) -> Result<u64> {
        let reply = self.db.describe_table().table_name(&self.table).send().await;
        let table = reply.map_err(Error::sdk("DescribeTable"))?.table;
        Ok(table
            .and_then(|table| table.item_count)
            .and_then(|count| count.try_into().ok())
            .unwrap_or_default())
    }

    /// The id of an account's last session, by order of ids.
    pub async fn last_of(&self, account: &AccountId, deadline: Deadline) -> Result<Option<SessionId>> {
        let query = self.account(account).scan_index_forward(false).limit(1);
        let last = || async { query.clone().send().await.map_err(Error::sdk("Query of the last session")) };
        let item = retry(deadline, last).await?.items.unwrap_or_default().pop();
        Ok(item.map(cursor).transpose()?.map(|last| last.session))
    }

    /// Reads a part, at most `pages` pages of it. A page that fails is tried again by itself until the
    /// deadline; then there is a rest.
    pub fn read(&self, part: Part, pages: usize, deadline: Deadline) -> impl Stream<Item = Found> + use<> {
        let lookups = self.clone();
        stream::unfold(Some((part, pages)), move |state| {
            let lookups = lookups.clone();
            async move {
                let (part, pages) = state?;
                if pages == 0 || deadline.has_passed() {
                    return Some((Found::Rest(part), None));
                }
                match retry(deadline, || lookups.page(&part)).await {
                    Ok((page, next)) => {
                        Some((Found::Page(page), part.after_page(next).map(|rest| (rest, pages - 1))))
                    }
                    Err(error) if error.is_transient() => Some((Found::Rest(part), None)),
                    Err(error) => Some((Found::Failed(part, error), None)),
                }
            }
        })
    }

    /// The page at which a part stands, and where the one after it starts.
    async fn page(&self, part: &Part) -> Result<(Page, Option<Cursor>)> {
        let (items, last) = match &part.lookup {
            Lookup::Key(account, session) => self.get(account, session).await?,
            Lookup::All => self.scan(part).await?,
            Lookup::Account(account) => query_page(self.account(account), part).await?,
            Lookup::User(user) => {
                query_page(self.query(UserId::FIELD, text(user), Some(USER_INDEX)), part).await?
            }
            Lookup::Session(id) => {
                query_page(self.query(SessionId::FIELD, text(id), Some(SESSION_INDEX)), part).await?
            }
        };
        let (recipients, unreadable) = readable(items);
        Ok((Page { lookup: part.lookup.clone(), recipients, unreadable }, last.map(cursor).transpose()?))
    }

    async fn get(&self, account: &AccountId, session: &SessionId) -> Result<Items> {
        let projection = Projection::default();
        let get = self.db.get_item().table_name(&self.table).set_key(Some(key(account, session)));
        let get = get
            .consistent_read(true)
            .projection_expression(projection.expression)
            .set_expression_attribute_names(Some(projection.names));
        let reply = get.send().await.map_err(Error::sdk("GetItem of a recipient"))?;
        Ok((reply.item.map(|item| vec![item]), None))
    }

    async fn scan(&self, part: &Part) -> Result<Items> {
        let projection = Projection::default();
        let (segment, total) = part.segments.map_or((0, 1), |segments| (segments.from, segments.total));
        let scan = self
            .db
            .scan()
            .table_name(&self.table)
            .index_name(SESSION_INDEX)
            .projection_expression(projection.expression)
            .set_expression_attribute_names(Some(projection.names))
            .segment(integer(segment))
            .total_segments(integer(total))
            .set_exclusive_start_key(start(part));
        let reply = scan.send().await.map_err(Error::sdk("Scan of recipients"))?;
        Ok((reply.items, reply.last_evaluated_key))
    }

    fn account(&self, account: &AccountId) -> QueryFluentBuilder {
        self.query(AccountId::FIELD, text(account), None)
    }

    fn query(&self, name: &str, value: AttributeValue, index: Option<&str>) -> QueryFluentBuilder {
        let projection = Projection::default();
        self.db
            .query()
            .table_name(&self.table)
            .set_index_name(index.map(str::to_owned))
            .projection_expression(projection.expression)
            .set_expression_attribute_names(Some(projection.names))
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", name)
            .expression_attribute_values(":key", value)
    }
}

/// The items of a page, and the key after which the next one starts.
type Items = (Option<Vec<Item>>, Option<Item>);

async fn query_page(query: QueryFluentBuilder, part: &Part) -> Result<Items> {
    let query = query.set_exclusive_start_key(start(part));
    let query = match &part.up_to {
        None => query,
        Some(last) => query
            .key_condition_expression("#key = :key AND #sessionId <= :last")
            .expression_attribute_values(":last", text(last)),
    };
    let reply = query.send().await.map_err(Error::sdk("Query of recipients"))?;
    Ok((reply.items, reply.last_evaluated_key))
}

/// The key from which `DynamoDB` goes on: that of the table, and of the index that is read.
fn start(part: &Part) -> Option<Item> {
    let after = part.after.as_ref()?;
    let mut start = key(&after.account, &after.session);
    if let Lookup::User(user) = &part.lookup {
        start.insert(UserId::FIELD.into(), text(user));
    }
    Some(start)
}

fn integer(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
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
