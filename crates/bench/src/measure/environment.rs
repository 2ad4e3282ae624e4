//! An environment of a function, as Lambda runs them: it takes events from the sink's queue, one after
//! another, until none can come any more.

use super::{DISPATCHER, SENDER, TIME, Used, functions::app};
use crate::{events::event, usage::Mark};
use anyhow::{Context as _, Result, anyhow, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Method, Request, StatusCode, client::conn::http1};
use hyper_util::rt::TokioIo;
use sbe_aws::clients::Clients;
use serde::Serialize;
use std::time::Duration;
use tokio::{net::TcpStream, time::timeout};

/// Whoever waits so long for an event waits for an environment that has failed.
const PATIENCE: Duration = Duration::from_mins(3);

pub(super) async fn dispatcher(clients: &Clients, most: usize) -> Result<Used> {
    let app = app(event_dispatcher::App::new(clients));
    run(clients, DISPATCHER, most, async |event| event_dispatcher::handle(app, event).await).await
}

pub(super) async fn sender(clients: &Clients) -> Result<Used> {
    let app = app(sqs_sender::App::new(clients));
    run(clients, SENDER, usize::MAX, async |event| sqs_sender::handle(app, event).await).await
}

/// Handles at most so many events of a function.
async fn run<T: Serialize>(
    clients: &Clients,
    function: &str,
    most: usize,
    handle: impl AsyncFn(
        lambda_runtime::LambdaEvent<Box<serde_json::value::RawValue>>,
    ) -> std::result::Result<T, lambda_runtime::Error>,
) -> Result<Used> {
    let mut queue = Queue::connect(clients, function).await?;
    let mut used = Used::default();
    while used.invocations < most
        && let Some(json) = timeout(PATIENCE, queue.take()).await.context("no event came")??
    {
        let event = event(json, TIME);
        let mark = Mark::now()?;
        let outcome = handle(event).await.map_err(|error| anyhow!(error))?;
        used.add(mark)?;
        let outcome = serde_json::to_value(&outcome)?;
        let failures = outcome["batchItemFailures"].as_array().map_or(0, Vec::len);
        ensure!(failures == 0 && outcome["success"] != false, "messages failed: {outcome}");
        ensure!(outcome["handedBack"].as_u64().unwrap_or_default() == 0, "messages were left: {outcome}");
        queue.done().await?;
        used.invocations += 1;
    }
    Ok(used)
}

/// The events of a function that wait at the sink.
struct Queue {
    connection: http1::SendRequest<Empty<Bytes>>,
    host: String,
    path: String,
}

impl Queue {
    async fn connect(clients: &Clients, function: &str) -> Result<Self> {
        let host = clients.sdk().endpoint_url().context("no AWS_ENDPOINT_URL")?.replace("http://", "");
        let stream = TcpStream::connect(&host).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { connection: sender, host, path: format!("/events/{function}") })
    }

    async fn take(&mut self) -> Result<Option<String>> {
        let (status, body) = self.call(Method::GET).await?;
        Ok((status == StatusCode::OK).then(|| String::from_utf8(body.into())).transpose()?)
    }

    async fn done(&mut self) -> Result<()> {
        self.call(Method::DELETE).await.map(drop)
    }

    async fn call(&mut self, method: Method) -> Result<(StatusCode, Bytes)> {
        let request = Request::builder().method(method).uri(&self.path).header("host", &self.host);
        self.connection.ready().await?;
        let reply = self.connection.send_request(request.body(Empty::new())?).await?;
        Ok((reply.status(), reply.into_body().collect().await?.to_bytes()))
    }
}
