//! Cognito identities and their credentials.

use crate::{Error, Kind, Result, config::Config};
use aws_sdk_cognitoidentity::{
    Client,
    types::{Credentials as SdkCredentials, ErrorCode},
};
use std::fmt;

/// The identity pool.
#[derive(Debug, Clone)]
pub struct Identities {
    cognito: Client,
    pool_id: String,
}

/// An identity that Cognito did not delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undeleted {
    /// The identity.
    pub identity_id: String,
    /// Whether another try may succeed.
    pub transient: bool,
}

/// Temporary access keys of an identity.
#[derive(Clone)]
pub struct Credentials {
    /// Access key id.
    pub access_key: String,
    /// Secret of the access key.
    pub secret_key: String,
    /// Session token.
    pub session_token: String,
    /// When they stop working, in epoch seconds.
    pub expires: i64,
}

/// `Debug` shows the time only: the rest is secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl Identities {
    /// Cognito deletes at most this many identities in one call.
    const MAX_DELETED: usize = 60;

    pub(crate) fn new(cognito: Client, config: &Config) -> Self {
        Self { cognito, pool_id: config.identity_pool_id.clone() }
    }

    /// Makes a guest identity; gives its id.
    pub async fn create(&self) -> Result<String> {
        let get = self.cognito.get_id().identity_pool_id(&self.pool_id);
        let reply = get.send().await.map_err(Error::sdk("GetId"))?;
        reply.identity_id.ok_or(Error::new("GetId", Kind::Refused, "no identity in the reply"))
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

    /// New access keys for an identity; they last an hour.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the identity is gone.
    pub async fn credentials(&self, identity_id: &str) -> Result<Credentials> {
        let get = self.cognito.get_credentials_for_identity().identity_id(identity_id);
        let reply = get.send().await.map_err(Error::sdk("GetCredentialsForIdentity"))?;
        let incomplete =
            || Error::new("GetCredentialsForIdentity", Kind::Refused, "incomplete keys in the reply");
        reply.credentials.and_then(complete).ok_or_else(incomplete)
    }
}

fn complete(credentials: SdkCredentials) -> Option<Credentials> {
    Some(Credentials {
        access_key: credentials.access_key_id?,
        secret_key: credentials.secret_key?,
        session_token: credentials.session_token?,
        expires: credentials.expiration?.secs(),
    })
}
