//! `/create`: a new session, or a refresh of a live one.
//!
//! `docs/PROTOCOL.md`: "A refresh keeps queue, waiting messages and AES key. The session gets a new
//! identity and new access keys, and the queue's tag moves to that identity, so that the former
//! keys stop working."

use crate::{App, status::session_reply};
use sbe_aws::{Error, Kind, Result, identities::Credentials, random, time};
use sbe_core::{
    id::{AccountId, SessionId, UserId},
    session::{Creation, MessageRetention, Session, new_aes_key, queue_name},
};
use sbe_edge::{ApiError, Reply, Request};

/// Calls that create the same session at the same time overtake each other at most this often.
pub(crate) const ATTEMPTS: usize = 5;

struct Wish {
    account: AccountId,
    session: SessionId,
    user: Option<UserId>,
    retention: Option<MessageRetention>,
}

pub(crate) async fn create(app: &App, request: &Request) -> std::result::Result<Reply, ApiError> {
    let wish = Wish {
        account: request.account()?,
        session: request.session()?,
        user: request.has_path(UserId::FIELD).then(|| request.user()).transpose()?,
        retention: request.query(MessageRetention::FIELD).map(MessageRetention::parse).transpose()?,
    };
    let mut attempt = 1;
    loop {
        match create_once(app, &wish).await {
            Err(error) if error.kind() == Kind::Conflict && attempt < ATTEMPTS => attempt += 1,
            result => return session_reply(Some(result?)),
        }
    }
}

async fn create_once(app: &App, wish: &Wish) -> Result<Session> {
    let stored = app.sessions.get(wish.account, &wish.session).await?;
    let identity_id = app.identities.create().await?;
    let made = match Creation::plan(stored.clone(), wish.user, time::now_seconds()) {
        Creation::New => make(app, wish, &identity_id).await,
        Creation::Refresh(session) => match refresh(app, wish, *session, &identity_id).await {
            // Somebody deleted the queue: a session without one is no session.
            Err(error) if error.kind() == Kind::NotFound => make(app, wish, &identity_id).await,
            result => result,
        },
    };
    let result = match made {
        Ok(session) => store(app, session, stored.as_ref()).await,
        Err(error) => Err((error, None)),
    };
    match result {
        Ok(session) => Ok(session),
        Err((error, queue)) => {
            abandon(app, &identity_id, queue).await;
            // Where another call was faster, the queue is its identity's by now or soon.
            if let Some(stored) = stored.filter(|_| error.kind() != Kind::Conflict) {
                give_back(app, &stored).await;
            }
            Err(error)
        }
    }
}

/// Stores a session; a failure comes with the queue that was made for it, if one was.
async fn store(
    app: &App,
    session: Session,
    replaced: Option<&Session>,
) -> std::result::Result<Session, (Error, Option<String>)> {
    match app.sessions.put(&session, replaced).await {
        Ok(()) => Ok(session),
        Err(error) => {
            // The answer to a write that was done may be lost: then the second try finds it done.
            if app
                .sessions
                .get(session.account_id, &session.session_id)
                .await
                .is_ok_and(|now| now.as_ref() == Some(&session))
            {
                return Ok(session);
            }
            let is_new = replaced.is_none_or(|old| old.sqs_url != session.sqs_url);
            Err((error, is_new.then_some(session.sqs_url)))
        }
    }
}

/// Gives the queue back to the identity that the stored session names.
async fn give_back(app: &App, stored: &Session) {
    match app.queues.tag(&stored.sqs_url, &stored.identity_id).await {
        Err(error) if error.kind() != Kind::NotFound => {
            tracing::warn!(%error, "a queue could not be given back; /renew and /create do it");
        }
        _ => {}
    }
}

async fn make(app: &App, wish: &Wish, identity_id: &str) -> Result<Session> {
    let name = queue_name(&app.config.env, random::bytes());
    let retention = wish.retention.map_or(app.config.message_retention_seconds, MessageRetention::seconds);
    let (credentials, sqs_url) = tokio::try_join!(
        app.identities.credentials(identity_id),
        app.queues.create(&name, retention, identity_id)
    )?;
    let session = Session {
        account_id: wish.account,
        session_id: wish.session.clone(),
        user_id: wish.user,
        sqs_url,
        sqs_queue_name: name,
        region: app.region.clone(),
        identity_id: String::new(),
        access_key: String::new(),
        secret_key: String::new(),
        session_token: String::new(),
        expires: 0,
        ttl: 0,
        aes_key: new_aes_key(random::bytes()),
    };
    Ok(with_keys(app, session, identity_id, credentials))
}

async fn refresh(app: &App, wish: &Wish, session: Session, identity_id: &str) -> Result<Session> {
    let credentials = app.identities.credentials(identity_id).await?;
    if let Some(retention) = wish.retention {
        app.queues.set_retention(&session.sqs_url, retention).await?;
    }
    app.queues.tag(&session.sqs_url, identity_id).await?;
    Ok(with_keys(app, session, identity_id, credentials))
}

/// The session with the access keys of an identity, and the life that they give it.
pub(crate) fn with_keys(app: &App, session: Session, identity_id: &str, keys: Credentials) -> Session {
    Session {
        identity_id: identity_id.to_owned(),
        access_key: keys.access_key,
        secret_key: keys.secret_key,
        session_token: keys.session_token,
        expires: keys.expires,
        ttl: keys.expires + app.config.session_ttl_seconds,
        ..session
    }
}

/// Removes what was made for a session that was not stored. What cannot be removed now is only
/// logged: the cleanup finds the queue, and an identity without a queue opens nothing.
pub(crate) async fn abandon(app: &App, identity_id: &str, sqs_url: Option<String>) {
    let log = |result: Result<()>| {
        if let Err(error) = result {
            tracing::warn!(%error, "could not remove what was made for a session that was not stored");
        }
    };
    if let Some(url) = sqs_url {
        log(app.queues.delete(&url).await);
    }
    log(app.identities.delete(&[identity_id.to_owned()]).await.map(drop));
}
