//! `/status`: one session, or a page of all.

use crate::App;
use sbe_aws::time;
use sbe_core::{
    page,
    session::{Cursor, Session},
};
use sbe_edge::{ApiError, Reply, Request};
use serde::Serialize;

#[derive(Serialize)]
struct One {
    success: bool,
    session: Option<Session>,
}

#[derive(Serialize)]
struct Page {
    success: bool,
    sessions: Vec<Session>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The reply that shows one session, or `null`.
pub(crate) fn session_reply(session: Option<Session>) -> Result<Reply, ApiError> {
    json(&One { success: true, session })
}

pub(crate) async fn one(app: &App, request: &Request) -> Result<Reply, ApiError> {
    let stored = app.sessions.get(request.account()?, &request.session()?).await?;
    session_reply(stored.filter(|session| session.is_active(time::now_seconds())))
}

pub(crate) async fn all(app: &App, request: &Request) -> Result<Reply, ApiError> {
    // A session is about 2 KB of JSON, so that the largest page stays far below Lambda's 6 MB.
    let limit = page::limit(request.query("limit"))?;
    let after = request.query("next").map(Cursor::from_token).transpose()?;
    let (sessions, next) = app.sessions.page(limit, after, time::now_seconds()).await?;
    json(&Page { success: true, sessions, next: next.map(|cursor| cursor.to_token()) })
}

fn json(body: &impl Serialize) -> Result<Reply, ApiError> {
    serde_json::to_string(body).map(Reply).map_err(|error| ApiError::Internal(error.to_string()))
}
