//! Which identities live, and what opens them: the part of Cognito that `MiniStack` leaves out.

use std::collections::HashMap;
use uuid::Uuid;

/// The identities of a pool.
#[derive(Default)]
pub struct Identities {
    /// The living identities; those that are no guests with their developer user.
    living: HashMap<String, Option<String>>,
    /// The identities of developer users.
    by_user: HashMap<String, String>,
    /// What opens an identity of a developer user.
    tokens: HashMap<String, String>,
}

/// Why Cognito refuses a call: its code and message.
pub type Refusal = (&'static str, String);

impl Identities {
    /// A new guest's id.
    pub fn add_guest(&mut self, region: &str) -> String {
        let id = format!("{region}:{}", Uuid::new_v4());
        self.living.insert(id.clone(), None);
        id
    }

    /// The id of a developer user's identity, which is made at the first call, and a token that opens
    /// it.
    pub fn open(&mut self, region: &str, user: &str, id: Option<&str>) -> Result<(String, String), Refusal> {
        let known = self.by_user.get(user);
        let id = match (id, known) {
            (Some(id), _) if !self.living.contains_key(id) => return Err(not_found(id)),
            (Some(id), Some(known)) if id != known => {
                let message = "the developer user has another identity".to_owned();
                return Err(("DeveloperUserAlreadyRegisteredException", message));
            }
            (Some(id), _) => id.to_owned(),
            (None, Some(known)) => known.clone(),
            (None, None) => format!("{region}:{}", Uuid::new_v4()),
        };
        self.living.insert(id.clone(), Some(user.to_owned()));
        self.by_user.insert(user.to_owned(), id.clone());
        let token = Uuid::new_v4().to_string();
        self.tokens.insert(token.clone(), id.clone());
        Ok((id, token))
    }

    /// Whether an identity gives its keys: a guest's to anybody, a developer user's for its token.
    pub fn check(&self, id: &str, token: Option<&str>) -> Result<(), Refusal> {
        let is_opened = token.is_some_and(|token| self.tokens.get(token).is_some_and(|of| of == id));
        match self.living.get(id) {
            None => Err(not_found(id)),
            Some(None) if token.is_none() => Ok(()),
            Some(Some(_)) if is_opened => Ok(()),
            Some(_) => Err(("NotAuthorizedException", "Access to Identity is forbidden.".to_owned())),
        }
    }

    /// Deletes an identity; false if there was none.
    pub fn remove(&mut self, id: &str) -> bool {
        let removed = self.living.remove(id);
        if let Some(Some(user)) = &removed {
            self.by_user.remove(user);
        }
        self.tokens.retain(|_, of| of != id);
        removed.is_some()
    }
}

fn not_found(id: &str) -> Refusal {
    ("ResourceNotFoundException", format!("Identity '{id}' not found."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T>(result: Result<T, Refusal>) -> &'static str {
        result.err().map_or("", |(code, _)| code)
    }

    #[test]
    fn a_developer_identity_is_opened_by_its_own_token_only() {
        let mut all = Identities::default();
        let (id, token) = all.open("r", "user", None).unwrap();
        let (other, other_token) = all.open("r", "other", None).unwrap();
        assert_eq!(all.open("r", "user", None).unwrap().0, id, "the same user has the same identity");
        assert_eq!(code(all.open("r", "user", Some(&other))), "DeveloperUserAlreadyRegisteredException");
        assert_eq!(all.check(&id, Some(&token)), Ok(()));
        assert_eq!(code(all.check(&id, Some(&other_token))), "NotAuthorizedException");
        assert_eq!(code(all.check(&id, None)), "NotAuthorizedException", "the id alone is worth nothing");
        assert!(all.remove(&id) && !all.remove(&id));
        assert_eq!(code(all.check(&id, Some(&token))), "ResourceNotFoundException");
        assert_eq!(code(all.open("r", "user", Some(&id))), "ResourceNotFoundException");
        assert_ne!(all.open("r", "user", None).unwrap().0, id);
    }

    #[test]
    fn a_guest_is_opened_by_its_id() {
        let mut all = Identities::default();
        let id = all.add_guest("r");
        assert_eq!(all.check(&id, None), Ok(()));
        assert_eq!(code(all.check(&id, Some("token"))), "NotAuthorizedException");
    }
}
