//! Where functions meet Lambda and API Gateway.
//!
//! # Layout
//!
//! - [`mod@start`]: the one way in which a function starts, logs and reports
//! - [`event`]: tells events apart, and reads them without telling their content
//! - [`metrics`]: counts as CloudWatch metrics, by lines in the log
//! - [`request`]: an API Gateway request, its parameters decoded and checked
//! - [`reply`]: replies and errors as HTTP, without internals
//! - [`stages`]: lines about the way of messages
//! - [`route`]: the table of a function's routes

pub mod event;
pub mod metrics;
pub mod reply;
pub mod request;
pub mod route;
pub mod stages;
pub mod start;

pub use reply::{ApiError, Reply};
pub use request::{HTTP_TIME, Request};
pub use route::{Method, Parameters, Route};
pub use stages::Trail;
pub use start::start;
