//! Messages from an invocation of the function: a JSON object, or an array of up to 500.
//!
//! Read receipts come this way. Most invocations are asynchronous: nobody reads the reply, so what
//! is malformed is parked as well as reported.

use crate::{
    App,
    park::{Rejected, park},
    publish::{self, Body, Fate},
};
use lambda_runtime::Error;
use sbe_aws::{retry::Deadline, time};
use sbe_core::{Invalid, target::Target};

/// Publishes the messages in `text`. A failure of AWS fails the invocation, which Lambda repeats.
pub(crate) async fn publish(
    app: &App,
    text: &str,
    request_id: &str,
    deadline: Deadline,
) -> Result<String, Error> {
    let body = match Body::parse(text.as_bytes()) {
        Ok(body) => body,
        Err(reason) => {
            park_one(app, text.as_bytes(), &reason, request_id, deadline).await?;
            return Ok(serde_json::to_string(&Fate::refused(&reason))?);
        }
    };
    let texts = body.texts();
    let read = publish::read(&texts, &Target::EVERYONE, request_id, time::now());
    for (text, result) in texts.iter().zip(&read) {
        if let Err(reason) = result {
            park_one(app, text, reason, request_id, deadline).await?;
        }
    }
    let (mut fates, error) = publish::publish(app, read, deadline).await;
    if let Some(error) = error {
        return Err(error.into());
    }
    Ok(match body {
        Body::One(_) => serde_json::to_string(&fates.remove(0))?,
        Body::Many(_) => publish::list_json(fates)?,
    })
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
    park(app, &rejected, deadline).await
}
