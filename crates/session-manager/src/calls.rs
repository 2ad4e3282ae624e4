//! `/create`, `/renew` and `/destroy`: what a call wants, and the reply to how it ended.
//!
//! `docs/PROTOCOL.md`: "A refresh keeps queue, waiting messages and AES key. The session gets a new
//! identity and new access keys, and the queue's tag moves to that identity, so that the former
//! keys stop working."

use crate::{App, drive::carry_out, status::session_reply};
use sbe_aws::{Kind, random, retry::Deadline};
use sbe_core::{
    Invalid,
    id::UserId,
    life::{Ending, Wish},
    session::{MessageRetention, NewKey, new_aes_key},
};
use sbe_edge::{ApiError, Reply, Request, metrics};

pub(crate) async fn create(app: &App, request: &Request, deadline: Deadline) -> Result<Reply, ApiError> {
    let wish = Wish::Create {
        user: request.has_path(UserId::FIELD).then(|| request.user()).transpose()?,
        retention: request.query(MessageRetention::FIELD).map(MessageRetention::parse).transpose()?,
    };
    call(app, request, wish, deadline).await
}

pub(crate) async fn renew(app: &App, request: &Request, deadline: Deadline) -> Result<Reply, ApiError> {
    let rotation = match request.query("rotate") {
        None | Some("0") => None,
        Some("1") => Some(NewKey(new_aes_key(random::bytes()))),
        Some(_) => return Err(Invalid::new("rotate", "must be 0 or 1").into()),
    };
    call(app, request, Wish::Renew { rotation }, deadline).await
}

pub(crate) async fn destroy(app: &App, request: &Request, deadline: Deadline) -> Result<Reply, ApiError> {
    call(app, request, Wish::Destroy, deadline).await
}

async fn call(app: &App, request: &Request, wish: Wish, deadline: Deadline) -> Result<Reply, ApiError> {
    let wished = match wish {
        Wish::Create { .. } => "Created",
        Wish::Renew { .. } => "Renewed",
        Wish::Destroy => "Destroyed",
    };
    let result = reply_to(app, request, wish, deadline).await;
    count(app, wished, &result);
    result
}

async fn reply_to(app: &App, request: &Request, wish: Wish, deadline: Deadline) -> Result<Reply, ApiError> {
    match carry_out(app, request.account()?, request.session()?, wish, deadline).await? {
        Ending::Session(session, keys) => session_reply(Some((*session, keys))),
        Ending::Destroyed => Ok(Reply(r#"{"success":true}"#.into())),
        Ending::NotFound => Err(ApiError::NotFound("session")),
        Ending::Overtaken | Ending::Abandoned => Err(ApiError::Busy),
    }
}

/// Counts what a call did. `Throttled` is mostly Cognito, whose quotas are the lowest.
fn count(app: &App, wished: &str, result: &Result<Reply, ApiError>) {
    let done =
        ["Created", "Renewed", "Destroyed"].map(|name| (name, u64::from(result.is_ok() && name == wished)));
    let throttled = matches!(result, Err(ApiError::Aws(error)) if error.kind() == Kind::Throttled);
    let [created, renewed, destroyed] = done;
    metrics::record(&app.config, &[created, renewed, destroyed, ("Throttled", u64::from(throttled))]);
}
