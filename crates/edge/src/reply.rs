//! Replies and errors as HTTP, without internals.
//!
//! An error has an outside, the reply, and an inside, the log: only [`reply`] knows both.

use crate::{Request, start::causes};
use aws_lambda_events::{
    apigw::ApiGatewayProxyResponse,
    encodings::Body,
    http::{HeaderMap, HeaderName, HeaderValue, header},
};
use sbe_aws::Kind;
use sbe_core::{Invalid, message::text_json};

/// The JSON text of a successful reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply(pub String);

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The input is wrong: 400, with the field and the rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The input is too large: 413, with the field and the rule.
    #[error("{0}")]
    TooLarge(Invalid),
    /// What the path names does not exist: 404.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The route exists but does nothing yet: 501.
    #[error("not implemented")]
    NotImplemented,
    /// AWS did not do its part: 503 with `Retry-After` if a later try can succeed, else 500.
    #[error(transparent)]
    Aws(#[from] sbe_aws::Error),
    /// Other calls on the same thing were faster: 503 with `Retry-After`.
    #[error("other calls were faster")]
    Busy,
    /// A fault of this system: 500.
    #[error("{0}")]
    Internal(String),
}

impl ApiError {
    fn status(&self) -> i64 {
        match self {
            Self::Invalid(_) => 400,
            Self::TooLarge(_) => 413,
            Self::NotFound(_) => 404,
            Self::NotImplemented => 501,
            Self::Aws(error) if error.kind() == Kind::Throttled => 429,
            Self::Aws(error) if error.is_transient() || error.kind() == Kind::Conflict => 503,
            Self::Busy => 503,
            Self::Aws(_) | Self::Internal(_) => 500,
        }
    }

    /// What the caller is told.
    fn outside(&self) -> String {
        match self {
            _ if matches!(self.status(), 429 | 503) => "busy; try again later".into(),
            Self::Aws(_) | Self::Internal(_) => "internal error".into(),
            _ => self.to_string(),
        }
    }
}

/// The reply to a request. Failures of ours are logged with the request's id and their causes.
pub fn reply(request: &Request, result: Result<Reply, ApiError>) -> ApiGatewayProxyResponse {
    match result {
        Ok(Reply(json)) => response(200, json, None),
        Err(error) => {
            let status = error.status();
            if status >= 429 {
                tracing::error!(
                    request_id = request.id(),
                    resource = request.resource(),
                    status,
                    error = causes(&error),
                    "the request failed"
                );
            }
            let json = format!(r#"{{"success":false,"message":{}}}"#, text_json(&error.outside()));
            response(status, json, matches!(status, 429 | 503).then_some("1"))
        }
    }
}

fn response(status: i64, json: String, retry_after: Option<&'static str>) -> ApiGatewayProxyResponse {
    let mut headers = HeaderMap::new();
    let mut add = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    add(header::CONTENT_TYPE, "application/json");
    // Replies hold keys and private messages.
    add(header::CACHE_CONTROL, "no-store");
    if let Some(seconds) = retry_after {
        add(header::RETRY_AFTER, seconds);
    }
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = status;
    response.headers = headers;
    response.body = Some(Body::Text(json));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lambda_events::apigw::ApiGatewayProxyRequest;

    fn replied(error: ApiError) -> (i64, String, bool) {
        let request = Request::from(ApiGatewayProxyRequest::default());
        let response = reply(&request, Err(error));
        let Some(Body::Text(body)) = response.body else { panic!("no body") };
        (response.status_code, body, response.headers.contains_key(header::RETRY_AFTER))
    }

    #[test]
    fn internals_stay_inside() {
        let aws = |kind| ApiError::Aws(sbe_aws::Error::new("GetItem", kind, "table secret-name"));
        for (error, status, retry) in [
            (aws(Kind::Throttled), 429, true),
            (aws(Kind::Unavailable), 503, true),
            (aws(Kind::Conflict), 503, true),
            (ApiError::Busy, 503, true),
            (aws(Kind::Refused), 500, false),
            (ApiError::Internal("secret-name".into()), 500, false),
        ] {
            let (code, body, retry_after) = replied(error);
            assert_eq!((code, retry_after), (status, retry));
            assert!(!body.contains("secret-name"), "{body}");
        }
    }

    #[test]
    fn errors_of_the_caller_name_the_field() {
        let (status, body, _) = replied(Invalid::new("userId", "must be an integer").into());
        assert_eq!(
            (status, body.as_str()),
            (400, r#"{"success":false,"message":"userId must be an integer"}"#)
        );
        assert_eq!(
            replied(ApiError::NotFound("session")).1,
            r#"{"success":false,"message":"session not found"}"#
        );
    }
}
