//! How many messages of a history are unread.

use crate::App;
use sbe_aws::{retry::Deadline, time};
use sbe_core::unread::{Query, UnreadCount};
use sbe_edge::{ApiError, Reply, Request};
use serde::Serialize;

#[derive(Serialize)]
struct Counted {
    success: bool,
    #[serde(flatten)]
    count: UnreadCount,
}

pub(crate) async fn unread(app: &App, request: &Request, deadline: Deadline) -> Result<Reply, ApiError> {
    let query = Query::parse(request.user()?, |name| request.query(name))?;
    let count = Box::pin(app.history.count_unread(&query, time::now_seconds(), deadline)).await?;
    let json = serde_json::to_string(&Counted { success: true, count });
    json.map(Reply).map_err(|error| ApiError::Internal(error.to_string()))
}
