//! Cognito identities and their access keys, in the two ways that Cognito has.
//!
//! A *developer-authenticated* identity is opened by a token that only our own IAM can ask for; its
//! role is the pool's authenticated one. A *guest*'s is opened by its id alone.

use crate::{Error, Kind, Result, config::Config};
use aws_sdk_cognitoidentity::{
    Client,
    types::{Credentials, ErrorCode},
};
use sbe_core::session::{Identity, Keys};

/// The key of a developer-authenticated identity's token in `Logins`.
const TOKEN_PROVIDER: &str = "cognito-identity.amazonaws.com";

/// The identity pool.
#[derive(Debug, Clone)]
pub struct Identities {
    cognito: Client,
    pool_id: String,
    /// The pool's developer provider; `None` for guests.
    developer_provider: Option<String>,
}

/// An identity that Cognito did not delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undeleted {
    /// The identity.
    pub identity_id: String,
    /// Whether another try may succeed.
    pub transient: bool,
}

/// What opens a developer-authenticated identity for some minutes. Without `Debug`: it is a secret.
#[derive(Clone)]
pub struct Token(String);

impl Identities {
    /// Cognito deletes at most this many identities in one call.
    const MAX_DELETED: usize = 60;

    pub(crate) fn new(cognito: Client, config: &Config) -> Self {
        Self {
            cognito,
            pool_id: config.identity_pool_id.clone(),
            developer_provider: config.developer_provider.clone(),
        }
    }

    /// Asks for a new identity. The same `developer_user_identifier` gives the same one again; a
    /// guest is another one each time.
    pub async fn mint(&self, developer_user_identifier: &str) -> Result<(Identity, Option<Token>)> {
        let Some(provider) = &self.developer_provider else {
            let get = self.cognito.get_id().identity_pool_id(&self.pool_id);
            let reply = get.send().await.map_err(Error::sdk("GetId"))?;
            let id = reply.identity_id.ok_or(incomplete("GetId"))?;
            return Ok((Identity { id, developer_user_identifier: None }, None));
        };
        let (id, token) = self.open(provider, developer_user_identifier, None).await?;
        let developer_user_identifier = Some(developer_user_identifier.to_owned());
        Ok((Identity { id, developer_user_identifier }, Some(token)))
    }

    /// New access keys of an identity; they last an hour. `token` saves a call, if there is one.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the identity is gone, or is of the kind that this pool is not for.
    pub async fn keys(&self, identity: &Identity, token: Option<&Token>) -> Result<Keys> {
        let get = self.cognito.get_credentials_for_identity().identity_id(&identity.id);
        let get = match (&self.developer_provider, &identity.developer_user_identifier, token) {
            (None, None, _) => get,
            (Some(_), Some(_), Some(Token(token))) => get.logins(TOKEN_PROVIDER, token),
            (Some(provider), Some(user), None) => {
                let (_, Token(token)) = self.open(provider, user, Some(&identity.id)).await?;
                get.logins(TOKEN_PROVIDER, token)
            }
            _ => return Err(Error::new("GetCredentialsForIdentity", Kind::NotFound, "OtherKindOfIdentity")),
        };
        let reply = get.send().await.map_err(Error::sdk("GetCredentialsForIdentity"))?;
        reply.credentials.and_then(complete).ok_or(incomplete("GetCredentialsForIdentity"))
    }

    /// The id of the identity of a developer user, and a token that opens it.
    async fn open(&self, provider: &str, user: &str, identity_id: Option<&str>) -> Result<(String, Token)> {
        let get = self
            .cognito
            .get_open_id_token_for_developer_identity()
            .identity_pool_id(&self.pool_id)
            .set_identity_id(identity_id.map(str::to_owned))
            .logins(provider, user);
        let reply = get.send().await.map_err(Error::sdk("GetOpenIdTokenForDeveloperIdentity"))?;
        reply.identity_id.zip(reply.token.map(Token)).ok_or(incomplete("GetOpenIdTokenForDeveloperIdentity"))
    }

    /// Deletes identities, [`Self::MAX_DELETED`] a call; gives those that were not deleted.
    pub async fn delete(&self, identity_ids: &[String]) -> Result<Vec<Undeleted>> {
        let mut left = Vec::new();
        for chunk in identity_ids.chunks(Self::MAX_DELETED) {
            let delete = self.cognito.delete_identities().set_identity_ids_to_delete(Some(chunk.to_vec()));
            let reply = delete.send().await.map_err(Error::sdk("DeleteIdentities"))?;
            let unprocessed = reply.unprocessed_identity_ids.unwrap_or_default();
            left.extend(unprocessed.into_iter().filter_map(|identity| {
                let transient = identity.error_code == Some(ErrorCode::InternalServerError);
                Some(Undeleted { identity_id: identity.identity_id?, transient })
            }));
        }
        Ok(left)
    }
}

fn incomplete(operation: &'static str) -> Error {
    Error::new(operation, Kind::Refused, "incomplete reply")
}

fn complete(credentials: Credentials) -> Option<Keys> {
    Some(Keys {
        access_key: credentials.access_key_id?,
        secret_key: credentials.secret_key?,
        session_token: credentials.session_token?,
        expires: credentials.expiration?.secs(),
    })
}
