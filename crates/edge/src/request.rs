//! An API Gateway request, its parameters decoded and checked.

use aws_lambda_events::apigw::ApiGatewayProxyRequest;
use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use sbe_core::{
    Invalid,
    id::{AccountId, SessionId, UserId},
};
use std::time::Duration;

/// The time for a call: API Gateway gives up on a reply after 29 seconds.
pub const HTTP_TIME: Duration = Duration::from_secs(25);

/// The parameters of a signature in the query, by which `SigV4` signs URLs.
const OF_A_SIGNATURE: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];

/// A request that API Gateway has authorised and routed.
#[derive(Debug)]
pub struct Request(ApiGatewayProxyRequest);

impl From<ApiGatewayProxyRequest> for Request {
    fn from(request: ApiGatewayProxyRequest) -> Self {
        Self(request)
    }
}

impl Request {
    /// The resource as the template writes it.
    pub fn resource(&self) -> &str {
        self.0.resource.as_deref().unwrap_or_default()
    }

    /// The HTTP method.
    pub fn method(&self) -> &str {
        self.0.http_method.as_str()
    }

    /// API Gateway's id of the request.
    pub fn id(&self) -> &str {
        self.0.request_context.request_id.as_deref().unwrap_or_default()
    }

    /// The account in the path.
    pub fn account(&self) -> Result<AccountId, Invalid> {
        AccountId::parse(&self.path(AccountId::FIELD)?)
    }

    /// The user in the path.
    pub fn user(&self) -> Result<UserId, Invalid> {
        UserId::parse(&self.path(UserId::FIELD)?)
    }

    /// The session in the path.
    pub fn session(&self) -> Result<SessionId, Invalid> {
        SessionId::parse(self.path(SessionId::FIELD)?)
    }

    /// Whether the route has this path parameter.
    pub fn has_path(&self, name: &str) -> bool {
        self.0.path_parameters.contains_key(name)
    }

    /// A path parameter, percent-decoded: API Gateway passes it as it was sent.
    pub fn path(&self, name: &str) -> Result<String, Invalid> {
        let text = self.0.path_parameters.get(name).map_or("", String::as_str);
        let decoded = percent_decode_str(text).decode_utf8();
        decoded.map(Into::into).map_err(|_| Invalid::new(name, "must be UTF-8, percent-encoded"))
    }

    /// A query parameter, which API Gateway has decoded.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.0.query_string_parameters.first(name)
    }

    /// All query parameters in the order of their names, without those of a signature in the query. One
    /// that is given twice is ambiguous.
    pub fn query_all(&self) -> Result<Vec<(&str, &str)>, Invalid> {
        let all = &self.0.multi_value_query_string_parameters;
        let parameters = if all.is_empty() { &self.0.query_string_parameters } else { all };
        let mut pairs: Vec<(&str, &str)> =
            parameters.iter().filter(|(name, _)| !OF_A_SIGNATURE.contains(name)).collect();
        pairs.sort_unstable();
        match pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(Invalid::new(pair[0].0, "must be given only once")),
            None => Ok(pairs),
        }
    }

    /// The body; absent is empty.
    pub fn body(&self) -> Result<Vec<u8>, Invalid> {
        let body = self.0.body.as_deref().unwrap_or_default();
        if !self.0.is_base64_encoded {
            return Ok(body.as_bytes().to_vec());
        }
        STANDARD
            .decode(body)
            .map_err(|_| Invalid::new("body", "must be valid base64 where API Gateway says so"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(event: serde_json::Value) -> Request {
        let mut full = json!({"httpMethod": "GET", "requestContext": {"httpMethod": "GET"}});
        full.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
        Request::from(serde_json::from_value::<ApiGatewayProxyRequest>(full).unwrap())
    }

    #[test]
    fn path_parameters_are_percent_decoded_once() {
        let request = request(
            json!({"pathParameters": {"sessionId": "a%20b%2525", "accountId": "%35", "userId": "a%7Cb%252F"}}),
        );
        assert_eq!(request.session().unwrap().as_str(), "a b%25");
        assert_eq!(request.account(), Ok(AccountId::from(5)));
        assert_eq!(request.user().unwrap().to_string(), "a|b%2F");
    }

    #[test]
    fn what_does_not_decode_is_refused() {
        let request = request(json!({"pathParameters": {"sessionId": "%ff", "userId": "a%0A"}}));
        assert_eq!(request.session().unwrap_err().to_string(), "sessionId must be UTF-8, percent-encoded");
        assert_eq!(request.user().unwrap_err().field(), "userId");
        assert_eq!(request.account().unwrap_err().field(), "accountId");
    }

    #[test]
    fn a_query_parameter_given_twice_is_refused() {
        let twice = request(json!({"multiValueQueryStringParameters": {"a": ["1", "2"], "b": ["3"]}}));
        assert_eq!(twice.query_all().unwrap_err().field(), "a");
        let once = request(json!({"multiValueQueryStringParameters": {"b": ["3"], "a": ["1"]}}));
        assert_eq!(once.query_all(), Ok(vec![("a", "1"), ("b", "3")]));
    }

    #[test]
    fn a_base64_body_is_decoded() {
        assert_eq!(request(json!({"body": "e30=", "isBase64Encoded": true})).body(), Ok(b"{}".to_vec()));
        assert_eq!(request(json!({"body": "{}"})).body(), Ok(b"{}".to_vec()));
        assert_eq!(request(json!({})).body(), Ok(Vec::new()));
    }
}
