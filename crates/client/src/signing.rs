//! SigV4 for HTTP calls.

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError},
};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningError, SigningSettings, sign},
    sign::v4,
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::sync::Mutex;

/// Keys that end sooner than this are asked for again.
const SPARE: Duration = Duration::from_mins(5);

/// Why a call could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum Unsigned {
    /// There are no keys, or they could not be refreshed.
    #[error("no AWS credentials")]
    Credentials(#[from] CredentialsError),
    /// The call is not one that can be signed.
    #[error("the call cannot be signed")]
    Call(#[from] SigningError),
    /// The address is none.
    #[error("the address of the call is not a URL")]
    Address(#[from] reqwest::Error),
}

/// Signs HTTP calls to one service, with keys that are renewed before they end.
#[derive(Debug, Clone)]
pub struct Signer {
    provider: SharedCredentialsProvider,
    /// A chain that reads files or asks a service is not asked for every call.
    credentials: Arc<Mutex<Option<Credentials>>>,
    region: String,
    service: &'static str,
}

impl Signer {
    /// A signer for `service` (such as `execute-api`) in `region`.
    pub fn new(
        credentials: impl Into<SharedCredentialsProvider>,
        region: &str,
        service: &'static str,
    ) -> Self {
        Self { provider: credentials.into(), credentials: Arc::default(), region: region.to_owned(), service }
    }

    /// The request, signed: a session token is among the headers where the keys have one.
    pub async fn sign(
        &self,
        http: &reqwest::Client,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<reqwest::RequestBuilder, Unsigned> {
        let signed = self.headers(method, url, headers, body.as_bytes()).await?;
        // Names of methods are the callers' own, such as `GET`.
        let method = method.parse().unwrap_or_default();
        let mut request = http.request(method, url);
        for (name, value) in
            headers.iter().copied().chain(signed.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        {
            request = request.header(name, value);
        }
        Ok(request.body(body))
    }

    /// The headers to add to a request.
    pub async fn headers(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Vec<(String, String)>, Unsigned> {
        signature(&self.credentials().await?, &self.region, self.service, (method, url), headers, body)
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let mut held = self.credentials.lock().await;
        let lasts = |keys: &Credentials| keys.expiry().is_none_or(|end| end > SystemTime::now() + SPARE);
        if let Some(credentials) = held.as_ref().filter(|keys| lasts(keys)) {
            return Ok(credentials.clone());
        }
        let fresh = self.provider.provide_credentials().await?;
        Ok(held.insert(fresh).clone())
    }
}

/// The headers that sign a call (method and URL) with these keys, now.
pub fn signature(
    credentials: &Credentials,
    region: &str,
    service: &str,
    (method, url): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Vec<(String, String)>, Unsigned> {
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("all parameters are given")
        .into();
    let signable = SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body))?;
    let (instructions, _) = sign(signable, &params)?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}
