//! Any number of sessions, made up from their index and never stored.

use base64::{Engine, engine::general_purpose::STANDARD};
use sbe_core::{
    frame::AesKey,
    id::{AccountId, SessionId, UserId},
    recipient::Recipient,
};
use serde_json::{Value, json};

/// The sessions of a table.
#[derive(Debug, Clone, Copy)]
pub struct Population {
    /// How many there are.
    pub sessions: usize,
    /// How many accounts share them.
    pub accounts: usize,
    /// How many sessions a user has; 0 if sessions have no user.
    pub sessions_per_user: usize,
    /// Whether accounts and users are UUIDs instead of integers.
    pub text_ids: bool,
}

impl Population {
    /// So many sessions of a hundred accounts, without users.
    pub fn of(sessions: usize) -> Self {
        Self { sessions, accounts: 100, sessions_per_user: 0, text_ids: false }
    }

    /// The account of a session.
    pub fn account(&self, index: usize) -> AccountId {
        let number = index % self.accounts;
        if self.text_ids {
            AccountId::parse(&uuid(number)).expect("a short text is an id")
        } else {
            AccountId::from(integer(number))
        }
    }

    /// The user of a session. One user's sessions are far apart in the table.
    pub fn user(&self, index: usize) -> Option<UserId> {
        let users = self.sessions.checked_div(self.sessions_per_user)?.max(1);
        let number = index % users;
        Some(if self.text_ids {
            UserId::parse(&uuid(number)).expect("a short text is an id")
        } else {
            UserId::from(integer(number))
        })
    }

    /// A session as the dispatcher reads it.
    pub fn recipient(&self, index: usize) -> Recipient {
        Recipient {
            account_id: self.account(index),
            session_id: session_id(index),
            user_id: self.user(index),
            sqs_url: queue_url(index),
            aes_key: aes_key(index).to_base64(),
            ttl: TTL,
        }
    }

    /// The same, as a projected `DynamoDB` item.
    pub fn item(&self, index: usize) -> Value {
        serde_json::from_str(&self.item_json(index)).expect("an item is JSON")
    }

    /// Its text: a sink writes millions of them.
    pub fn item_json(&self, index: usize) -> String {
        let (account, session, url) = (self.account(index), session_id(index), queue_url(index));
        let (session, key) = (session.as_str(), aes_key_text(index));
        let user = self.user(index).map_or(String::new(), |user| format!(r#","userId":{{"S":"{user}"}}"#));
        format!(
            r#"{{"accountId":{{"S":"{account}"}},"sessionId":{{"S":"{session}"}},"sqsUrl":{{"S":"{url}"}},"aesKey":{{"S":"{key}"}},"ttl":{{"N":"{TTL}"}}{user}}}"#
        )
    }

    /// A session as presence projects it.
    pub fn present(&self, index: usize) -> Value {
        let mut item = self.item(index);
        if let Some(item) = item.as_object_mut() {
            item.retain(|name, _| !matches!(name.as_str(), "sqsUrl" | "aesKey"));
        }
        item["created"] = json!({"N": "1763800000"});
        item["renewed"] = json!({"N": "1763800000"});
        item
    }
}

/// Far in the future.
const TTL: i64 = 32_503_680_000;

/// The id of a session.
pub fn session_id(index: usize) -> SessionId {
    SessionId::parse(uuid(index)).expect("a short text is an id")
}

fn uuid(number: usize) -> String {
    format!("5f0c7a3e-8d41-4b6c-9e2f-{number:012}")
}

/// The index of the session with an id.
pub fn session_index(id: &str) -> Option<usize> {
    id.get(24..)?.parse().ok()
}

/// The queue of a session, its name as long as a real one.
pub fn queue_url(index: usize) -> String {
    let name = "kW3vYpQ0sT8uX1zA4bC7dE9fG2hJ5mN6";
    format!("https://sqs.eu-west-1.amazonaws.com/123456789012/bench-brws-{name}{index:011}")
}

/// The index of the session with a queue.
pub fn queue_index(url: &str) -> Option<usize> {
    url.get(url.len().checked_sub(11)?..)?.parse().ok()
}

/// The key of a session.
pub fn aes_key(index: usize) -> AesKey {
    let mut bytes = [0x5a; 32];
    bytes[..8].copy_from_slice(&(index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    AesKey::new(bytes)
}

/// The text form of a session's key.
pub fn aes_key_text(index: usize) -> String {
    aes_key(index).to_base64()
}

/// About `bytes` of base64 that compresses as badly as real data.
pub fn text(bytes: usize, seed: usize) -> String {
    let mut state = seed as u64 + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    let noise: Vec<u8> = (0..bytes / 4 * 3).map(|_| next()).collect();
    STANDARD.encode(noise)
}

fn integer(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_found_again_in_all_names() {
        for index in [0, 7, 999_999] {
            assert_eq!(session_index(session_id(index).as_str()), Some(index));
            assert_eq!(queue_index(&queue_url(index)), Some(index));
        }
        assert_ne!(aes_key_text(1), aes_key_text(2));
    }
}
