//! `/create`, `/renew` and `/destroy`: what a call wants, and the reply to how it ended.
//!
//! `docs/PROTOCOL.md`: "A refresh keeps queue, waiting messages and AES key. The session gets a new
//! identity and new access keys, and the queue's tag moves to that identity, so that the former
//! keys stop working."

use crate::{App, drive::carry_out, status::session_reply};
use sbe_aws::{random, retry::Deadline};
use sbe_core::{
    Invalid,
    id::UserId,
    life::{Ending, Wish},
    session::{MessageRetention, NewKey, new_aes_key},
};
use sbe_edge::{ApiError, Reply, Request};

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
    match carry_out(app, request.account()?, request.session()?, wish, deadline).await? {
        Ending::Session(session, keys) => session_reply(Some((*session, keys))),
        Ending::Destroyed => Ok(Reply(r#"{"success":true}"#.into())),
        Ending::NotFound => Err(ApiError::NotFound("session")),
        Ending::Overtaken | Ending::Abandoned => Err(ApiError::Busy),
    }
}
