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

#[derive(Serialize)]
struct Receipted {
    success: bool,
    messages_receipted: Vec<MessageId>,
}

pub(crate) async fn set_read(
    app: &App,
    action: Action,
    request: &Request,
    deadline: Deadline,
) -> Result<Reply, ApiError> {
    let user = request.user()?;
    let ids = distinct(ids(app, action, user, request).await?);
    if request.query("async").is_some() {
        app.receipts.mark_later(user, &ids, deadline).await?;
        return Ok(Reply(r#"{"success":true}"#.into()));
    }
    let marked = app.receipts.mark(user, &ids, deadline).await?;
    // What there was no time for is marked later, and its receipts follow.
    app.receipts.mark_later(user, &marked.left, deadline).await?;
    let json = serde_json::to_string(&Receipted { success: true, messages_receipted: marked.changed });
    json.map(Reply).map_err(|error| ApiError::Internal(error.to_string()))
}

async fn ids(app: &App, action: Action, user: UserId, request: &Request) -> Result<Vec<MessageId>, ApiError> {
    match action {
        Action::SetReadAsOf => {
            let as_of = Timestamp::parse("timestamp", &request.path("timestamp")?)?;
            Ok(app.history.unread(user, as_of).await?)
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
