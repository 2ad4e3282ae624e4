//! Who is there: active sessions as `/presence` shows them, never their keys.
//!
//! `docs/PROTOCOL.md`: "Who has an active session is present."

use crate::{
    Invalid,
    id::{AccountId, SessionId, UserId},
    page,
    session::{Cursor, is_active},
};
use serde::{Deserialize, Serialize};

/// A call looks at so many sessions at most. Ended ones count, which DynamoDB may keep for days.
pub const MAX_SESSIONS: usize = 10_000;

/// A session as presence shows it. It has no secret, and none is read for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Present {
    /// The session's account.
    pub account_id: AccountId,
    /// The session's id within the account.
    pub session_id: SessionId,
    /// The session's user, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Since when the session is there, in epoch seconds.
    pub created: i64,
    /// When it was last renewed or refreshed, in epoch seconds.
    pub renewed: i64,
    /// When it ends, in epoch seconds.
    pub ttl: i64,
}

impl Present {
    /// The attributes that a query projects: the fields of this type.
    pub const ATTRIBUTES: [&'static str; 6] =
        ["accountId", "sessionId", "userId", "created", "renewed", "ttl"];

    /// Whether the session still lives at `now` (epoch seconds).
    pub fn is_active(&self, now: i64) -> bool {
        is_active(self.ttl, now)
    }

    /// The place after this session.
    pub fn cursor(&self) -> Cursor {
        Cursor { account: self.account_id.clone(), session: self.session_id.clone() }
    }
}

/// Whose sessions are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// A user's, in all accounts.
    User(UserId),
    /// An account's.
    Account(AccountId),
}

/// A request for a page of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Whose sessions.
    pub whose: Whose,
    /// At most this many.
    pub limit: usize,
    /// Only what comes after this session.
    pub after: Option<Cursor>,
}

impl Query {
    /// Reads the query parameters `limit` and `next`.
    pub fn parse<'a>(whose: Whose, parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Invalid> {
        let limit = page::limit(parameter("limit"))?;
        let after = parameter("next").map(Cursor::from_token).transpose()?;
        if let (Whose::Account(account), Some(cursor)) = (&whose, &after)
            && cursor.account != *account
        {
            return Err(Invalid::new("next", "must be used with the accountId that it came with"));
        }
        Ok(Self { whose, limit, after })
    }

    /// The reply that shows these sessions, after which there are others if there is a `next`.
    pub fn reply<'a>(&self, sessions: &'a [Present], next: Option<&Cursor>) -> impl Serialize + use<'a> {
        let is_all = self.after.is_none() && next.is_none();
        Reply {
            success: true,
            online: (is_all || !sessions.is_empty()).then_some(!sessions.is_empty()),
            count: sessions.len(),
            sessions,
            next: next.map(Cursor::to_token),
        }
    }
}

#[derive(Serialize)]
struct Reply<'a> {
    success: bool,
    /// Nothing where a part that shows no session says nothing of the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    online: Option<bool>,
    count: usize,
    sessions: &'a [Present],
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn present(user_id: Option<UserId>) -> Present {
        let session_id = SessionId::parse("s").unwrap();
        Present { account_id: AccountId::from(1), session_id, user_id, created: 10, renewed: 20, ttl: 40 }
    }

    fn parse(whose: Whose, parameters: &[(&str, &'static str)]) -> Result<Query, Invalid> {
        Query::parse(whose, |name| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value))
    }

    fn reply(query: &Query, sessions: &[Present], next: Option<&Cursor>) -> Value {
        serde_json::to_value(query.reply(sessions, next)).unwrap()
    }

    #[test]
    fn what_is_shown_is_what_is_read() {
        let shown = serde_json::to_value(present(Some(UserId::from(7)))).unwrap();
        let mut names: Vec<&str> = shown.as_object().unwrap().keys().map(String::as_str).collect();
        let mut attributes = Present::ATTRIBUTES.to_vec();
        names.sort_unstable();
        attributes.sort_unstable();
        assert_eq!(names, attributes);
    }

    #[test]
    fn a_reply_says_whether_somebody_is_there() {
        let query = parse(Whose::User(UserId::from(7)), &[]).unwrap();
        let nobody = json!({"success": true, "online": false, "count": 0, "sessions": []});
        assert_eq!(reply(&query, &[], None), nobody);
        let session = present(None);
        let shown = json!({"accountId": 1, "sessionId": "s", "created": 10, "renewed": 20, "ttl": 40});
        let somebody = json!({"success": true, "online": true, "count": 1, "sessions": [shown]});
        assert_eq!(reply(&query, std::slice::from_ref(&session), None), somebody);
    }

    #[test]
    fn a_part_without_sessions_says_nothing_of_the_others() {
        let query = parse(Whose::Account(AccountId::from(1)), &[]).unwrap();
        let cursor = present(None).cursor();
        let first = reply(&query, &[], Some(&cursor));
        assert_eq!((&first["online"], &first["next"]), (&Value::Null, &json!(cursor.to_token())));
        let last = Query { after: Some(cursor), ..query };
        assert_eq!(reply(&last, &[], None)["online"], Value::Null);
        assert_eq!(reply(&last, &[present(None)], None)["online"], true);
    }

    #[test]
    fn parameters_have_rules() {
        let account = |id: i64| Whose::Account(AccountId::from(id));
        assert_eq!(parse(account(1), &[]).unwrap().limit, page::DEFAULT_LIMIT);
        let token: &'static str = present(None).cursor().to_token().leak();
        assert!(parse(account(1), &[("next", token)]).is_ok());
        for (id, name, value) in
            [(1, "limit", "0"), (1, "limit", "1001"), (1, "next", "?"), (2, "next", token)]
        {
            assert_eq!(
                parse(account(id), &[(name, value)]).unwrap_err().field(),
                name,
                "{id} {name}={value}"
            );
        }
        assert!(parse(Whose::User(UserId::from(2)), &[("next", token)]).is_ok(), "a user has many accounts");
    }

    #[test]
    fn a_session_is_there_until_it_ends() {
        assert!(present(None).is_active(39));
        assert!(!present(None).is_active(40));
    }
}
