//! Deletes identities, 60 a call.

use crate::{failure::Failure, parked::pace::Pace, patience::patiently};
use aws_sdk_cognitoidentity::types::{ErrorCode, UnprocessedIdentityId};
use sbe_client::System;
use std::collections::HashMap;

/// Cognito deletes at most so many in a call.
pub(super) const MOST: usize = 60;

/// Deletes up to [`MOST`] identities; those that could not be deleted, and why. One that is gone already is
/// as good as deleted.
pub(super) async fn delete(system: &System, ids: &[String], pace: &Pace) -> HashMap<String, String> {
    if ids.is_empty() {
        return HashMap::new();
    }
    match delete_together(system, ids, pace).await {
        Ok(kept) => kept,
        // One that Cognito refuses, perhaps because of its form, must not keep the others.
        Err(Failure::Refused(_)) if ids.len() > 1 => {
            let mut kept = HashMap::new();
            for id in ids {
                kept.extend(Box::pin(delete(system, std::slice::from_ref(id), pace)).await);
            }
            kept
        }
        Err(failure) => ids.iter().map(|id| (id.clone(), failure.to_string())).collect(),
    }
}

async fn delete_together(
    system: &System,
    ids: &[String],
    pace: &Pace,
) -> Result<HashMap<String, String>, Failure> {
    let mut kept = HashMap::new();
    let call = async || -> Result<Vec<UnprocessedIdentityId>, Failure> {
        pace.turn().await;
        let delete = system.cognito_identity().delete_identities();
        match delete.set_identity_ids_to_delete(Some(ids.to_vec())).send().await {
            Ok(reply) => {
                let left = reply.unprocessed_identity_ids.unwrap_or_default();
                // It fails inside for some: all are asked for again, for those that are gone do no harm.
                if left.iter().any(|left| left.error_code == Some(ErrorCode::InternalServerError)) {
                    return Err(Failure::Unavailable("Cognito fails inside: try again".into()));
                }
                Ok(left)
            }
            Err(error) => Err(Failure::aws("deleting identities", error)),
        }
    };
    let left = patiently(call).await?;
    for left in left {
        let code = left.error_code.map_or_else(String::new, |code| code.as_str().to_owned());
        kept.extend(left.identity_id.map(|id| (id, format!("Cognito refuses: {code}"))));
    }
    Ok(kept)
}
