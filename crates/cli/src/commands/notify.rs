//! `sbe notify`.

use crate::{
    calls::Calls, context::Context, failure::Failure, ids, input::Input, output::report, published::with_ids,
};
use clap::Args;
use sbe_core::{
    id::{AccountId, SessionId, UserId},
    target::Target,
};
use serde::Deserialize;
use std::fmt::Display;

/// Examples, for `--help`.
pub const EXAMPLES: &str = r#"Examples:
  sbe notify --account 1 --user 7 '{"text":"hello"}'
  sbe notify '{"_everyone":1,"text":"hello, all"}'
  echo '[{"userId":7,"n":1},{"userId":7,"n":2}]' | sbe notify -
  sbe notify --account acme --file message.json

A message without messageId is given one, so that a call that is tried again publishes nothing twice.
Options win over fields of the message. More than 500 messages: sbe put.
Ids that begin with - stand after =, as in --user=-x."#;

/// Lambda takes 6 MB with the request around the messages.
const MAX_BYTES: u64 = 6_000_000;

/// What to publish, and to whom.
#[derive(Debug, Args)]
pub struct Notify {
    /// To sessions of this account.
    #[arg(long, value_parser = ids::account, allow_negative_numbers = true)]
    account: Option<AccountId>,

    /// To sessions of this user.
    #[arg(long, value_parser = ids::user, allow_negative_numbers = true)]
    user: Option<UserId>,

    /// To this session.
    #[arg(long, value_parser = ids::session, allow_negative_numbers = true)]
    session: Option<SessionId>,

    #[command(flatten)]
    input: Input,
}

/// Publishes a message, or a list of up to 500.
pub async fn run(args: Notify, context: &Context) -> Result<(), Failure> {
    let text = args.input.read(MAX_BYTES, &context.interrupt).await?;
    let target = Target { account: args.account, user: args.user, session: args.session };
    let path = route(&target);
    // What has no route of its own is a field of each message.
    let fields = if path.is_some() { Target::EVERYONE } else { target };
    let body = with_ids(&text, &fields);
    let reply = Calls::new(context).post(path.as_deref().unwrap_or("/notify"), &body).await?;
    let fates: Fates =
        serde_json::from_str(&reply.text).map_err(|error| crate::output::unexpected(&error))?;
    context.output.reply(&reply.text, |_| Ok(fates.text()))?;
    let refused = fates.refused();
    if refused.is_empty() {
        return Ok(());
    }
    for (index, reason) in &refused {
        report(format_args!("message {} of the list is refused: {reason}", index + 1));
    }
    Err(Failure::Found(format!("{} of {} messages are refused", refused.len(), fates.messages.len())))
}

/// The path that says to whom, if there is one for these keys.
fn route(target: &Target) -> Option<String> {
    let Target { account, user, session } = target;
    let texts = [account.as_ref().map(ToString::to_string), user.as_ref().map(ToString::to_string)];
    let mut given = texts.iter().flatten().map(String::as_str).chain(session.as_ref().map(SessionId::as_str));
    if !given.all(ids::fits_path) {
        return None;
    }
    let mut path = "/notify".to_owned();
    let mut add =
        |kind: &str, id: &dyn Display| path = ids::path(&format!("{path}{kind}"), &[id]).expect("it fits");
    match (account, user, session) {
        (None, None, None) => {}
        (None, ..) => return None,
        (Some(account), ..) => add("", account),
    }
    if let Some(user) = user {
        add("/user", user);
    }
    if let Some(session) = session {
        add("/session", session);
    }
    Some(path)
}

/// What became of a message, or of a list.
#[derive(Deserialize)]
struct Fates {
    #[serde(flatten)]
    one: Fate,
    #[serde(default)]
    messages: Vec<Fate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fate {
    success: bool,
    message_id: Option<String>,
    sessions: Option<u64>,
    message: Option<String>,
}

impl Fates {
    fn text(&self) -> String {
        let accepted: Vec<&Fate> = self.messages.iter().filter(|fate| fate.success).collect();
        if let Some(id) = &self.one.message_id {
            return format!("message {id}: {}", reached(self.one.sessions));
        }
        let sessions = accepted.iter().map(|fate| fate.sessions).sum();
        format!("{} messages: {}", accepted.len(), reached(sessions))
    }

    fn refused(&self) -> Vec<(usize, &str)> {
        let fates = self.messages.iter().enumerate().filter(|(_, fate)| !fate.success);
        fates.map(|(index, fate)| (index, fate.message.as_deref().unwrap_or_default())).collect()
    }
}

fn reached(sessions: Option<u64>) -> String {
    match sessions {
        Some(1) => "1 session".to_owned(),
        Some(sessions) => format!("{sessions} sessions"),
        None => "accepted; the rest of a wide audience is reached after the reply".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(account: Option<&str>, user: Option<i64>, session: Option<&str>) -> Target {
        Target {
            account: account.map(|id| AccountId::parse(id).unwrap()),
            user: user.map(UserId::from),
            session: session.map(|id| SessionId::parse(id).unwrap()),
        }
    }

    #[test]
    fn keys_with_a_route_are_in_the_path_and_others_in_the_message() {
        let path = |account, user, session| route(&target(account, user, session));
        assert_eq!(path(None, None, None).as_deref(), Some("/notify"));
        assert_eq!(path(Some("a/b"), None, None).as_deref(), Some("/notify/a%2Fb"));
        assert_eq!(path(Some("1"), Some(-7), None).as_deref(), Some("/notify/1/user/%2D7"));
        assert_eq!(path(Some("1"), Some(7), Some("s")).as_deref(), Some("/notify/1/user/7/session/s"));
        assert_eq!(path(Some("1"), None, Some("s")).as_deref(), Some("/notify/1/session/s"));
        assert_eq!(path(None, Some(7), None), None);
        assert_eq!(path(Some("1"), None, Some("..")), None);
    }
}
