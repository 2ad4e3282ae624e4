//! Serves users' histories and takes read receipts.
//!
//! # Layout
//!
//! - [`list`]: a page of a history
//! - [`unread`]: how many messages are unread
//! - [`set_read`]: the three forms of a read receipt

mod list;
mod set_read;
mod unread;

use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse};
use lambda_runtime::{Error, LambdaEvent};
use sbe_aws::{clients::Clients, config::Config, history::History, receipts::Receipts, retry::Deadline};
use sbe_edge::{
    ApiError, HTTP_TIME, Parameters, Reply, Request, Route, reply,
    route::{self, GET, GET_AND_POST, POST},
};

/// What the function works with.
pub struct App {
    history: History,
    receipts: Receipts,
    config: Config,
}

impl App {
    /// Builds the app from configured clients.
    pub fn new(clients: &Clients) -> Self {
        // Every call is tried again here, within the time there is.
        let clients = clients.without_retries();
        Self { history: clients.history(), receipts: clients.receipts(), config: clients.config().clone() }
    }
}

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A page of a history.
    List,
    /// How many messages are unread.
    Unread,
    /// Mark the messages in the path read.
    SetReadListed,
    /// Mark everything up to a time read.
    SetReadAsOf,
    /// Mark the messages in the body read.
    SetReadBody,
}

/// The routes of this function.
pub const ROUTES: &[Route<Action>] = &[
    Route {
        methods: GET,
        resource: "/messages/user/{userId}/unread",
        query: Parameters::Only(&["start", "end", "_type"]),
        action: Action::Unread,
    },
    Route {
        methods: GET,
        resource: "/messages/user/{userId}",
        query: Parameters::Only(&["start", "end", "_type", "is_read", "limit", "next"]),
        action: Action::List,
    },
    Route {
        methods: GET_AND_POST,
        resource: "/messages/set-read/user/{userId}/message/{messageId}",
        query: Parameters::Only(&["async"]),
        action: Action::SetReadListed,
    },
    Route {
        methods: GET_AND_POST,
        resource: "/messages/set-read/user/{userId}/asof/{timestamp}",
        query: Parameters::Only(&["async"]),
        action: Action::SetReadAsOf,
    },
    Route {
        methods: POST,
        resource: "/messages/set-read/user/{userId}",
        query: Parameters::Only(&["async"]),
        action: Action::SetReadBody,
    },
];

/// Serves one call through API Gateway.
pub async fn handle(
    app: &'static App,
    event: LambdaEvent<ApiGatewayProxyRequest>,
) -> Result<ApiGatewayProxyResponse, Error> {
    let deadline = Deadline::from_epoch_millis(event.context.deadline).at_most(HTTP_TIME);
    let request = Request::from(event.payload);
    let result = act(app, &request, &event.context.request_id, deadline).await;
    Ok(reply::reply(&request, result))
}

async fn act(app: &App, request: &Request, call: &str, deadline: Deadline) -> Result<Reply, ApiError> {
    let action = route::action(ROUTES, request)?;
    match action {
        Action::List => list::list(app, request, deadline).await,
        Action::Unread => unread::unread(app, request, deadline).await,
        Action::SetReadListed | Action::SetReadAsOf | Action::SetReadBody => {
            set_read::set_read(app, action, request, call, deadline).await
        }
    }
}
