//! The sender's calls to SQS, built before, without the sender around them.

use super::{Size, Used};
use crate::{
    events::messages,
    population::{aes_key, queue_url},
    usage::Mark,
};
use anyhow::{Context as _, Result, ensure};
use aws_credential_types::{Credentials, provider::ProvideCredentials};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use sbe_aws::clients::Clients;
use sbe_client::signing::signature;
use sbe_core::{batch::MAX_ENTRIES, frame::encrypt};
use serde_json::json;
use std::ops::Range;
use tokio::net::TcpStream;

/// Calls that are built together: enough to keep the client busy, and bounded in memory.
const BUILT: usize = 1000;

/// What one call to SQS sends.
struct Batch {
    url: String,
    bodies: Vec<String>,
}

impl Batch {
    fn json(&self) -> Bytes {
        let entry = |(index, body): (usize, &String)| json!({"Id": index.to_string(), "MessageBody": body});
        let entries: Vec<_> = self.bodies.iter().enumerate().map(entry).collect();
        json!({"QueueUrl": self.url, "Entries": entries}).to_string().into()
    }
}

/// The calls that the sender makes for a part of the sessions.
fn batches(size: &Size, sessions: Range<usize>) -> Vec<Batch> {
    let messages = messages(size.messages, size.bytes);
    let for_session = |index: usize| {
        let batch = |chunk: &[sbe_core::message::Message]| {
            let bodies = chunk.iter().map(|message| encrypt(&aes_key(index), 1 << 52, message.json()));
            Batch { url: queue_url(index), bodies: bodies.collect() }
        };
        messages.chunks(MAX_ENTRIES).map(batch).collect::<Vec<_>>()
    };
    sessions.flat_map(for_session).collect()
}

fn parts(size: &Size) -> impl Iterator<Item = Range<usize>> + use<> {
    let sessions = size.sessions;
    (0..sessions).step_by(BUILT).map(move |start| start..sessions.min(start + BUILT))
}

/// Through aws-sdk-sqs with the sender's settings.
pub(super) async fn sdk(clients: &Clients, size: &Size) -> Result<Used> {
    let (sqs, mut used) = (aws_sdk_sqs::Client::new(clients.sdk()), Used::default());
    for part in parts(size) {
        let mut calls = Vec::new();
        for batch in batches(size, part) {
            let entry = |(index, body): (usize, String)| {
                SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body).build()
            };
            let entries = batch.bodies.into_iter().enumerate().map(entry).collect::<Result<_, _>>()?;
            calls.push(sqs.send_message_batch().queue_url(batch.url).set_entries(Some(entries)));
        }
        let mark = Mark::now()?;
        stream::iter(calls)
            .map(|call| async {
                let reply = call.send().await?;
                ensure!(reply.failed.is_empty(), "the sink takes every entry");
                Ok(())
            })
            .buffer_unordered(clients.config().max_concurrency)
            .try_collect::<()>()
            .await?;
        used.add(mark)?;
    }
    Ok(used)
}

/// Through hyper's plain connections and aws-sigv4.
pub(super) async fn http(clients: &Clients, size: &Size) -> Result<Used> {
    let client = Bare::new(clients).await?;
    let mut used = Used::default();
    let mut connections = Vec::new();
    for _ in 0..clients.config().max_concurrency {
        connections.push(client.connect().await?);
    }
    for part in parts(size) {
        let mut work: Vec<Vec<Bytes>> = vec![Vec::new(); connections.len()];
        for (index, batch) in batches(size, part).into_iter().enumerate() {
            work[index % connections.len()].push(batch.json());
        }
        let mark = Mark::now()?;
        let workers =
            connections.iter_mut().zip(work).map(|(connection, calls)| client.send_all(connection, calls));
        futures::future::try_join_all(workers).await?;
        used.add(mark)?;
    }
    Ok(used)
}

type Connection = http1::SendRequest<Full<Bytes>>;

/// What a call to SQS needs at the least.
struct Bare {
    credentials: Credentials,
    region: String,
    host: String,
}

impl Bare {
    async fn new(clients: &Clients) -> Result<Self> {
        let provider = clients.sdk().credentials_provider().context("no credentials")?;
        let credentials = provider.provide_credentials().await?;
        let host = clients.sdk().endpoint_url().context("no AWS_ENDPOINT_URL")?.replace("http://", "");
        ensure!(credentials.session_token().is_some(), "the token is signed as well");
        Ok(Self { credentials, region: clients.region(), host })
    }

    async fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect(&self.host).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn send_all(&self, connection: &mut Connection, calls: Vec<Bytes>) -> Result<()> {
        for body in calls {
            let request = self.request(body)?;
            connection.ready().await?;
            let reply = connection.send_request(request).await?;
            ensure!(reply.status() == 200, "SQS answered {}", reply.status());
            reply.into_body().collect().await?;
        }
        Ok(())
    }

    fn request(&self, body: Bytes) -> Result<Request<Full<Bytes>>> {
        let url = format!("http://{}/", self.host);
        let headers = [
            ("host", self.host.as_str()),
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", "AmazonSQS.SendMessageBatch"),
        ];
        let call = ("POST", url.as_str());
        let signed = signature(&self.credentials, &self.region, "sqs", call, &headers, &body)?;
        let signed = signed.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut request = Request::post("/");
        for (name, value) in headers.into_iter().chain(signed) {
            request = request.header(name, value);
        }
        Ok(request.body(Full::new(body))?)
    }
}
