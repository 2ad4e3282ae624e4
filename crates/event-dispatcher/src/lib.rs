//! Looks up whom messages are for and hands them to the sender and the history.
//!
//! # Layout
//!
//! - [`dispatch`](mod@dispatch): one batch of messages: lookups, payloads, invocations
//! - [`stream`]: batches from Kinesis; what is malformed is parked
//! - [`http`]: the `/notify` routes
//! - [`direct`]: messages from an invocation of the function
//! - [`publish`]: what both have in common: one message or a list, each accepted by itself
//! - [`park`]: the queue of rejected messages

mod direct;
mod dispatch;
mod http;
mod park;
mod publish;
mod stream;

use aws_lambda_events::{
    apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse},
    kinesis::KinesisEvent,
    streams::KinesisEventResponse,
};
use lambda_runtime::{Error, LambdaEvent};
use sbe_aws::{
    clients::Clients, config::Config, functions::Functions, lookups::Lookups, queues::Queues, retry::Deadline,
};
use sbe_edge::{Request, event, reply};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use http::ROUTES;

/// What the function works with.
pub struct App {
    lookups: Lookups,
    functions: Functions,
    queues: Queues,
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
            functions: clients.functions(),
            queues: clients.queues(),
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

/// What an event from Kinesis has, and no message has by chance.
#[derive(Deserialize)]
struct FromKinesis {
    #[serde(rename = "Records")]
    records: Vec<Source>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(rename = "eventSource")]
    event_source: String,
}

/// What an event from API Gateway has, and no message has by chance.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FromApiGateway {
    #[serde(rename = "httpMethod")]
    _http_method: String,
    #[serde(rename = "requestContext")]
    _request_context: RequestContext,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(rename = "requestId")]
    _request_id: String,
    #[serde(rename = "stage")]
    _stage: String,
}

fn is_from_kinesis(text: &str) -> bool {
    let event = serde_json::from_str::<FromKinesis>(text);
    event.is_ok_and(|event| event.records.first().is_some_and(|record| record.event_source == "aws:kinesis"))
}

fn is_from_api_gateway(text: &str) -> bool {
    serde_json::from_str::<FromApiGateway>(text).is_ok()
}

/// Serves one event.
pub async fn handle(app: &'static App, event: LambdaEvent<Box<RawValue>>) -> Result<Outcome, Error> {
    let deadline = Deadline::from_epoch_millis(event.context.deadline);
    let text = event.payload.get();
    if is_from_kinesis(text) {
        let KinesisEvent { records, .. } = event::parse(text)?;
        Ok(Outcome::Stream(stream::dispatch_records(app, records, deadline).await))
    } else if is_from_api_gateway(text) {
        let request = Request::from(event::parse::<ApiGatewayProxyRequest>(text)?);
        let result = http::notify(app, &request, deadline).await;
        Ok(Outcome::Http(Box::new(reply::reply(&request, result))))
    } else {
        let json = direct::publish(app, text, &event.context.request_id, deadline).await?;
        Ok(Outcome::Direct(RawValue::from_string(json)?))
    }
}
