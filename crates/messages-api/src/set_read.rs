//! The three forms of a read receipt: ids in the path, ids in the body, everything up to a time.

use crate::{Action, App};
use sbe_aws::retry::Deadline;
use sbe_core::{
    history::Timestamp,
    id::{MessageId, UserId},
    receipt::{parse_json, parse_list},
};
use sbe_edge::{ApiError, Reply, Request};
use serde::Serialize;
use std::collections::HashSet;

/// From this many ids on, what is unread is asked for before anything is written.
const MANY: usize = 100;

#[derive(Serialize)]
struct Receipted {
    success: bool,
    messages_receipted: Vec<MessageId>,
}

pub(crate) async fn set_read(
    app: &App,
    action: Action,
    request: &Request,
    call: &str,
    deadline: Deadline,
) -> Result<Reply, ApiError> {
    let user = request.user()?;
    let ids = distinct(ids(app, action, &user, request, deadline).await?);
    let ids = if ids.len() > MANY { unread_of(app, &user, ids, deadline).await? } else { ids };
    if request.query("async").is_some() {
        app.receipts.mark_later(&user, &ids, call, 0, deadline).await?;
        return Ok(Reply(r#"{"success":true}"#.into()));
    }
    let marked = app.receipts.mark(&user, &ids, call, deadline).await?;
    // What there was no time for is marked later, and its receipts follow.
    app.receipts.mark_later(&user, &marked.left, call, 0, deadline).await?;
    if let Some((_, error)) = marked.refused.into_iter().next() {
        return Err(error.into());
    }
    let json = serde_json::to_string(&Receipted { success: true, messages_receipted: marked.changed });
    json.map(Reply).map_err(|error| ApiError::Internal(error.to_string()))
}

/// A write for each of very many ids would be slow and dear: one query tells which of them the user has
/// and has not read.
async fn unread_of(
    app: &App,
    user: &UserId,
    ids: Vec<MessageId>,
    deadline: Deadline,
) -> Result<Vec<MessageId>, ApiError> {
    let unread = app.history.unread(user, Timestamp::MAX, deadline).await?;
    let unread: HashSet<MessageId> = unread.into_iter().collect();
    Ok(ids.into_iter().filter(|id| unread.contains(id)).collect())
}

async fn ids(
    app: &App,
    action: Action,
    user: &UserId,
    request: &Request,
    deadline: Deadline,
) -> Result<Vec<MessageId>, ApiError> {
    match action {
        Action::SetReadAsOf => {
            let as_of = Timestamp::parse("timestamp", &request.path("timestamp")?)?;
            Ok(app.history.unread(user, as_of, deadline).await?)
        }
        Action::SetReadBody => Ok(parse_json(&request.body()?)?),
        _ => Ok(parse_list(&request.path(MessageId::FIELD)?)?),
    }
}

/// The ids without repetitions, in their order.
fn distinct(ids: Vec<MessageId>) -> Vec<MessageId> {
    let mut seen = HashSet::new();
    ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
}
