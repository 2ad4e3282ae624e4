//! Carries out the life of a session, step by step, within the time there is.

use crate::App;
use sbe_aws::{
    Error, Kind, Result,
    identities::Token,
    random,
    retry::{Backoff, Deadline, retry, within},
    time,
};
use sbe_core::{
    id::{AccountId, SessionId},
    life::{Answer, Ending, Life, Step, Wish},
    session::{Identity, MessageRetention, Session, new_aes_key, queue_name},
};
use sbe_edge::ApiError;
use std::time::Duration;

/// SQS may not know a new queue for about a second.
const NEW_QUEUE: Duration = Duration::from_secs(2);

/// Carries out a call until it ends.
///
/// # Errors
/// AWS's error, after what was made has been dropped, as far as time allows.
pub(crate) async fn carry_out(
    app: &App,
    account: AccountId,
    session: SessionId,
    wish: Wish,
    deadline: Deadline,
) -> std::result::Result<Ending, ApiError> {
    let mut driver = Driver { app, life: Life::new(account, session, wish, app.settings()), token: None };
    match driver.run(deadline).await {
        Ok(ending) => Ok(ending),
        Err(error) => {
            driver.life.abandon();
            if let Err(error) = driver.run(deadline.with_reserve()).await {
                tracing::warn!(%error, "what was made for a session may be left; the cleanup takes its queue");
            }
            Err(error.into())
        }
    }
}

struct Driver<'a> {
    app: &'a App,
    life: Life,
    /// The identity that was made last, and what opens it.
    token: Option<(Identity, Token)>,
}

impl Driver<'_> {
    async fn run(&mut self, deadline: Deadline) -> Result<Ending> {
        let mut backoff = Backoff::new();
        loop {
            let step = self.life.step();
            if let Step::End(ending) = step {
                return Ok(ending);
            }
            let answer = self.take(step, deadline).await?;
            let has_lost = answer == Answer::Conflict;
            self.life.on(answer, time::now_seconds());
            // All who have lost would otherwise collide again.
            if has_lost && !backoff.wait(deadline).await {
                return Err(Error::new("A call on a session", Kind::Conflict, "OtherCallsWereFaster"));
            }
        }
    }

    async fn take(&mut self, step: Step, deadline: Deadline) -> Result<Answer> {
        let App { sessions, queues, .. } = self.app;
        match step {
            Step::Read => {
                let (account, id) = self.life.key();
                retry(deadline, || sessions.get(account, id)).await.map(Answer::Stored)
            }
            Step::MintIdentity => self.mint(deadline).await,
            Step::MakeQueue { identity_id, retention } => {
                self.make_queue(&identity_id, retention, deadline).await
            }
            Step::Put { session, replaced } => self.put(&session, replaced.as_deref(), deadline).await,
            Step::SetRetention { sqs_url, retention } => {
                done_or_missing(deadline, || queues.set_retention(&sqs_url, retention)).await
            }
            Step::Tag { sqs_url, identity_id } => {
                done_or_missing(deadline, || queues.tag(&sqs_url, &identity_id)).await
            }
            Step::Keys(identity) => self.keys(&identity, deadline).await,
            Step::Remove(session) => match retry(deadline, || sessions.remove(&session)).await {
                Err(error) if error.kind() == Kind::Conflict => Ok(Answer::Conflict),
                result => result.map(|()| Answer::Done),
            },
            Step::DropQueue(sqs_url) => {
                log_failure(retry(deadline, || queues.delete(&sqs_url)).await);
                Ok(Answer::Done)
            }
            Step::DropIdentity(identity) => {
                self.drop_identity(&identity, deadline).await;
                Ok(Answer::Done)
            }
            Step::End(_) => unreachable!("nothing follows the end"),
        }
    }

    async fn mint(&mut self, deadline: Deadline) -> Result<Answer> {
        let user = random::name();
        let (identity, token) = retry(deadline, || self.app.identities.mint(&user)).await?;
        self.token = token.map(|token| (identity.clone(), token));
        Ok(Answer::Identity(identity))
    }

    async fn make_queue(
        &self,
        identity_id: &str,
        retention: MessageRetention,
        deadline: Deadline,
    ) -> Result<Answer> {
        let name = queue_name(&self.app.config.env, random::bytes());
        let create = || self.app.queues.create(&name, retention, identity_id);
        let sqs_url = retry(deadline, create).await?;
        Ok(Answer::Queue { sqs_url, aes_key: new_aes_key(random::bytes()) })
    }

    /// A put without an answer is not done again: meanwhile another call may have removed what it
    /// stored, and it would come back with a queue that is about to be deleted.
    async fn put(&self, session: &Session, replaced: Option<&Session>, deadline: Deadline) -> Result<Answer> {
        let mut backoff = Backoff::new();
        loop {
            let result = within(deadline, self.app.sessions.put(session, replaced)).await;
            match result.map_err(|error| (error.kind(), error)) {
                Ok(()) => return Ok(Answer::Done),
                Err((Kind::Conflict, _)) => return Ok(Answer::Conflict),
                Err((Kind::Throttled, _)) if backoff.wait(deadline).await => {}
                Err((Kind::Unavailable, _)) => return Ok(Answer::Unknown),
                Err((_, error)) => return Err(error),
            }
        }
    }

    async fn keys(&self, identity: &Identity, deadline: Deadline) -> Result<Answer> {
        let of_this = self.token.as_ref().filter(|(minted, _)| minted == identity);
        let token = of_this.map(|(_, token)| token);
        match retry(deadline, || self.app.identities.keys(identity, token)).await {
            Err(error) if error.kind() == Kind::NotFound => Ok(Answer::Missing),
            result => result.map(Answer::Keys),
        }
    }

    async fn drop_identity(&self, identity: &Identity, deadline: Deadline) {
        let ids = [identity.id.clone()];
        match retry(deadline, || self.app.identities.delete(&ids)).await {
            Ok(left) if left.is_empty() => {}
            Ok(_) => tracing::warn!("an identity was not deleted; without a queue it opens nothing"),
            Err(error) => log_failure(Err(error)),
        }
    }
}

/// Calls about a queue; that it does not exist is believed only after a while.
async fn done_or_missing<F>(deadline: Deadline, call: impl Fn() -> F) -> Result<Answer>
where
    F: Future<Output = Result<()>>,
{
    let known_by = deadline.at_most(NEW_QUEUE);
    let mut backoff = Backoff::new();
    loop {
        match retry(deadline, &call).await {
            Err(error) if error.kind() == Kind::NotFound => {
                if !backoff.wait(known_by).await {
                    return Ok(Answer::Missing);
                }
            }
            result => return result.map(|()| Answer::Done),
        }
    }
}

/// What cannot be dropped now is taken by the cleanup or the table's stream.
fn log_failure(result: Result<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, "something that no session needs was not deleted");
    }
}
