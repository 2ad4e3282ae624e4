//! Connections and requests.

use super::{Answer, Plan, State, dynamodb, events, faults::Class, faults::Verdict, lambda, queues, sqs};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body as _, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{io, net::SocketAddr, sync::Arc, thread, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};

/// A call as its service sees it.
pub(super) struct Call<'a> {
    pub(super) state: &'a State,
    /// The operation, such as `SendMessageBatch`.
    pub(super) operation: &'a str,
    /// What the call is counted as.
    pub(super) label: String,
    /// What is called, so that a repeated call is known as one.
    pub(super) identity: String,
    /// How often that was called, this time included.
    pub(super) attempt: u32,
    /// Whether the caller will be told the answer.
    pub(super) answered: bool,
}

/// A sink with a thread of its own, so that a test's timers never wait for it.
#[derive(Debug)]
pub struct Sink {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it counts and keeps.
    pub state: Arc<State>,
}

impl Sink {
    /// Starts a sink on a free port. It ends with the process.
    pub fn start(plan: Plan) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let (address, state) = (listener.local_addr()?, Arc::new(State::new(plan)));
        let shared = state.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::spawn(move || {
            runtime.block_on(async { accept(TcpListener::from_std(listener)?, shared).await })
        });
        Ok(Self { address, state })
    }

    /// Its address as the SDKs take it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream, state.clone()));
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(state.clone(), request));
    // Clients close connections as they like, and resets are this server's own doing.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The answer to a request; an error closes the connection without one.
async fn answer(state: Arc<State>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let arrived = Instant::now();
    let (parts, body) = request.into_parts();
    if let Some(function) = parts.uri.path().strip_prefix("/events/") {
        return Ok(hand_out(&state, &parts.method, function).await);
    }
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.rsplit('.').next()).unwrap_or("Invoke");
    let label = if operation == "Invoke" { lambda::label(parts.uri.path()) } else { operation.to_owned() };
    let identity = match operation {
        "Invoke" => lambda::identity(parts.uri.path()),
        "SendMessage" | "SendMessageBatch" => sqs::identity(&body),
        "PutEvents" => events::identity(&body),
        _ => dynamodb::identity(operation, &body),
    };
    state.tally().call(&label, body.len());
    let slow = state.plan.slow.filter(|(slow, _)| *slow == operation);
    let due = arrived + state.plan.latency.of(operation) + slow.map_or(Duration::ZERO, |(_, longer)| longer);
    // What a page takes to be made up is a part of its latency; what changes something is done when due.
    if !matches!(operation, "Scan" | "Query") {
        tokio::time::sleep_until(due).await;
    }
    let attempt = if state.plan.remembers() { state.attempt(&identity) } else { 0 };
    let faults = state.plan.faults.of(operation);
    let verdict = faults.verdict(&identity, attempt);
    state.record().struck += usize::from(verdict != Verdict::Done);
    let answered = !matches!(verdict, Verdict::Lost { .. });
    let call = Call { state: &state, operation, label, identity, attempt, answered };
    let answer = match verdict {
        Verdict::Done => carry_out(&call, parts.uri.path(), &body).map(response),
        Verdict::Refused(class) => Ok(response(refusal(operation, class))),
        Verdict::Lost { done } => {
            if done {
                carry_out(&call, parts.uri.path(), &body)?;
            }
            if faults.class == Class::Timeout {
                tokio::time::sleep(faults.stall).await;
            }
            Err(io::ErrorKind::ConnectionReset.into())
        }
    };
    tokio::time::sleep_until(due).await;
    answer
}

/// Hands the next event of a function out, or takes note that one is done.
async fn hand_out(state: &State, method: &Method, function: &str) -> Response<Full<Bytes>> {
    if method == Method::DELETE {
        state.events.done();
        return Response::default();
    }
    let event = state.events.take(function, state.plan.takers).await;
    state.reach().begin();
    let mut response = Response::new(Full::from(event.unwrap_or_default()));
    if response.body().size_hint().exact() == Some(0) {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

fn carry_out(call: &Call<'_>, path: &str, body: &[u8]) -> io::Result<Answer> {
    match call.operation {
        "Invoke" => Ok(lambda::invoke(call, path, body)),
        "SendMessageBatch" => sqs::send_message_batch(call, body),
        "SendMessage" => Ok(sqs::send_message(call, body)),
        "PutEvents" => events::put(call, body),
        "ListQueues" => queues::list(call, body),
        "GetQueueAttributes" => queues::attributes(call, body),
        "DeleteQueue" => queues::delete(call, body),
        "Scan" if queues::is_of_owners(body) => queues::owners(call, body),
        _ => dynamodb::answer(call, body),
    }
}

pub(super) fn is_of_sqs(operation: &str) -> bool {
    matches!(
        operation,
        "SendMessageBatch" | "SendMessage" | "ListQueues" | "GetQueueAttributes" | "DeleteQueue"
    )
}

fn refusal(operation: &str, class: Class) -> Answer {
    match (class, operation) {
        (Class::ServerError, _) => Answer::error(500, "InternalServerError"),
        (_, "Invoke") => Answer::error(429, "TooManyRequestsException"),
        (_, "PutEvents") => Answer::error(400, "ThrottlingException"),
        (_, operation) if is_of_sqs(operation) => Answer::error(400, "ThrottlingException"),
        _ => Answer::error(400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(answer.json));
    *response.status_mut() = hyper::StatusCode::from_u16(answer.status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    response
}
