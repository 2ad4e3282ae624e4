//! SigV4 for HTTP calls.

use crate::stack::Keys;
use anyhow::{Result, anyhow};
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::client::identity::Identity;
use std::time::SystemTime;

/// Signs HTTP calls to one service.
#[derive(Debug, Clone)]
pub struct Signer {
    identity: Identity,
    region: String,
    service: &'static str,
}

impl Signer {
    /// A signer for `service` (such as `execute-api`) in `region`.
    pub fn new(keys: &Keys, region: &str, service: &'static str) -> Self {
        let credentials = Credentials::new(&keys.access_key, &keys.secret_key, None, None, "local");
        Self { identity: credentials.into(), region: region.to_owned(), service }
    }

    /// The request, signed.
    pub fn sign(
        &self,
        http: &reqwest::Client,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<reqwest::RequestBuilder> {
        let params = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signable =
            SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body.as_bytes()))?;
        let (instructions, _) =
            sign(signable, &params).map_err(|error| anyhow!("signing: {error}"))?.into_parts();
        let mut request = http.request(method.parse()?, url);
        for (name, value) in headers.iter().copied().chain(instructions.headers()) {
            request = request.header(name, value);
        }
        Ok(request.body(body))
    }
}
