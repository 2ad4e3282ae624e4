//! The table of a function's routes.

use crate::{ApiError, Request};
use sbe_core::Invalid;

/// The HTTP methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// GET, the documented method of nearly every route.
    Get,
    /// POST, for every route that changes something.
    Post,
}

impl Method {
    /// Its name in a request.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// GET only: the route changes nothing.
pub const GET: &[Method] = &[Method::Get];
/// GET and its POST twin: the route changes something.
pub const GET_AND_POST: &[Method] = &[Method::Get, Method::Post];
/// POST only.
pub const POST: &[Method] = &[Method::Post];

/// The query parameters that a route takes.
#[derive(Debug, Clone, Copy)]
pub enum Parameters {
    /// These.
    Only(&'static [&'static str]),
    /// Of a GET the fields of a message, whatever their names; of a POST none.
    Fields,
}

/// A route: methods, resource as the template writes it, and what it does.
#[derive(Debug, Clone, Copy)]
pub struct Route<A> {
    /// The methods that the route answers.
    pub methods: &'static [Method],
    /// The resource, such as `/create/{accountId}/{sessionId}`.
    pub resource: &'static str,
    /// The query parameters that it takes; others are refused.
    pub query: Parameters,
    /// What the function does for it.
    pub action: A,
}

/// The action of the route that API Gateway chose.
///
/// # Errors
/// When there is no such route, and when it does not take one of the query parameters. A parameter that
/// was passed over would be a wish that nobody hears.
pub fn action<A: Copy>(routes: &[Route<A>], request: &Request) -> Result<A, ApiError> {
    let is_asked = |route: &&Route<A>| {
        route.resource == request.resource()
            && route.methods.iter().any(|method| method.name() == request.method())
    };
    let route = routes.iter().find(is_asked).ok_or(ApiError::NotFound("route"))?;
    let known = match route.query {
        Parameters::Fields if request.method() == Method::Get.name() => return Ok(route.action),
        Parameters::Fields => &[],
        Parameters::Only(names) => names,
    };
    match request.query_all()?.iter().find(|(name, _)| !known.contains(name)) {
        Some((name, _)) => Err(unknown(name, known).into()),
        None => Ok(route.action),
    }
}

fn unknown(name: &str, known: &[&str]) -> Invalid {
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Invalid::new(name, format!("is not a query parameter of this route, which takes {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lambda_events::apigw::ApiGatewayProxyRequest;
    use serde_json::json;

    const ROUTES: &[Route<u8>] = &[
        Route { methods: GET, resource: "/a", query: Parameters::Only(&["limit", "next"]), action: 1 },
        Route { methods: GET_AND_POST, resource: "/b", query: Parameters::Fields, action: 2 },
    ];

    fn act(method: &str, resource: &str, parameters: &[&str]) -> Result<u8, String> {
        let lists: serde_json::Map<_, _> =
            parameters.iter().map(|name| ((*name).to_owned(), json!(["x"]))).collect();
        let event = json!({"httpMethod": method, "resource": resource,
            "requestContext": {"httpMethod": method}, "multiValueQueryStringParameters": lists});
        let request = Request::from(serde_json::from_value::<ApiGatewayProxyRequest>(event).unwrap());
        action(ROUTES, &request).map_err(|error| error.to_string())
    }

    #[test]
    fn unknown_parameters_are_refused_with_the_known_ones() {
        assert_eq!(act("GET", "/a", &["next", "limit"]), Ok(1));
        let refused = act("GET", "/a", &["since", "next"]).unwrap_err();
        assert_eq!(refused, "since is not a query parameter of this route, which takes limit, next");
        let refused = act("POST", "/b", &["userId"]).unwrap_err();
        assert_eq!(refused, "userId is not a query parameter of this route, which takes none");
    }

    #[test]
    fn fields_of_a_message_and_a_signature_may_be_there() {
        assert_eq!(act("GET", "/b", &["since"]), Ok(2));
        assert_eq!(act("GET", "/a", &["X-Amz-Signature", "X-Amz-Security-Token"]), Ok(1));
    }

    #[test]
    fn other_routes_and_methods_are_not_there() {
        for (method, resource) in [("POST", "/a"), ("GET", "/c")] {
            assert_eq!(act(method, resource, &[]), Err("route not found".into()));
        }
    }
}
