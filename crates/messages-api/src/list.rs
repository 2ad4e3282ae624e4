//! A page of a history, newest first.

use crate::App;
use sbe_aws::{retry::Deadline, time};
use sbe_core::{
    history::{Entry, Query},
    message::text_json,
};
use sbe_edge::{ApiError, Reply, Request};

pub(crate) async fn list(app: &App, request: &Request, deadline: Deadline) -> Result<Reply, ApiError> {
    let query = Query::parse(request.user()?, |name| request.query(name))?;
    let page = app.history.page(&query, time::now_seconds(), deadline).await?;
    let messages: Result<Vec<String>, _> = page.entries.iter().map(Entry::to_json).collect();
    let messages = messages.map_err(|error| ApiError::Internal(error.to_string()))?.join(",");
    let next = page.next.map(|position| format!(r#","next":{}"#, text_json(&position.to_token())));
    Ok(Reply(format!(r#"{{"success":true,"messages":[{messages}]{}}}"#, next.unwrap_or_default())))
}
