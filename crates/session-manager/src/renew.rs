//! `/renew`: new access keys for the same identity, a later end of the session.

use crate::{
    App,
    create::{ATTEMPTS, abandon, with_keys},
    status::session_reply,
};
use sbe_aws::{Kind, Result, time};
use sbe_core::session::Session;
use sbe_edge::{ApiError, Reply, Request};

pub(crate) async fn renew(app: &App, request: &Request) -> std::result::Result<Reply, ApiError> {
    let (account, id) = (request.account()?, request.session()?);
    let mut attempt = 1;
    loop {
        let stored = app.sessions.get(account, &id).await?;
        let active = stored.filter(|session| session.is_active(time::now_seconds()));
        let session = active.ok_or(ApiError::NotFound("session"))?;
        match renewed(app, session).await {
            // Another call changed the session meanwhile.
            Err(error) if error.kind() == Kind::Conflict && attempt < ATTEMPTS => attempt += 1,
            // The queue is gone: `/create` makes the session anew.
            Err(error) if error.kind() == Kind::NotFound => return Err(ApiError::NotFound("session")),
            result => return session_reply(Some(result?)),
        }
    }
}

async fn renewed(app: &App, session: Session) -> Result<Session> {
    let identity_id = session.identity_id.clone();
    match app.identities.credentials(&identity_id).await {
        Ok(keys) => {
            // The tag names this identity already, unless a call was cut off half way.
            app.queues.tag(&session.sqs_url, &identity_id).await?;
            let renewed = with_keys(app, session.clone(), &identity_id, keys);
            app.sessions.put(&renewed, Some(&session)).await?;
            Ok(renewed)
        }
        Err(error) if error.kind() == Kind::NotFound => with_new_identity(app, session).await,
        Err(error) => Err(error),
    }
}

async fn with_new_identity(app: &App, session: Session) -> Result<Session> {
    let identity_id = app.identities.create().await?;
    let result = async {
        let keys = app.identities.credentials(&identity_id).await?;
        app.queues.tag(&session.sqs_url, &identity_id).await?;
        let renewed = with_keys(app, session.clone(), &identity_id, keys);
        app.sessions.put(&renewed, Some(&session)).await?;
        Ok(renewed)
    }
    .await;
    if result.is_err() {
        abandon(app, &identity_id, None).await;
    }
    result
}
