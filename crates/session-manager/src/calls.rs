//! `/create`, `/renew` and `/destroy`: what a call wants, and the reply to how it ended.
//!
//! `docs/PROTOCOL.md`: "A refresh keeps queue, waiting messages and AES key. The session gets a new
//! identity and new access keys, and the queue's tag moves to that identity, so that the former
//! keys stop working."

use crate::{Action, App, drive::carry_out, status::session_reply};
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
    reply_to(app, request, wish, deadline).await
}

pub(crate) async fn renew(app: &App, request: &Request, deadline: Deadline) -> Result<Reply, ApiError> {
    let rotation = match request.query("rotate") {
        None | Some("0") => None,
        Some("1") => Some(NewKey(new_aes_key(random::bytes()))),
        Some(_) => return Err(Invalid::new("rotate", "must be 0 or 1").into()),
    };
    reply_to(app, request, Wish::Renew { rotation }, deadline).await
}

pub(crate) async fn destroy(app: &App, request: &Request, deadline: Deadline) -> Result<Reply, ApiError> {
    reply_to(app, request, Wish::Destroy, deadline).await
}

async fn reply_to(app: &App, request: &Request, wish: Wish, deadline: Deadline) -> Result<Reply, ApiError> {
    match carry_out(app, request.account()?, request.session()?, wish, deadline).await? {
        Ending::Session(session, keys) => session_reply(Some((*session, keys))),
        Ending::Destroyed => Ok(Reply(r#"{"success":true}"#.into())),
        Ending::NotFound => Err(ApiError::NotFound("session")),
        Ending::Overtaken | Ending::Abandoned => Err(ApiError::Busy),
    }
}

/// Counts what a call did, if it asks something of Cognito.
pub(crate) fn count(app: &App, action: Action, result: &Result<Reply, ApiError>) {
    let counts = counts(action, result);
    if !counts.is_empty() {
        metrics::record(&app.config, &counts);
    }
}

/// `Throttled` is mostly Cognito, whose quotas are the lowest. `/status` asks it for keys, and does nothing else that counts.
fn counts(action: Action, result: &Result<Reply, ApiError>) -> Vec<(&'static str, u64)> {
    let is_throttled = matches!(result, Err(ApiError::Aws(error)) if error.kind() == Kind::Throttled);
    let throttled = ("Throttled", u64::from(is_throttled));
    let done = |of: Action| u64::from(result.is_ok() && action == of);
    match action {
        Action::Create | Action::Renew | Action::Destroy => vec![
            ("Created", done(Action::Create)),
            ("Renewed", done(Action::Renew)),
            ("Destroyed", done(Action::Destroy)),
            throttled,
        ],
        Action::Status if is_throttled => vec![throttled],
        Action::Status
        | Action::StatusAll
        | Action::PresenceOfUser
        | Action::PresenceOfAccount
        | Action::Cleanup => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_that_asks_cognito_counts_throttles() {
        let counted = |action, kind| {
            let error = sbe_aws::Error::new("GetCredentialsForIdentity", kind, "x");
            counts(action, &Err(error.into())).into_iter().find(|(name, _)| *name == "Throttled")
        };
        for action in [Action::Create, Action::Renew, Action::Destroy, Action::Status] {
            assert_eq!(counted(action, Kind::Throttled), Some(("Throttled", 1)), "{action:?}");
            assert_ne!(counted(action, Kind::Unavailable), Some(("Throttled", 1)), "{action:?}");
        }
        assert_eq!(counted(Action::PresenceOfUser, Kind::Throttled), None, "it asks DynamoDB alone");
    }

    #[test]
    fn a_call_counts_as_what_it_did() {
        let done = |action| counts(action, &Ok(Reply(String::new())));
        let renewed = [("Created", 0), ("Renewed", 1), ("Destroyed", 0), ("Throttled", 0)];
        assert_eq!(done(Action::Renew), renewed);
        assert_eq!(done(Action::Status), [], "nothing to tell, and no line of it");
    }
}
