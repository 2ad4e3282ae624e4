//! An invocation of the function: messages (a JSON object, or an array of up to 500, or the
//! original system's `{"Records":[…]}`), or work that another invocation has handed on.
//!
//! Read receipts come this way. Most invocations are asynchronous: nobody reads the reply, so what
//! is malformed is parked as well as reported.

use crate::{
    App,
    dispatch::{Times, carry_out},
    outbox::Failed,
    park::{self, Rejected, park},
    publish::{self, Body, Fate, Refused},
};
use lambda_runtime::Error;
use sbe_aws::{
    retry::{Deadline, retry},
    time,
};
use sbe_core::{
    Invalid,
    handed_on::HandedOn,
    id::MessageId,
    message::derived_id,
    stages::{Source, Stage},
    target::Target,
    unreached::HandedOnEvents,
    version::Unreadable,
};
use sbe_edge::{Trail, metrics};

/// Publishes the messages in `text`, or carries out what it hands on. A failure of AWS fails the
/// invocation, which Lambda repeats.
pub(crate) async fn invoke(
    app: &App,
    text: &str,
    request_id: &str,
    deadline: Deadline,
) -> Result<String, Error> {
    let call = Call { app, request_id, trail: Trail::new(request_id), deadline };
    if HandedOnEvents::is_one(text) {
        call.go_on(text).await
    } else if HandedOn::is_one(text) {
        call.receive(text).await
    } else {
        call.publish(text).await
    }
}

/// One invocation.
struct Call<'a> {
    app: &'a App,
    request_id: &'a str,
    trail: Trail<'a>,
    deadline: Deadline,
}

impl Call<'_> {
    /// Carries out what was handed on. What no dispatcher of this environment has made is refused.
    async fn receive(&self, text: &str) -> Result<String, Error> {
        let read = HandedOn::parse(text, &self.app.config.env);
        let read = read.and_then(|handed_on| Ok((handed_on.messages()?, handed_on)));
        let (messages, handed_on) = match read {
            Ok(read) => read,
            Err(reason) => return self.leave(text, reason).await,
        };
        let dispatched = carry_out(self.app, handed_on, messages, self.deadline).await;
        dispatched.record(self.app, self.trail, 0, 0);
        done(dispatched.failed)
    }

    /// Puts the events that another invocation had no time for, or that were parked. They are refused where
    /// the deployment names no bus any more.
    async fn go_on(&self, text: &str) -> Result<String, Error> {
        let no_bus = || Invalid::new("EventBusName", "must be set, or events of messages have nowhere to go");
        let read = HandedOnEvents::parse(text, &self.app.config.env);
        let read = read.and_then(|events| Ok((self.app.offline.as_ref().ok_or_else(no_bus)?, events)));
        let (offline, events) = match read {
            Ok(read) => read,
            Err(reason) => return self.leave(text, reason).await,
        };
        let ids: Vec<MessageId> = events.events.iter().map(|event| event.message_id().clone()).collect();
        let failed = offline.go_on(self.app, events, self.deadline).await;
        park::tell(self.trail, &failed.parked, |index| ids[index].clone());
        metrics::record(&self.app.config, &[("Parked", park::count(&failed.parked))]);
        done(failed)
    }

    /// Publishes the messages in `text`. A failure of AWS fails the invocation, which Lambda repeats.
    async fn publish(&self, text: &str) -> Result<String, Error> {
        let body = match Body::of_invocation(text) {
            Ok(body) => body,
            Err(reason) => return self.refuse(text, reason).await,
        };
        let (texts, broadcasts) = (body.texts(), self.app.config.broadcasts);
        let read = publish::read(&texts, &Target::EVERYONE, broadcasts, self.request_id, time::now());
        publish::tell(self.trail, Source::Invocation, &read);
        for (text, result) in texts.iter().zip(&read) {
            if let Err(refused) = result {
                self.park(text, refused).await?;
            }
        }
        let times = Times::of_batch(self.deadline);
        let (mut fates, error) = publish::publish(self.app, self.trail, read, times).await;
        if let Some(error) = error {
            return Err(error.into());
        }
        Ok(match body {
            Body::One(_) => serde_json::to_string(&fates.remove(0))?,
            Body::Many(_) => publish::list_json(fates)?,
        })
    }

    /// What a later release has handed on fails, so that it is tried again and waits; anything else is parked.
    async fn leave(&self, text: &str, reason: Unreadable) -> Result<String, Error> {
        match reason {
            Unreadable::Later(later) => Err(later.into()),
            Unreadable::Invalid(reason) => self.refuse(text, reason).await,
        }
    }

    /// Parks an invocation as a whole, and says why.
    async fn refuse(&self, text: &str, reason: Invalid) -> Result<String, Error> {
        let refused = Refused::new(text.as_bytes(), reason, || derived_id([self.request_id]));
        let source = Source::Invocation;
        self.trail.warn([refused.told(None)], |messages| Stage::Rejected { source, messages });
        self.park(text.as_bytes(), &refused).await?;
        Ok(serde_json::to_string(&Fate::refused(&refused.reason))?)
    }

    async fn park(&self, text: &[u8], refused: &Refused) -> sbe_aws::Result<()> {
        let rejected = Rejected {
            source: "invocation",
            message_id: &refused.id,
            reason: refused.reason.to_string(),
            sequence_number: self.request_id,
            event_id: None,
            partition_key: None,
            size: text.len(),
            data: Rejected::data(text),
        };
        retry(self.deadline, || park(self.app, &rejected)).await
    }
}

fn done(failed: Failed) -> Result<String, Error> {
    match failed.error {
        Some(error) => Err(error.into()),
        None => Ok(r#"{"success":true}"#.into()),
    }
}
