//! `/presence`: the active sessions of a user or an account, by page.
//!
//! `docs/PROTOCOL.md`: "Keys, queues and identities are neither shown nor read."

use crate::{
    App,
    status::{json, report_unreadable},
};
use sbe_aws::{retry::Deadline, time};
use sbe_core::presence::{Query, Whose};
use sbe_edge::{ApiError, Reply, Request};

pub(crate) async fn of_user(app: &App, request: &Request, deadline: Deadline) -> Result<Reply, ApiError> {
    page(app, request, Whose::User(request.user()?), deadline).await
}

pub(crate) async fn of_account(app: &App, request: &Request, deadline: Deadline) -> Result<Reply, ApiError> {
    page(app, request, Whose::Account(request.account()?), deadline).await
}

async fn page(app: &App, request: &Request, whose: Whose, deadline: Deadline) -> Result<Reply, ApiError> {
    let query = Query::parse(whose, |name| request.query(name))?;
    let page = Box::pin(app.presence.page(&query, time::now_seconds(), deadline)).await?;
    report_unreadable(app, page.unreadable);
    json(&query.reply(&page.sessions, page.next.as_ref()))
}
