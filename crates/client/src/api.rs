//! Calls of the HTTP API.

use crate::signing::{Signer, Unsigned};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::time::Duration;

/// API Gateway ends a call after 29 seconds.
const LIMIT: Duration = Duration::from_secs(35);

/// A reply of the HTTP API.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Seconds after which the API asks to be called again, if it does.
    pub retry_after: Option<u64>,
    /// The body; `null` where it is not JSON.
    pub json: Value,
    /// The body as text.
    pub text: String,
}

/// Why a call has no success.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// It could not be signed.
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    /// There was no answer.
    #[error("{0} does not answer")]
    Unreachable(String, #[source] reqwest::Error),
    /// The API refused.
    #[error("{message} (HTTP {status})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The reply's `message`.
        message: String,
        /// Seconds after which the API asks to be called again, if it does.
        retry_after: Option<u64>,
    },
}

impl Reply {
    /// The body of a success; the message of a refusal as an error.
    pub fn success(self) -> Result<Value, ApiError> {
        if self.status == 200 && self.json["success"] == true {
            return Ok(self.json);
        }
        let message = self.json["message"].as_str().unwrap_or(&self.text).to_owned();
        Err(ApiError::Refused { status: self.status, message, retry_after: self.retry_after })
    }
}

/// The HTTP API of a system, with somebody's keys.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    url: String,
    signer: Signer,
}

impl Api {
    /// The API at a base URL; the signer's service must be `execute-api`.
    pub fn new(url: &str, signer: Signer) -> Self {
        let http = reqwest::Client::builder().timeout(LIMIT).build().unwrap_or_default();
        Self { http, url: url.to_owned(), signer }
    }

    /// The body of a success of a signed call. `path` begins with `/` and is percent-encoded (see [`in_path`]).
    pub async fn call(&self, method: &str, path: &str, body: impl Into<String>) -> Result<Value, ApiError> {
        self.send(method, path, body.into()).await?.success()
    }

    /// The reply to a signed call.
    pub async fn send(&self, method: &str, path: &str, body: String) -> Result<Reply, ApiError> {
        let headers = [("content-type", "application/json"), ("accept", "application/json")];
        let url = format!("{}{path}", self.url);
        self.answer(self.signer.sign(&self.http, method, &url, &headers, body).await?).await
    }

    /// The reply to a call without a signature, which the API must refuse.
    pub async fn send_unsigned(&self, method: &str, path: &str) -> Result<Reply, ApiError> {
        let method = method.parse().unwrap_or_default();
        self.answer(self.http.request(method, format!("{}{path}", self.url))).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Reply, ApiError> {
        let unreachable = |error| ApiError::Unreachable(self.url.clone(), error);
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let text = response.text().await.map_err(unreachable)?;
        Ok(Reply { status, retry_after, json: serde_json::from_str(&text).unwrap_or_default(), text })
    }
}

/// An id as a path holds it.
pub fn in_path(id: &str) -> String {
    utf8_percent_encode(id, NON_ALPHANUMERIC).to_string()
}
