//! The sessions and the history's entry, as the tables have them now.

use super::evidence::{Asked, Content, Entry, State};
use crate::{context::Context, failure::Failure};
use aws_sdk_dynamodb::types::AttributeValue;
use sbe_core::{
    id::{AccountId, MessageId, SessionId, UserId},
    session::Session,
    stages::digest,
};
use std::collections::HashMap;

/// A user's sessions are looked at up to this number.
const MAX_SESSIONS: i32 = 50;

type Item = HashMap<String, AttributeValue>;

/// A session with the key by which its queue's messages are read.
pub(super) struct Row {
    /// What is told of it.
    pub(super) state: State,
    /// The row itself, which has secrets.
    pub(super) session: Session,
}

/// The row of a session, read consistently.
pub(super) async fn session(
    context: &Context,
    account: &AccountId,
    id: &SessionId,
) -> Result<Option<Row>, Failure> {
    let get = context.system.dynamodb().get_item().table_name(&context.system.session_table);
    let get = get.key("accountId", text(account)).key("sessionId", text(id)).consistent_read(true);
    let reply = get.send().await.map_err(|error| Failure::aws("reading the session", error))?;
    reply.item.map(row).transpose()
}

/// The rows of a user's sessions, each read consistently.
pub(super) async fn sessions_of(context: &Context, user: &UserId) -> Result<Vec<Row>, Failure> {
    let query = context.system.dynamodb().query().table_name(&context.system.session_table);
    let query = query.index_name("userId-index").key_condition_expression("userId = :user");
    let query = query.expression_attribute_values(":user", text(user)).limit(MAX_SESSIONS);
    let reply = query.send().await.map_err(|error| Failure::aws("reading the user's sessions", error))?;
    let mut rows = Vec::new();
    for item in reply.items.unwrap_or_default() {
        let keys = item.get("accountId").zip(item.get("sessionId"));
        let Some((AttributeValue::S(account), AttributeValue::S(id))) = keys else { continue };
        let (Ok(account), Ok(id)) = (AccountId::parse(account), SessionId::parse(id)) else { continue };
        rows.extend(session(context, &account, &id).await?);
    }
    Ok(rows)
}

fn row(item: Item) -> Result<Row, Failure> {
    let malformed = |_| Failure::Found("the session's row in the table is malformed".into());
    let session: Session = serde_dynamo::from_item(item).map_err(malformed)?;
    let state = State {
        account: session.account_id.clone(),
        session: session.session_id.clone(),
        user: session.user_id.clone(),
        created: session.created,
        ttl: session.ttl,
        queue: digest(&session.sqs_url),
        content: Content::Unknown(0),
    };
    Ok(Row { state, session })
}

/// The entry of a user's history.
pub(super) async fn entry(
    context: &Context,
    user: &UserId,
    id: &MessageId,
) -> Result<Option<Entry>, Failure> {
    let get = context.system.dynamodb().get_item().table_name(&context.system.history_table);
    let get = get.key("userId", text(user)).key("messageId", text(id)).consistent_read(true);
    let reply = get.send().await.map_err(|error| Failure::aws("reading the history", error))?;
    let entry = |item: Item| {
        let number = |name| item.get(name)?.as_n().ok()?.split('.').next()?.parse::<i64>().ok();
        Some(Entry { created: number("created")?, is_read: number("isRead")? == 1 })
    };
    Ok(reply.item.and_then(entry))
}

/// Whose history may have the message: that of whoever it was asked for.
pub(super) fn user_of(asked: &Asked) -> Option<&UserId> {
    match asked {
        Asked::Nobody => None,
        Asked::Session(_, _, state) => state.as_ref()?.user.as_ref(),
        Asked::User(user, _) => Some(user),
    }
}

fn text(id: &impl ToString) -> AttributeValue {
    AttributeValue::S(id.to_string())
}
