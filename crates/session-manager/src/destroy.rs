//! `/destroy`: delete queue and session.

use crate::App;
use sbe_edge::{ApiError, Reply, Request};

pub(crate) async fn destroy(app: &App, request: &Request) -> Result<Reply, ApiError> {
    let (account, id) = (request.account()?, request.session()?);
    let session = app.sessions.get(account, &id).await?.ok_or(ApiError::NotFound("session"))?;
    // The queue first: should it fail, the session is still there to be destroyed again. The
    // identity goes by way of the table's stream.
    app.queues.delete(&session.sqs_url).await?;
    app.sessions.delete(&session).await?;
    Ok(Reply(r#"{"success":true}"#.into()))
}
