//! An invocation of the function: messages (a JSON object, or an array of up to 500, or the
//! original system's `{"Records":[…]}`), or work that another invocation has handed on.
//!
//! Read receipts come this way. Most invocations are asynchronous: nobody reads the reply, so what
//! is malformed is parked as well as reported.

use crate::{
    App,
    dispatch::{Times, carry_out},
    park::{Rejected, park},
    publish::{self, Body, Fate},
};
use lambda_runtime::Error;
use sbe_aws::{
    retry::{Deadline, retry},
    time,
};
use sbe_core::{Invalid, handed_on::HandedOn, target::Target, unreached::HandedOnEvents};

/// Publishes the messages in `text`, or carries out what it hands on. A failure of AWS fails the
/// invocation, which Lambda repeats.
pub(crate) async fn invoke(
    app: &App,
    text: &str,
    request_id: &str,
    deadline: Deadline,
) -> Result<String, Error> {
    if HandedOnEvents::is_one(text) {
        go_on(app, text, request_id, deadline).await
    } else if HandedOn::is_one(text) {
        receive(app, text, request_id, deadline).await
    } else {
        publish(app, text, request_id, deadline).await
    }
}

/// Carries out what was handed on. What no dispatcher of this environment and release has made is refused.
async fn receive(app: &App, text: &str, request_id: &str, deadline: Deadline) -> Result<String, Error> {
    let read = HandedOn::parse(text, &app.config.env);
    let read = read.and_then(|handed_on| handed_on.messages().map(|messages| (handed_on, messages)));
    let (handed_on, messages) = match read {
        Ok(read) => read,
        Err(reason) => return refuse(app, text, &reason, request_id, deadline).await,
    };
    let dispatched = carry_out(app, handed_on, messages, deadline).await;
    dispatched.record(app, 0, 0);
    match dispatched.failed.error {
        Some(error) => Err(error.into()),
        None => Ok(r#"{"success":true}"#.into()),
    }
}

/// Puts the events that another invocation had no time for, or that were parked. They are refused where the
/// deployment names no bus any more.
async fn go_on(app: &App, text: &str, request_id: &str, deadline: Deadline) -> Result<String, Error> {
    let no_bus = || Invalid::new("EventBusName", "must be set, or events of messages have nowhere to go");
    let read = HandedOnEvents::parse(text, &app.config.env);
    let read = read.and_then(|events| Ok((app.offline.as_ref().ok_or_else(no_bus)?, events)));
    let (offline, events) = match read {
        Ok(read) => read,
        Err(reason) => return refuse(app, text, &reason, request_id, deadline).await,
    };
    match offline.go_on(app, events, deadline).await.error {
        Some(error) => Err(error.into()),
        None => Ok(r#"{"success":true}"#.into()),
    }
}

/// Publishes the messages in `text`. A failure of AWS fails the invocation, which Lambda repeats.
async fn publish(app: &App, text: &str, request_id: &str, deadline: Deadline) -> Result<String, Error> {
    let body = match Body::of_invocation(text) {
        Ok(body) => body,
        Err(reason) => return refuse(app, text, &reason, request_id, deadline).await,
    };
    let texts = body.texts();
    let read = publish::read(&texts, &Target::EVERYONE, app.config.broadcasts, request_id, time::now());
    for (text, result) in texts.iter().zip(&read) {
        if let Err(reason) = result {
            park_one(app, text, reason, request_id, deadline).await?;
        }
    }
    let (mut fates, error) = publish::publish(app, read, Times::of_batch(deadline)).await;
    if let Some(error) = error {
        return Err(error.into());
    }
    Ok(match body {
        Body::One(_) => serde_json::to_string(&fates.remove(0))?,
        Body::Many(_) => publish::list_json(fates)?,
    })
}

/// Parks an invocation as a whole, and says why.
async fn refuse(
    app: &App,
    text: &str,
    reason: &Invalid,
    request_id: &str,
    deadline: Deadline,
) -> Result<String, Error> {
    park_one(app, text.as_bytes(), reason, request_id, deadline).await?;
    Ok(serde_json::to_string(&Fate::refused(reason))?)
}

async fn park_one(
    app: &App,
    text: &[u8],
    reason: &Invalid,
    request_id: &str,
    deadline: Deadline,
) -> sbe_aws::Result<()> {
    let rejected = Rejected {
        source: "invocation",
        reason: reason.to_string(),
        sequence_number: request_id,
        event_id: None,
        partition_key: None,
        size: text.len(),
        data: Rejected::data(text),
    };
    rejected.log();
    retry(deadline, || park(app, &rejected)).await
}
