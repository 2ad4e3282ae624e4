//! `/status`: one session with fresh keys, or a page of all without any.

use crate::App;
use sbe_aws::{
    Kind,
    retry::{Deadline, retry},
    time,
};
use sbe_core::{
    page,
    session::{Cursor, Keys, Session},
};
use sbe_edge::{ApiError, Reply, Request, metrics};
use serde::Serialize;
use std::time::Duration;

/// With less time than this no further page is read.
const LAST_PAGE: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct One<S> {
    success: bool,
    session: Option<S>,
}

#[derive(Serialize)]
struct Page<S> {
    success: bool,
    sessions: Vec<S>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The reply that shows one session with keys, or `null`.
pub(crate) fn session_reply(session: Option<(Session, Keys)>) -> Result<Reply, ApiError> {
    let session = session.as_ref().map(|(session, keys)| session.with_keys(keys, time::now_seconds()));
    json(&One { success: true, session })
}

pub(crate) async fn one(app: &App, request: &Request, deadline: Deadline) -> Result<Reply, ApiError> {
    let (account, id) = (request.account()?, request.session()?);
    let stored = retry(deadline, || app.sessions.get(&account, &id)).await?;
    let Some(session) = stored.filter(|session| session.is_active(time::now_seconds())) else {
        return session_reply(None);
    };
    match retry(deadline, || app.identities.keys(&session.identity, None)).await {
        Ok(keys) => session_reply(Some((session, keys))),
        // Its identity is gone: /renew and /create give it another one.
        Err(error) if error.kind() == Kind::NotFound => session_reply(None),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn all(app: &App, request: &Request, deadline: Deadline) -> Result<Reply, ApiError> {
    let limit = page::limit(request.query("limit"))?;
    let after = request.query("next").map(Cursor::from_token).transpose()?;
    let now = time::now_seconds();
    let (mut sessions, mut next, mut unreadable) = (Vec::new(), after, 0);
    // Ended sessions are passed over. When the time ends, the page is shorter.
    loop {
        let page = retry(deadline, || app.sessions.page(limit - sessions.len(), next.clone())).await?;
        sessions.extend(page.sessions.into_iter().filter(|session| session.is_active(now)));
        (next, unreadable) = (page.next, unreadable + page.unreadable);
        if next.is_none() || sessions.len() >= limit || deadline.remaining() < LAST_PAGE {
            break;
        }
    }
    report_unreadable(app, unreadable);
    let sessions = sessions.iter().map(Session::without_secrets).collect();
    json(&Page { success: true, sessions, next: next.map(|cursor| cursor.to_token()) })
}

/// Tells the operators of items that are no sessions: callers do not see them.
pub(crate) fn report_unreadable(app: &App, unreadable: usize) {
    if unreadable > 0 {
        tracing::error!(unreadable, "items of the sessions table cannot be read");
        metrics::record(&app.config, &[("Unreadable", unreadable as u64)]);
    }
}

pub(crate) fn json(body: &impl Serialize) -> Result<Reply, ApiError> {
    serde_json::to_string(body).map(Reply).map_err(|error| ApiError::Internal(error.to_string()))
}
