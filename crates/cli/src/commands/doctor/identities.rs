//! The identity pool, its role, and what the role may.

use super::{
    Doctor,
    check::{Finding, Found, answer, answer_if_any},
    functions::variable,
    policy,
};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// How sessions get their identities: the template's parameter `Identities`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By tokens that only the functions can ask for.
    Developer,
    /// By calls that need no signature.
    Guest,
}

impl Kind {
    /// The kind in this system: what its functions are told.
    pub(super) async fn of(doctor: &Doctor) -> Result<Self, Finding> {
        let told = variable(doctor, "session-manager", "IDENTITIES").await?;
        Ok(if told.as_deref() == Some("guest") { Self::Guest } else { Self::Developer })
    }

    /// The value of the parameter.
    pub(super) fn parameter(self) -> &'static str {
        match self {
            Self::Developer => "developer",
            Self::Guest => "guest",
        }
    }

    /// The other kind's value of the parameter.
    pub(super) fn other(self) -> &'static str {
        match self {
            Self::Developer => "guest",
            Self::Guest => "developer",
        }
    }

    /// Which of the pool's roles such identities get.
    pub(super) fn role(self) -> &'static str {
        match self {
            Self::Developer => "authenticated",
            Self::Guest => "unauthenticated",
        }
    }
}

/// What counts of a pool.
#[derive(Debug)]
struct Pool {
    has_guests: bool,
    has_classic_flow: bool,
    provider: Option<String>,
}

/// The pool is there, and lets in those whom it should.
pub(super) async fn pool(doctor: &Doctor) -> Found {
    let id = &doctor.system.identity_pool_id;
    let describe = doctor.system.cognito_identity().describe_identity_pool().identity_pool_id(id);
    let Some(pool) = answer_if_any("cognito-identity:DescribeIdentityPool", describe.send().await)? else {
        return Err(no_pool(id));
    };
    let kind = Kind::of(doctor).await?;
    let provider = variable(doctor, "session-manager", "DEVELOPER_PROVIDER_NAME").await?;
    let pool = Pool {
        has_guests: pool.allow_unauthenticated_identities,
        has_classic_flow: pool.allow_classic_flow == Some(true),
        provider: pool.developer_provider_name.filter(|name| !name.is_empty()),
    };
    Ok(judge_pool(&pool, kind, provider.as_deref()))
}

fn no_pool(id: &str) -> Finding {
    Finding::failed(
        format!("there is no identity pool {id}"),
        "deploy the template again, or name another IdentityPoolId",
    )
}

fn judge_pool(pool: &Pool, kind: Kind, provider: Option<&str>) -> Finding {
    let mut faults = Vec::new();
    match kind {
        Kind::Developer if pool.provider.as_deref() != provider => faults.push(format!(
            "its developer provider is {}, and the functions ask under {}",
            pool.provider.as_deref().unwrap_or("none"),
            provider.unwrap_or("none")
        )),
        Kind::Developer if pool.has_guests => {
            faults.push("it makes identities for anybody: it allows guests".to_owned());
        }
        Kind::Guest if !pool.has_guests => {
            faults.push("it allows no guests, as which the functions ask".to_owned());
        }
        _ => {}
    }
    if pool.has_classic_flow {
        faults.push(
            "it allows the classic flow, by which guests choose their role's session policy".to_owned(),
        );
    }
    let well = format!("sessions have {} identities, and the pool allows these only", kind.parameter());
    let remedy = "deploy the template again, or set up the shared pool as the template's IdentityPool";
    Finding::of_faults(&faults, well, remedy)
}

/// The pool has a role for the sessions' kind of identities.
pub(super) async fn roles(doctor: &Doctor) -> Found {
    let kind = Kind::of(doctor).await?;
    let Some(arn) = attached(doctor, kind).await? else {
        let detail = format!("the pool has no {} role: sessions get no keys", kind.role());
        return Err(Finding::failed(
            detail,
            "attach the template's BrowserRole to the pool, or deploy again",
        ));
    };
    Ok(Finding::passed(format!("{arn} is the pool's {} role", kind.role())))
}

/// The ARN of the role that sessions' identities get.
async fn attached(doctor: &Doctor, kind: Kind) -> Result<Option<String>, Finding> {
    let id = &doctor.system.identity_pool_id;
    let get = doctor.system.cognito_identity().get_identity_pool_roles().identity_pool_id(id);
    let reply = answer_if_any("cognito-identity:GetIdentityPoolRoles", get.send().await)?
        .ok_or_else(|| no_pool(id))?;
    Ok(reply.roles.unwrap_or_default().remove(kind.role()))
}

/// The name of the role, for checks that read it: without one they are skipped.
async fn role_name(doctor: &Doctor, kind: Kind) -> Result<String, Finding> {
    let arn = attached(doctor, kind).await?.ok_or_else(|| Finding::skipped("the pool has no role"))?;
    Ok(arn.rsplit('/').next().unwrap_or_default().to_owned())
}

/// The role trusts the pool's identities of this kind, and nobody else.
pub(super) async fn trust(doctor: &Doctor) -> Found {
    let kind = Kind::of(doctor).await?;
    let name = role_name(doctor, kind).await?;
    let Some(reply) =
        answer_if_any("iam:GetRole", doctor.system.iam().get_role().role_name(&name).send().await)?
    else {
        return Err(Finding::failed(format!("there is no role {name}"), "deploy the template again"));
    };
    let document = reply.role.and_then(|role| role.assume_role_policy_document).unwrap_or_default();
    let faults = policy::judge_trust(&document_of(&document), &doctor.system.identity_pool_id, kind.role());
    let well = format!("{name} trusts {} identities of the pool only", kind.role());
    Ok(Finding::of_faults(&faults, well, "set the role's trust policy to that of the template's BrowserRole"))
}

/// The role opens the identity's own queue for the four actions, and nothing else.
pub(super) async fn permissions(doctor: &Doctor) -> Found {
    let name = role_name(doctor, Kind::of(doctor).await?).await?;
    let iam = doctor.system.iam();
    let inline =
        answer_if_any("iam:ListRolePolicies", iam.list_role_policies().role_name(&name).send().await)?;
    let Some(inline) = inline else { return Ok(Finding::skipped(format!("there is no role {name}"))) };
    let attached = iam.list_attached_role_policies().role_name(&name).send().await;
    let attached = answer("iam:ListAttachedRolePolicies", attached)?.attached_policies.unwrap_or_default();
    let mut documents = Vec::new();
    for policy in inline.policy_names {
        let get = iam.get_role_policy().role_name(&name).policy_name(policy).send().await;
        documents.push(document_of(&answer("iam:GetRolePolicy", get)?.policy_document));
    }
    let mut faults = policy::judge_permissions(&documents);
    let managed = attached.iter().filter_map(|policy| policy.policy_name());
    faults.extend(managed.map(|policy| format!("the managed policy {policy} is attached to it")));
    let well = format!("{name} may read the identity's own queue, and nothing else");
    Ok(Finding::of_faults(
        &faults,
        well,
        "give the role the one policy of the template's BrowserRole, and no other",
    ))
}

/// IAM hands documents out percent-encoded.
fn document_of(text: &str) -> Value {
    serde_json::from_str(&percent_decode_str(text).decode_utf8_lossy()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};

    #[test]
    fn the_pool_allows_the_kind_of_identities_that_sessions_have() {
        let pool = |has_guests, provider: Option<&str>| Pool {
            has_guests,
            has_classic_flow: false,
            provider: provider.map(ToOwned::to_owned),
        };
        let outcome = |pool: &Pool, kind| judge_pool(pool, kind, Some("p")).outcome;
        assert_eq!(outcome(&pool(false, Some("p")), Kind::Developer), Outcome::Passed);
        assert_eq!(outcome(&pool(true, Some("p")), Kind::Developer), Outcome::Failed);
        assert_eq!(outcome(&pool(false, None), Kind::Developer), Outcome::Failed);
        assert_eq!(outcome(&pool(true, None), Kind::Guest), Outcome::Passed);
        assert_eq!(outcome(&pool(false, None), Kind::Guest), Outcome::Failed);
        let classic = Pool { has_classic_flow: true, ..pool(true, None) };
        assert_eq!(outcome(&classic, Kind::Guest), Outcome::Failed);
    }

    #[test]
    fn documents_are_percent_encoded_or_plain() {
        assert_eq!(document_of("%7B%22a%22%3A1%7D"), document_of(r#"{"a":1}"#));
        assert_eq!(document_of("no document"), Value::Null);
    }
}
