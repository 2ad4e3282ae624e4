//! Presence: active sessions of a user or an account, by index and without their keys.

use crate::{
    Error, Result,
    config::Config,
    lookups::USER_INDEX,
    retry::{Deadline, retry},
    sessions::{Item, cursor, key, readable, text},
};
use aws_sdk_dynamodb::{Client, operation::query::builders::QueryFluentBuilder};
use sbe_core::{
    id::{AccountId, UserId},
    page,
    presence::{MAX_SESSIONS, Present, Query, Whose},
    session::Cursor,
};

/// The sessions table, as presence reads it.
#[derive(Debug, Clone)]
pub struct Presence {
    db: Client,
    table: String,
}

/// A page of active sessions.
#[derive(Debug, Default)]
pub struct Page {
    /// The sessions.
    pub sessions: Vec<Present>,
    /// How many items are no sessions.
    pub unreadable: usize,
    /// After which session the next page starts, if there may be one.
    pub next: Option<Cursor>,
}

impl Presence {
    pub(crate) fn new(db: Client, config: &Config) -> Self {
        Self { db, table: config.sessions_table() }
    }

    /// The sessions that `query` wants and that are active at `now` (epoch seconds). Without the time to
    /// find as many as it wants, or after [`MAX_SESSIONS`], there are fewer, and a `next`.
    ///
    /// Reads are eventually consistent: a change of the last second may be missing.
    ///
    /// # Errors
    /// When there was no time for anything, or a call was refused.
    pub async fn page(&self, query: &Query, now: i64, deadline: Deadline) -> Result<Page> {
        let request = self.request(&query.whose);
        let (mut page, mut read) = (Page { next: query.after.clone(), ..Page::default() }, 0);
        loop {
            let limit = page::to_read(query.limit, page.sessions.len(), read);
            let start = page.next.as_ref().map(|cursor| start_key(&query.whose, cursor));
            let request = request.clone().limit(i32::try_from(limit).unwrap_or(i32::MAX));
            let (items, next) = match fetch(&request, start, deadline).await {
                // What was found so far is an answer; the next call goes on from there.
                Err(error) if error.is_transient() && read > 0 => return Ok(page),
                result => result?,
            };
            read += items.len();
            let (sessions, unreadable) = readable::<Present>(Some(items));
            page.unreadable += unreadable;
            for session in sessions.into_iter().filter(|session| session.is_active(now)) {
                if page.sessions.len() == query.limit {
                    page.next = page.sessions.last().map(Present::cursor);
                    return Ok(page);
                }
                page.sessions.push(session);
            }
            page.next = next;
            if page.next.is_none() || read >= MAX_SESSIONS || deadline.has_passed() {
                return Ok(page);
            }
        }
    }

    /// The query of all that is there, of the attributes that are shown and no others.
    fn request(&self, whose: &Whose) -> QueryFluentBuilder {
        let (index, name, value) = match whose {
            Whose::User(user) => (Some(USER_INDEX), UserId::FIELD, text(user)),
            Whose::Account(account) => (None, AccountId::FIELD, text(account)),
        };
        // By placeholders: `ttl` is a reserved word.
        let names = Present::ATTRIBUTES.map(|name| (format!("#{name}"), name.to_owned()));
        self.db
            .query()
            .table_name(&self.table)
            .set_index_name(index.map(str::to_owned))
            .projection_expression(names.clone().map(|(placeholder, _)| placeholder).join(","))
            .set_expression_attribute_names(Some(names.into()))
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", name)
            .expression_attribute_values(":key", value)
    }
}

/// The items of a page, and after which session the next one starts.
async fn fetch(
    request: &QueryFluentBuilder,
    start: Option<Item>,
    deadline: Deadline,
) -> Result<(Vec<Item>, Option<Cursor>)> {
    let send = || async {
        let request = request.clone().set_exclusive_start_key(start.clone());
        request.send().await.map_err(Error::sdk("Query of who is there"))
    };
    let reply = retry(deadline, send).await?;
    Ok((reply.items.unwrap_or_default(), reply.last_evaluated_key.map(cursor).transpose()?))
}

/// The key after which `DynamoDB` goes on: that of the table, and of the index that is read.
fn start_key(whose: &Whose, cursor: &Cursor) -> Item {
    let mut start = key(&cursor.account, &cursor.session);
    if let Whose::User(user) = whose {
        start.insert(UserId::FIELD.into(), text(user));
    }
    start
}
