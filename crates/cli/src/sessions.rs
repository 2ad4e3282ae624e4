//! Sessions in replies: for people, and without their secrets unless these are asked for.

use crate::{table::printable, times};
use clap::Args;
use sbe_core::{
    id::{AccountId, SessionId, UserId},
    message::{Fields, ObjectWriter},
};
use serde::Deserialize;

/// What opens a session to whoever knows it.
const SECRETS: [&str; 6] =
    ["accessKey", "secretKey", "sessionToken", "identityId", "aesKey", "previousAesKey"];

/// Whether secrets are shown.
#[derive(Debug, Clone, Copy, Args)]
pub struct Secrets {
    /// Show keys and identity too, in JSON as well; they are left out otherwise.
    #[arg(long)]
    pub show_secrets: bool,
}

impl Secrets {
    /// A reply with a `session`, without the fields that are not to be shown. All else stays as it was
    /// written.
    pub fn hide(self, reply: &str) -> serde_json::Result<String> {
        if self.show_secrets {
            return Ok(reply.to_owned());
        }
        let mut shown = ObjectWriter::default();
        for (name, value) in serde_json::from_str::<Fields<'_>>(reply)?.iter() {
            match serde_json::from_str::<Fields<'_>>(value.get()) {
                Ok(session) if name == "session" => shown.add(name, &without_secrets(&session)),
                _ => shown.add(name, value.get()),
            }
        }
        Ok(shown.finish())
    }

    /// A reply with a `session` for people; `None` where there is no session.
    pub fn text(self, reply: &str) -> serde_json::Result<String> {
        let fields: Fields<'_> = serde_json::from_str(reply)?;
        let session =
            fields.iter().find(|(name, _)| *name == "session").map_or("null", |(_, value)| value.get());
        let mut text = serde_json::from_str::<Shown>(session)?.text();
        for (name, value) in serde_json::from_str::<Fields<'_>>(session)?.iter() {
            if self.show_secrets && SECRETS.contains(&name) {
                text.extend([format!("\n{name:<16}").as_str(), value.get().trim_matches('"')]);
            }
        }
        if !self.show_secrets {
            text.push_str("\nkeys            hidden: --show-secrets shows them");
        }
        Ok(text)
    }
}

fn without_secrets(session: &Fields<'_>) -> String {
    let mut shown = ObjectWriter::default();
    for (name, value) in session.iter().filter(|(name, _)| !SECRETS.contains(name)) {
        shown.add(name, value.get());
    }
    shown.finish()
}

/// What replies have of a session.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// Its account.
    pub account_id: AccountId,
    /// Its id.
    pub session_id: SessionId,
    /// Its user, if it has one.
    pub user_id: Option<UserId>,
    /// Its queue.
    pub sqs_url: String,
    /// When its keys end, in epoch seconds.
    pub expires: i64,
    /// When it ends, in epoch seconds.
    pub ttl: i64,
}

impl Shown {
    fn text(&self) -> String {
        let now = times::now();
        let name = printable(&name(&self.account_id, &self.session_id, self.user_id.as_ref()));
        format!(
            "session         {name}\nqueue           {}\nkeys until      {}\nends            {}",
            self.sqs_url,
            times::readable_with_distance(self.expires, now),
            times::readable_with_distance(self.ttl, now),
        )
    }
}

/// How a session is called in texts.
pub fn name(account: &AccountId, session: &SessionId, user: Option<&UserId>) -> String {
    let user = user.map(|user| format!(", user {user}")).unwrap_or_default();
    format!("{session} of account {account}{user}")
}

/// A user for a table.
pub fn user_cell(user: Option<&UserId>) -> String {
    user.map_or_else(|| "-".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &str = r#"{"success":true,"session":{"sqsUrl":"u","accessKey":"a","secretKey":"s","sessionToken":"t","expires":1,"ttl":2,"identityId":"i","sessionId":"s","accountId":9223372036854775807,"aesKey":"k","previousAesKey":"p"}}"#;

    #[test]
    fn secrets_are_left_out_and_all_else_stays() {
        let hidden = Secrets { show_secrets: false }.hide(REPLY).unwrap();
        assert_eq!(
            hidden,
            r#"{"success":true,"session":{"sqsUrl":"u","expires":1,"ttl":2,"sessionId":"s","accountId":9223372036854775807}}"#
        );
        assert_eq!(Secrets { show_secrets: true }.hide(REPLY).unwrap(), REPLY);
        let none = r#"{"success":true,"session":null}"#;
        assert_eq!(Secrets { show_secrets: false }.hide(none).unwrap(), none);
    }

    #[test]
    fn people_are_told_that_there_are_secrets() {
        let text = Secrets { show_secrets: false }.text(REPLY).unwrap();
        assert!(text.contains("--show-secrets") && text.contains("account 9223372036854775807"), "{text}");
        let text = Secrets { show_secrets: true }.text(REPLY).unwrap();
        assert!(text.contains("previousAesKey  p"), "{text}");
    }
}
