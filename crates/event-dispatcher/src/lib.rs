//! Looks up whom messages are for and hands them to the sender and the history.
//!
//! # Layout
//!
//! - [`dispatch`](mod@dispatch): one batch of messages, or what was handed on of one
//! - [`job`]: messages and their lookups: sessions stream through; the rest is handed on
//! - [`outbox`]: invocations of the functions behind
//! - [`stream`]: batches from Kinesis
//! - [`rejects`]: parks what is malformed in them
//! - [`http`]: the `/notify` routes
//! - [`direct`]: messages, or work that was handed on, from an invocation of the function
//! - [`publish`]: what both have in common: one message or a list, each accepted by itself
//! - [`unreached`]: events of messages that reached nobody
//! - [`park`]: what waits for a person

mod direct;
mod dispatch;
mod http;
mod job;
mod outbox;
mod park;
mod publish;
mod rejects;
mod stream;
mod unreached;

use aws_lambda_events::{
    apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse},
    kinesis::KinesisEvent,
    streams::KinesisEventResponse,
};
use lambda_runtime::{Error, LambdaEvent};
use sbe_aws::{
    clients::Clients, config::Config, leftovers::Leftovers, lookups::Lookups, parking::Parking,
    queues::Queues, retry::Deadline,
};
use sbe_edge::{
    Request, Trail,
    event::{self, Source},
    reply,
};
use serde::Serialize;
use serde_json::value::RawValue;
use unreached::Offline;

pub use http::ROUTES;

/// What the function works with.
pub struct App {
    lookups: Lookups,
    leftovers: Leftovers,
    queues: Queues,
    parking: Parking,
    offline: Option<Offline>,
    sender: String,
    adder: String,
    config: Config,
}

impl App {
    /// Builds the app from configured clients.
    pub fn new(clients: &Clients) -> Self {
        let config = clients.config().clone();
        // Every call is tried again here, page by page and payload by payload.
        let clients = clients.without_retries();
        Self {
            lookups: clients.lookups(),
            leftovers: clients.leftovers(),
            queues: clients.queues(),
            parking: clients.parking(),
            offline: clients.event_bus().map(|bus| Offline { bus, types: config.offline_types.clone() }),
            sender: config.function("sqs-sender"),
            adder: config.function("user-history-adder"),
            config,
        }
    }
}

/// The result, in the form that the event's source understands.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// To Kinesis: where to start again, if anywhere.
    Stream(KinesisEventResponse),
    /// To API Gateway.
    Http(Box<ApiGatewayProxyResponse>),
    /// To whoever invoked the function.
    Direct(Box<RawValue>),
}

/// Serves one event.
pub async fn handle(app: &'static App, event: LambdaEvent<Box<RawValue>>) -> Result<Outcome, Error> {
    let deadline = Deadline::from_epoch_millis(event.context.deadline);
    let (text, trail) = (event.payload.get(), Trail::new(&event.context.request_id));
    match Source::of(text) {
        Source::Kinesis => {
            let KinesisEvent { records, .. } = event::parse(text)?;
            Ok(Outcome::Stream(stream::dispatch_records(app, records, trail, deadline).await))
        }
        Source::ApiGateway => {
            let request = Request::from(event::parse::<ApiGatewayProxyRequest>(text)?);
            let result = http::answer(app, &request, trail, deadline).await;
            Ok(Outcome::Http(Box::new(reply::reply(&request, result))))
        }
        Source::Invocation => {
            let json = direct::invoke(app, text, &event.context.request_id, deadline).await?;
            Ok(Outcome::Direct(RawValue::from_string(json)?))
        }
    }
}
