//! Ids on the command line and in the paths of the API.

use crate::failure::Failure;
use sbe_client::api::in_path;
use sbe_core::{
    Invalid,
    id::{AccountId, MessageId, SessionId, UserId},
};
use std::fmt::Display;

/// Reads an account's id.
pub fn account(text: &str) -> Result<AccountId, Invalid> {
    AccountId::parse(text)
}

/// Reads a user's id.
pub fn user(text: &str) -> Result<UserId, Invalid> {
    UserId::parse(text)
}

/// Reads a session's id.
pub fn session(text: &str) -> Result<SessionId, Invalid> {
    SessionId::parse(text)
}

/// Reads a message's id.
pub fn message(text: &str) -> Result<MessageId, Invalid> {
    MessageId::parse(text)
}

/// What follows the ids in help texts.
pub const HELP: &str = "Ids that begin with - stand after --, or after = as in --user=-x.";

/// Whether an id can be in a path. `docs/PROTOCOL.md`: "An id that is `.` or `..` cannot be in a path, even
/// percent-encoded, since HTTP clients take it for a place in the path".
pub fn fits_path(id: &str) -> bool {
    !matches!(id, "." | "..")
}

/// A path of the API: a route and the ids behind it, percent-encoded.
pub fn path(route: &str, ids: &[&dyn Display]) -> Result<String, Failure> {
    let mut path = route.to_owned();
    for id in ids {
        let id = id.to_string();
        if !fits_path(&id) {
            return Err(Failure::Usage(format!("the id {id} cannot be in a path of the API")));
        }
        path.push('/');
        path.push_str(&in_path(&id));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_in_a_path_is_one_part_of_it() {
        let path = |ids: &[&dyn Display]| path("/create", ids);
        assert_eq!(path(&[&-7, &"a/b c?é"]).unwrap(), "/create/%2D7/a%2Fb%20c%3F%C3%A9");
        for id in [".", ".."] {
            assert_eq!(path(&[&1, &id]).unwrap_err().exit_code(), 2);
        }
    }
}
