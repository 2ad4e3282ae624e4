//! The session that is listened to: found or created, renewed, taken up again.

use super::Listen;
use crate::{
    calls::Calls,
    context::Context,
    failure::Failure,
    ids,
    output::{report, unexpected},
    times,
};
use sbe_client::{ApiError, Consumer, Session, causes, trouble::Trouble};
use sbe_core::id::UserId;
use serde::Deserialize;
use std::{fmt::Display, time::Duration};

/// Keys that end sooner than this are renewed.
const SPARE_SECONDS: i64 = 300;

/// A renewal that failed is tried again after so many seconds.
const RENEWAL_PAUSE: i64 = 20;

/// A session with its keys.
pub(super) struct Held<'a> {
    pub(super) consumer: Consumer,
    pub(super) user: Option<UserId>,
    calls: Calls<'a>,
    context: &'a Context,
    args: &'a Listen,
    was_created: bool,
    /// When it is renewed, in epoch seconds.
    renewal: i64,
}

#[derive(Deserialize)]
struct Reply {
    session: Option<Session>,
}

impl<'a> Held<'a> {
    /// The session that is there, unless it is to be taken over; else one that is created.
    pub(super) async fn take(args: &'a Listen, context: &'a Context) -> Result<Self, Failure> {
        let calls = Calls::new(context);
        let found = status(&calls, args).await?;
        let was_created = found.is_none();
        let session = match found {
            Some(session) if !args.take_over => {
                check_user(&session, args)?;
                report(format_args!(
                    "the session is there already: what is taken here does not reach its other consumers"
                ));
                session
            }
            _ => create(&calls, args).await?,
        };
        let consumer = consumer(context, session);
        let user = user(&consumer.session);
        let renewal = renewal(&consumer.session);
        Ok(Self { consumer, user, calls, context, args, was_created, renewal })
    }

    /// Renews the keys before they end. As long as they work, a failure only waits for the next try.
    pub(super) async fn renew_if_due(&mut self) -> Result<(), Failure> {
        let now = times::now().seconds();
        if now < self.renewal {
            return Ok(());
        }
        let path = ids::path("/renew", &[&self.args.account, &self.args.session])?;
        match self.calls.post(&path, "").await {
            Ok(reply) => self.hold(session(&reply.text)?.ok_or_else(has_ended)?),
            Err(Failure::Api(ApiError::Refused { status: 404, .. })) => return Err(has_ended()),
            Err(failure @ Failure::Interrupted(_)) => return Err(failure),
            Err(failure) => {
                report(format_args!("renewing: {}: trying again", causes(&failure)));
                self.renewal = now + RENEWAL_PAUSE;
            }
        }
        Ok(())
    }

    /// Asks for fresh keys, since these are refused or their queue is not there.
    pub(super) async fn take_up_again(&mut self, why: Trouble) -> Result<(), Failure> {
        let found = match status(&self.calls, self.args).await {
            Ok(found) => found.ok_or_else(has_ended)?,
            Err(failure) if failure.exit_code() == 6 => {
                report(format_args!("asking for fresh keys: {}", causes(&failure)));
                return Ok(());
            }
            Err(failure) => return Err(failure),
        };
        if user(&found) != self.user {
            return Err(Failure::Refused("the session was made anew for another user".to_owned()));
        }
        let is_new = found.sqs_url != self.consumer.session.sqs_url;
        match (is_new, why) {
            (true, _) => report(format_args!("the session was made anew: polling its new queue")),
            (false, Trouble::QueueGone) => report(format_args!("the session's queue is not known (yet)")),
            (false, _) => report(format_args!("the session has other keys now: polling with fresh ones")),
        }
        self.hold(found);
        Ok(())
    }

    fn hold(&mut self, session: Session) {
        self.renewal = renewal(&session);
        self.consumer = consumer(self.context, session);
    }

    /// Destroys the session if it was created here, also after Ctrl-C; what comes of it is told.
    pub(super) async fn destroy(&self, time: Duration) {
        if !self.was_created {
            report(format_args!("the session was there before, and stays"));
            return;
        }
        let Ok(path) = ids::path("/destroy", &[&self.args.account, &self.args.session]) else { return };
        let api = self.context.system.api();
        let destroy = api.call("POST", &path, "");
        match self.context.interrupt.with_grace(time, destroy).await {
            Some(Ok(_)) => report(format_args!("the session is destroyed")),
            Some(Err(error)) => report(format_args!("the session is not destroyed: {}", causes(&error))),
            None => report(format_args!("the session may not be destroyed yet: see sbe status")),
        }
    }
}

async fn status(calls: &Calls<'_>, args: &Listen) -> Result<Option<Session>, Failure> {
    session(&calls.get(&ids::path("/status", &[&args.account, &args.session])?).await?.text)
}

async fn create(calls: &Calls<'_>, args: &Listen) -> Result<Session, Failure> {
    let mut parts: Vec<&dyn Display> = vec![&args.account, &args.session];
    parts.extend(args.user.as_ref().map(|user| user as &dyn Display));
    let reply = calls.post(&ids::path("/create", &parts)?, "").await?;
    session(&reply.text)?.ok_or_else(has_ended)
}

fn session(reply: &str) -> Result<Option<Session>, Failure> {
    let reply: Reply = serde_json::from_str(reply).map_err(|error| unexpected(&error))?;
    Ok(reply.session)
}

/// `docs/PROTOCOL.md`: "A session that is created again for another user is made anew".
fn check_user(session: &Session, args: &Listen) -> Result<(), Failure> {
    if args.user.is_none() || args.user == user(session) {
        return Ok(());
    }
    Err(Failure::Refused(
        "the session is there for another user: --take-over makes it anew, without what waits in its queue"
            .to_owned(),
    ))
}

fn user(session: &Session) -> Option<UserId> {
    let id = session.user_id.as_ref()?;
    UserId::parse(&id.as_str().map_or_else(|| id.to_string(), ToOwned::to_owned)).ok()
}

fn consumer(context: &Context, session: Session) -> Consumer {
    Consumer::new(session, context.system.sdk().endpoint_url())
}

fn renewal(session: &Session) -> i64 {
    session.expires - SPARE_SECONDS
}

fn has_ended() -> Failure {
    Failure::Refused("the session has ended".to_owned())
}
