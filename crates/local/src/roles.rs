//! The role and credentials of one identity.
//!
//! AWS substitutes `${cognito-identity.amazonaws.com:sub}` in the browser policy by the identity
//! that makes the call. MiniStack does not, so each identity gets a role of its own that carries
//! the policy of the deployed role, as it is then, with the variable substituted; MiniStack enforces it.

use crate::deploy::Pool;
use anyhow::{Context, Result, bail};
use percent_encoding::percent_decode_str;
use sbe_client::{Keys, Signer};
use serde::Serialize;
use serde_json::json;

const VARIABLE: &str = "${cognito-identity.amazonaws.com:sub}";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Temporary credentials, in Cognito's form.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Credentials {
    access_key_id: String,
    secret_key: String,
    session_token: String,
    expiration: u64,
}

/// Makes roles for identities.
#[derive(Debug, Clone)]
pub struct Roles {
    http: reqwest::Client,
    endpoint: String,
    iam: Signer,
    sts: Signer,
    role: String,
    policy: String,
}

impl Roles {
    /// Roles at `endpoint` with the policy of the pool's role.
    pub fn new(endpoint: &str, region: &str, root: &Keys, pool: &Pool) -> Self {
        Self {
            http: reqwest::Client::new(),
            endpoint: endpoint.to_owned(),
            iam: Signer::new(root, region, "iam"),
            sts: Signer::new(root, region, "sts"),
            role: pool.role.clone(),
            policy: pool.policy.clone(),
        }
    }

    /// New credentials of an identity, for an hour.
    pub async fn credentials(&self, identity_id: &str) -> Result<Credentials> {
        let role = role_name(identity_id);
        self.ensure_role(&role, identity_id).await?;
        let arn = format!("arn:aws:iam::000000000000:role/{role}");
        let form = [
            ("Action", "AssumeRole"),
            ("RoleArn", &arn),
            ("RoleSessionName", "CognitoIdentityCredentials"),
            ("DurationSeconds", "3600"),
        ];
        let xml = self.call(&self.sts, &form).await?;
        let element = |name| element(&xml, name).with_context(|| format!("no {name} in AssumeRole's reply"));
        Ok(Credentials {
            access_key_id: element("AccessKeyId")?,
            secret_key: element("SecretAccessKey")?,
            session_token: element("SessionToken")?,
            expiration: now() + 3600,
        })
    }

    async fn ensure_role(&self, role: &str, identity_id: &str) -> Result<()> {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole",
        }]})
        .to_string();
        let create = [("Action", "CreateRole"), ("RoleName", role), ("AssumeRolePolicyDocument", &trust)];
        match self.call(&self.iam, &create).await {
            Err(error) if error.to_string().contains("EntityAlreadyExists") => return Ok(()),
            result => result?,
        };
        let policy = self.policy().await?.replace(VARIABLE, identity_id);
        let put = [
            ("Action", "PutRolePolicy"),
            ("RoleName", role),
            ("PolicyName", &self.policy),
            ("PolicyDocument", &policy),
        ];
        self.call(&self.iam, &put).await.map(drop)
    }

    /// The policy of the deployed role.
    async fn policy(&self) -> Result<String> {
        let get = [("Action", "GetRolePolicy"), ("RoleName", &self.role), ("PolicyName", &self.policy)];
        let xml = self.call(&self.iam, &get).await?;
        let document =
            element(&xml, "PolicyDocument").context("no PolicyDocument in GetRolePolicy's reply")?;
        Ok(percent_decode_str(&document).decode_utf8()?.into_owned())
    }

    /// Removes an identity's role, so that its keys stop working.
    pub async fn remove(&self, identity_id: &str) -> Result<()> {
        let role = role_name(identity_id);
        let policy = [("Action", "DeleteRolePolicy"), ("RoleName", &role), ("PolicyName", &self.policy)];
        match self.call(&self.iam, &policy).await {
            // It never had a role.
            Err(error) if error.to_string().contains("NoSuchEntity") => return Ok(()),
            result => result?,
        };
        self.call(&self.iam, &[("Action", "DeleteRole"), ("RoleName", &role)]).await.map(drop)
    }

    async fn call(&self, signer: &Signer, form: &[(&str, &str)]) -> Result<String> {
        let mut url = reqwest::Url::parse(&self.endpoint)?;
        let body = url.query_pairs_mut().extend_pairs(form).finish().query().unwrap_or_default().to_owned();
        let request = signer.sign(&self.http, "POST", &format!("{}/", self.endpoint), &[FORM], body).await?;
        let reply = request.send().await?;
        let status = reply.status();
        let text = reply.text().await?;
        if !status.is_success() {
            bail!("{}: {text}", form[0].1);
        }
        Ok(text)
    }
}

/// `us-east-1:<uuid>` has a colon, which role names may not have.
fn role_name(identity_id: &str) -> String {
    format!("browser-{}", identity_id.replace(':', "-"))
}

/// The text of the first XML element of this name.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.replace("&amp;", "&"))
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}
