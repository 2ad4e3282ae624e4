//! Creates, renews and ends browser sessions.
//!
//! # Layout
//!
//! - [`calls`]: `/create`, `/renew` and `/destroy`, what they want and how they ended
//! - [`drive`]: carries them out, step by step as `sbe_core::life` says
//! - [`status`]: `/status`, one session or a page of all
//! - [`presence`]: `/presence`, the active sessions of a user or an account
//! - [`cleanup`]: `/cleanup` and its schedule: queues that no session owns

mod calls;
mod cleanup;
mod drive;
mod presence;
mod status;

use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse};
use lambda_runtime::{Error, LambdaEvent};
use sbe_aws::{
    clients::Clients, config::Config, identities::Identities, leftovers::Leftovers, owners::Owners,
    presence::Presence, queues::Queues, retry::Deadline, sessions::Sessions,
};
use sbe_core::{cleanup::Scheduled, life::Settings};
use sbe_edge::{
    ApiError, HTTP_TIME, Parameters, Reply, Request, Route, event, reply,
    route::{self, GET, GET_AND_POST},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What the function works with.
pub struct App {
    sessions: Sessions,
    presence: Presence,
    owners: Owners,
    leftovers: Leftovers,
    queues: Queues,
    identities: Identities,
    region: String,
    config: Config,
}

impl App {
    /// Builds the app from configured clients.
    pub fn new(clients: &Clients) -> Self {
        // Every call is tried again here, within the time there is.
        let clients = clients.without_retries();
        Self {
            sessions: clients.sessions(),
            presence: clients.presence(),
            owners: clients.owners(),
            leftovers: clients.leftovers(),
            queues: clients.queues(),
            identities: clients.identities(),
            region: clients.region(),
            config: clients.config().clone(),
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            region: self.region.clone(),
            session_ttl: self.config.session_ttl_seconds,
            retention: self.config.message_retention,
            developer_identities: self.config.developer_provider.is_some(),
        }
    }
}

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Create or refresh a session.
    Create,
    /// New access keys.
    Renew,
    /// One session.
    Status,
    /// A page of all sessions.
    StatusAll,
    /// A user's active sessions.
    PresenceOfUser,
    /// A page of an account's active sessions.
    PresenceOfAccount,
    /// End a session.
    Destroy,
    /// Delete queues that no session owns.
    Cleanup,
}

/// The routes of this function.
pub const ROUTES: &[Route<Action>] = &[
    Route {
        methods: GET_AND_POST,
        resource: "/create/{accountId}/{sessionId}",
        query: Parameters::Only(&["MessageRetentionPeriod"]),
        action: Action::Create,
    },
    Route {
        methods: GET_AND_POST,
        resource: "/create/{accountId}/{sessionId}/{userId}",
        query: Parameters::Only(&["MessageRetentionPeriod"]),
        action: Action::Create,
    },
    Route {
        methods: GET,
        resource: "/presence/user/{userId}",
        query: Parameters::Only(&["limit", "next"]),
        action: Action::PresenceOfUser,
    },
    Route {
        methods: GET,
        resource: "/presence/{accountId}",
        query: Parameters::Only(&["limit", "next"]),
        action: Action::PresenceOfAccount,
    },
    Route {
        methods: GET_AND_POST,
        resource: "/renew/{accountId}/{sessionId}",
        query: Parameters::Only(&["rotate"]),
        action: Action::Renew,
    },
    Route {
        methods: GET,
        resource: "/status/{accountId}/{sessionId}",
        query: Parameters::Only(&[]),
        action: Action::Status,
    },
    Route {
        methods: GET,
        resource: "/status",
        query: Parameters::Only(&["limit", "next"]),
        action: Action::StatusAll,
    },
    Route {
        methods: GET_AND_POST,
        resource: "/destroy/{accountId}/{sessionId}",
        query: Parameters::Only(&[]),
        action: Action::Destroy,
    },
    Route {
        methods: GET_AND_POST,
        resource: "/cleanup",
        query: Parameters::Only(&["next"]),
        action: Action::Cleanup,
    },
];

/// An event: a call through API Gateway, or the schedule's.
#[derive(Deserialize)]
#[serde(untagged)]
enum Event {
    Scheduled(Scheduled),
    Http(Box<ApiGatewayProxyRequest>),
}

/// The result: a reply through API Gateway, or what the schedule's logs show.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// The reply to a call.
    Http(Box<ApiGatewayProxyResponse>),
    /// The result of the scheduled cleanup.
    Cleanup(Box<RawValue>),
}

/// Serves one event.
pub async fn handle(app: &'static App, event: LambdaEvent<Box<RawValue>>) -> Result<Outcome, Error> {
    let deadline = Deadline::from_epoch_millis(event.context.deadline);
    match event::parse(event.payload.get())? {
        Event::Scheduled(event) => {
            let Reply(json) = Box::pin(cleanup::scheduled(app, event, deadline)).await?;
            Ok(Outcome::Cleanup(RawValue::from_string(json)?))
        }
        Event::Http(request) => {
            let request = Request::from(*request);
            let result = act(app, &request, deadline.at_most(HTTP_TIME)).await;
            Ok(Outcome::Http(Box::new(reply::reply(&request, result))))
        }
    }
}

async fn act(app: &App, request: &Request, deadline: Deadline) -> Result<Reply, ApiError> {
    let action = route::action(ROUTES, request)?;
    let result = carried_out(app, action, request, deadline).await;
    calls::count(app, action, &result);
    result
}

async fn carried_out(
    app: &App,
    action: Action,
    request: &Request,
    deadline: Deadline,
) -> Result<Reply, ApiError> {
    match action {
        Action::Create => calls::create(app, request, deadline).await,
        Action::Renew => calls::renew(app, request, deadline).await,
        Action::Status => status::one(app, request, deadline).await,
        Action::StatusAll => status::all(app, request, deadline).await,
        Action::PresenceOfUser => presence::of_user(app, request, deadline).await,
        Action::PresenceOfAccount => presence::of_account(app, request, deadline).await,
        Action::Destroy => calls::destroy(app, request, deadline).await,
        Action::Cleanup => Box::pin(cleanup::cleanup(app, request, deadline)).await,
    }
}
