//! A front for cognito-identity.
//!
//! MiniStack has no `DeleteIdentities`, gives credentials to unknown identities, and does not
//! substitute the policy variable that the guest role needs. The front passes calls on to it,
//! remembers which identities live, and gives each the credentials of its own role.

use crate::guest::Guests;
use anyhow::Result;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};
use tokio::net::TcpListener;

const TARGET: &str = "x-amz-target";

/// The front: it is bound before the deployment, which needs its URL, and completed after it.
#[derive(Clone)]
pub struct Front {
    /// Its URL, for `AWS_ENDPOINT_URL_COGNITO_IDENTITY`.
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    http: reqwest::Client,
    endpoint: String,
    guests: OnceLock<Guests>,
    living: Mutex<HashSet<String>>,
}

impl Front {
    /// Serves on a free port of the loopback interface, in front of `endpoint`.
    pub async fn start(endpoint: &str) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://127.0.0.1:{}", listener.local_addr()?.port());
        let shared = Arc::new(Shared {
            http: reqwest::Client::new(),
            endpoint: endpoint.to_owned(),
            guests: OnceLock::new(),
            living: Mutex::default(),
        });
        let router = Router::new().route("/", post(serve)).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, shared })
    }

    /// Completes the front with the deployed guest policy.
    pub fn complete(&self, guests: Guests) {
        // The first one stays: there is one deployment.
        let _ = self.shared.guests.set(guests);
    }
}

async fn serve(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get(TARGET).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let result = match target.rsplit('.').next() {
        Some("GetId") => get_id(&shared, target, body).await,
        Some("GetCredentialsForIdentity") => credentials(&shared, &input).await,
        Some("DeleteIdentities") => delete(&shared, &input).await,
        _ => pass_on(&shared, target, body).await,
    };
    result.unwrap_or_else(|error| {
        fail(StatusCode::INTERNAL_SERVER_ERROR, "InternalErrorException", &format!("{error:#}"))
    })
}

impl Shared {
    fn living(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn get_id(shared: &Shared, target: &str, body: Bytes) -> Result<Response> {
    let reply = forward(shared, target, body).await?;
    if let Some(id) = reply.1["IdentityId"].as_str() {
        shared.living().insert(id.to_owned());
    }
    Ok(answer(reply.0, &reply.1))
}

async fn credentials(shared: &Shared, input: &Value) -> Result<Response> {
    let id = input["IdentityId"].as_str().unwrap_or_default();
    let lives = shared.living().contains(id);
    let Some(guests) = shared.guests.get().filter(|_| lives) else {
        let message = format!("Identity '{id}' not found.");
        return Ok(fail(StatusCode::BAD_REQUEST, "ResourceNotFoundException", &message));
    };
    let credentials = guests.credentials(id).await?;
    Ok(answer(StatusCode::OK, &json!({"IdentityId": id, "Credentials": credentials})))
}

async fn delete(shared: &Shared, input: &Value) -> Result<Response> {
    let ids: Vec<&str> =
        input["IdentityIdsToDelete"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if ids.is_empty() || ids.len() > 60 {
        let message = "IdentityIdsToDelete must have 1 to 60 elements";
        return Ok(fail(StatusCode::BAD_REQUEST, "InvalidParameterException", message));
    }
    for id in ids {
        let lived = shared.living().remove(id);
        if let Some(guests) = shared.guests.get().filter(|_| lived) {
            guests.remove(id).await?;
        }
    }
    Ok(answer(StatusCode::OK, &json!({"UnprocessedIdentityIds": []})))
}

async fn pass_on(shared: &Shared, target: &str, body: Bytes) -> Result<Response> {
    let (status, json) = forward(shared, target, body).await?;
    Ok(answer(status, &json))
}

async fn forward(shared: &Shared, target: &str, body: Bytes) -> Result<(StatusCode, Value)> {
    let request = shared
        .http
        .post(format!("{}/", shared.endpoint))
        .header(TARGET, target)
        .header(header::CONTENT_TYPE, "application/x-amz-json-1.1")
        .body(body);
    let reply = request.send().await?;
    Ok((StatusCode::from_u16(reply.status().as_u16())?, reply.json().await?))
}

fn answer(status: StatusCode, json: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], json.to_string()).into_response()
}

fn fail(status: StatusCode, code: &str, message: &str) -> Response {
    answer(status, &json!({"__type": code, "message": message}))
}
