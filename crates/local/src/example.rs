//! An application's backend, as an example: all that the browser client needs behind it.
//!
//! It holds the AWS keys and signs calls with them, so that browsers never see them. An application
//! has such routes beside its own, in any language; only [`Visitor`] differs: it comes from the
//! application's log-in, while the demo page just says who it is.
//!
//! | route | does | by |
//! | --- | --- | --- |
//! | POST `/api/session?reason=` | opens or renews the visitor's session, for the client's `getSession` | `/create`, `/renew` |
//! | DELETE `/api/session` | ends it | `/destroy` |
//! | POST `/api/publish` | publishes messages to everyone, an account, a user or a session | `/notify`, or Kinesis PutRecords |
//! | GET `/api/history?since=` | what the visitor has got, for the client's `getHistory` | `/messages/user` |
//! | GET `/api/presence` | whether a user is online, and in which sessions | `/presence/user` |
//! | GET `/api/unread` | how many messages of the visitor are unread | `/messages/user/…/unread` |
//! | POST `/api/read` | marks messages read | `/messages/set-read` |

use anyhow::Context;
use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sbe_client::{Signer, Stack};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

type Message = Map<String, Value>;

/// The routes of the backend.
pub fn routes(backend: Backend) -> Router {
    Router::new()
        .route("/api/session", post(open_session).delete(end_session))
        .route("/api/publish", post(publish))
        .route("/api/history", get(history))
        .route("/api/presence", get(presence))
        .route("/api/unread", get(unread))
        .route("/api/read", post(mark_read))
        .with_state(backend)
}

/// An account's or user's id, as the application has it: an integer or a string.
#[derive(Clone, Deserialize, Serialize)]
#[serde(untagged)]
enum Id {
    Integer(i64),
    Text(String),
}

impl Id {
    fn in_path(&self) -> String {
        match self {
            Self::Integer(integer) => integer.to_string(),
            Self::Text(text) => encode(text),
        }
    }
}

/// Who is asking. Never take this from the request in an application: take it from the log-in.
#[derive(Deserialize)]
struct Visitor {
    #[serde(default = "one")]
    account: Id,
    user: Option<Id>,
    /// One per browser: the client's tabs share it.
    #[serde(default = "first")]
    session: String,
}

fn one() -> Id {
    Id::Integer(1)
}

fn first() -> String {
    "browser".to_owned()
}

#[derive(Deserialize)]
struct Opening {
    #[serde(default)]
    reason: Reason,
}

/// Why the client wants a session.
#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Reason {
    #[default]
    Start,
    Renew,
    Expired,
}

/// The session goes to the browser as it is: queue, temporary keys for it, and AES key.
async fn open_session(
    State(backend): State<Backend>,
    Query(visitor): Query<Visitor>,
    Query(opening): Query<Opening>,
) -> Result<Json<Value>, Failure> {
    let (account, session) = (visitor.account.in_path(), encode(&visitor.session));
    if opening.reason == Reason::Renew {
        match backend.call("POST", &format!("/renew/{account}/{session}"), "").await {
            // It has ended meanwhile: it is created again.
            Err(Failure(StatusCode::NOT_FOUND, _)) => {}
            reply => return Ok(Json(reply?["session"].take())),
        }
    }
    let user = visitor.user.map(|user| format!("/{}", user.in_path())).unwrap_or_default();
    let mut reply = backend.call("POST", &format!("/create/{account}/{session}{user}"), "").await?;
    Ok(Json(reply["session"].take()))
}

async fn end_session(
    State(backend): State<Backend>,
    Query(visitor): Query<Visitor>,
) -> Result<Json<Value>, Failure> {
    let path = format!("/destroy/{}/{}", visitor.account.in_path(), encode(&visitor.session));
    backend.call("POST", &path, "").await.map(Json)
}

/// Messages, by which way, and to whom: each id that is present narrows the audience.
#[derive(Deserialize)]
struct Publication {
    #[serde(default)]
    by: Way,
    account: Option<Id>,
    user: Option<Id>,
    session: Option<String>,
    messages: Vec<Message>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Way {
    #[default]
    Http,
    Kinesis,
}

async fn publish(
    State(backend): State<Backend>,
    Json(publication): Json<Publication>,
) -> Result<Json<Value>, Failure> {
    let Publication { by, account, user, session, mut messages } = publication;
    for message in &mut messages {
        let ids = [("accountId", json!(account)), ("userId", json!(user)), ("sessionId", json!(session))];
        for (key, id) in ids.into_iter().filter(|(_, id)| !id.is_null()) {
            message.insert(key.to_owned(), id);
        }
    }
    let reply = match by {
        Way::Http => backend.call("POST", "/notify", &json!(messages).to_string()).await,
        Way::Kinesis => backend.put_records(&messages).await,
    };
    reply.map(Json)
}

#[derive(Deserialize)]
struct HistoryQuery {
    user: Id,
    /// Epoch seconds.
    #[serde(default)]
    since: f64,
}

/// All messages of the user since a moment, newest first.
async fn history(
    State(backend): State<Backend>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<Vec<Value>>, Failure> {
    let path = format!("/messages/user/{}?limit=1000&start={}", query.user.in_path(), query.since);
    let mut messages = Vec::new();
    let mut next = String::new();
    loop {
        let mut page = backend.call("GET", &format!("{path}{next}"), "").await?;
        messages.extend(page["messages"].as_array_mut().map(std::mem::take).unwrap_or_default());
        match page["next"].as_str() {
            Some(position) => next = format!("&next={}", encode(position)),
            None => return Ok(Json(messages)),
        }
    }
}

#[derive(Deserialize)]
struct Of {
    user: Id,
}

async fn presence(
    State(backend): State<Backend>,
    Query(Of { user }): Query<Of>,
) -> Result<Json<Value>, Failure> {
    backend.call("GET", &format!("/presence/user/{}", user.in_path()), "").await.map(Json)
}

async fn unread(
    State(backend): State<Backend>,
    Query(Of { user }): Query<Of>,
) -> Result<Json<Value>, Failure> {
    backend.call("GET", &format!("/messages/user/{}/unread", user.in_path()), "").await.map(Json)
}

#[derive(Deserialize)]
struct Reading {
    user: Id,
    ids: Vec<String>,
}

/// Gives the ids that are newly read; all sessions of the user get them too, as a receipt.
async fn mark_read(
    State(backend): State<Backend>,
    Json(Reading { user, ids }): Json<Reading>,
) -> Result<Json<Value>, Failure> {
    let path = format!("/messages/set-read/user/{}", user.in_path());
    let mut reply = backend.call("POST", &path, &json!(ids).to_string()).await?;
    Ok(Json(reply["messages_receipted"].take()))
}

/// What the routes share: AWS keys, and where to call.
#[derive(Clone)]
pub struct Backend {
    http: reqwest::Client,
    api: Signer,
    api_url: String,
    kinesis: Signer,
    kinesis_url: String,
    stream: String,
}

impl Backend {
    /// A backend with the keys of a running system.
    pub fn new(stack: &Stack) -> Self {
        Self {
            http: reqwest::Client::new(),
            api: Signer::new(&stack.keys, &stack.region, "execute-api"),
            api_url: stack.api_url.clone(),
            kinesis: Signer::new(&stack.keys, &stack.region, "kinesis"),
            kinesis_url: format!("{}/", stack.endpoint),
            stream: stack.stream.clone(),
        }
    }

    /// Calls the HTTP API.
    async fn call(&self, method: &str, path: &str, body: &str) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.api_url);
        let headers = [("content-type", "application/json")];
        answer(self.api.sign(&self.http, method, &url, &headers, body.to_owned()).await?).await
    }

    /// Puts messages on the stream, in their order.
    async fn put_records(&self, messages: &[Message]) -> Result<Value, Failure> {
        let record =
            |message| json!({"PartitionKey": "example", "Data": BASE64.encode(json!(message).to_string())});
        let records: Vec<Value> = messages.iter().map(record).collect();
        let body = json!({"StreamName": self.stream, "Records": records}).to_string();
        let headers =
            [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "Kinesis_20131202.PutRecords")];
        let reply =
            answer(self.kinesis.sign(&self.http, "POST", &self.kinesis_url, &headers, body).await?).await?;
        // Under throttling some records may be refused; an application puts those again.
        let refused = reply["FailedRecordCount"].as_u64().unwrap_or_default();
        if refused > 0 {
            let message = format!("the stream refused {refused} of {} records", messages.len());
            return Err(Failure(StatusCode::SERVICE_UNAVAILABLE, message));
        }
        Ok(json!({"success": true, "records": messages.len()}))
    }
}

/// Sends a call and reads its JSON; a refusal is passed on with its message.
async fn answer(request: reqwest::RequestBuilder) -> Result<Value, Failure> {
    let reply = request.send().await.context("AWS does not answer")?;
    let status = reply.status();
    let text = reply.text().await.context("AWS stopped answering")?;
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    if status.is_success() {
        return Ok(json);
    }
    Err(Failure(status, json["message"].as_str().unwrap_or(&text).to_owned()))
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// What the page is told when something went wrong.
struct Failure(StatusCode, String);

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(StatusCode::BAD_GATEWAY, format!("{:#}", error.into()))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"success": false, "message": self.1}))).into_response()
    }
}
