//! The table of a function's routes.

use crate::Request;

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

/// A route: methods, resource as the template writes it, and what it does.
#[derive(Debug, Clone, Copy)]
pub struct Route<A> {
    /// The methods that the route answers.
    pub methods: &'static [Method],
    /// The resource, such as `/create/{accountId}/{sessionId}`.
    pub resource: &'static str,
    /// What the function does for it.
    pub action: A,
}

/// The action of the route that API Gateway chose.
pub fn action<A: Copy>(routes: &[Route<A>], request: &Request) -> Option<A> {
    routes
        .iter()
        .find(|route| {
            route.resource == request.resource()
                && route.methods.iter().any(|method| method.name() == request.method())
        })
        .map(|route| route.action)
}
