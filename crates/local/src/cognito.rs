//! A front for cognito-identity.
//!
//! `MiniStack` has no `DeleteIdentities`, knows nothing of developer users, gives credentials to
//! unknown identities, and does not substitute the policy variable that the browser role needs. The
//! front knows which identities live and what opens them, and gives each the credentials of its own
//! role; it passes all other calls on.

use crate::{
    identities::{Identities, Refusal},
    roles::Roles,
};
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
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::net::TcpListener;

const TARGET: &str = "x-amz-target";

/// The front: it is bound before the deployment, which needs its URL, and completed after it.
#[derive(Clone)]
pub struct Front {
    /// Its URL, for `AWS_ENDPOINT_URL_COGNITO_IDENTITY`.
    pub url: String,
    shared: Arc<Shared>,
}

/// The deployed identity pool.
pub struct Pool {
    /// The region of its identities.
    pub region: &'static str,
    /// Roles of identities, with the deployed policy.
    pub roles: Roles,
    /// The name under which developer users are asked for; `None` where there are only guests.
    pub developer_provider: Option<String>,
    /// Whether there are guests.
    pub allows_guests: bool,
}

struct Shared {
    http: reqwest::Client,
    endpoint: String,
    pool: OnceLock<Pool>,
    identities: Mutex<Identities>,
}

impl Front {
    /// Serves on a free port of the loopback interface, in front of `endpoint`.
    pub async fn start(endpoint: &str) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://127.0.0.1:{}", listener.local_addr()?.port());
        let shared = Arc::new(Shared {
            http: reqwest::Client::new(),
            endpoint: endpoint.to_owned(),
            pool: OnceLock::new(),
            identities: Mutex::default(),
        });
        let router = Router::new().route("/", post(serve)).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, shared })
    }

    /// Completes the front with the deployed pool.
    pub fn complete(&self, pool: Pool) {
        // The first one stays: there is one deployment.
        let _ = self.shared.pool.set(pool);
    }
}

async fn serve(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get(TARGET).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let result = match (target.rsplit('.').next(), shared.pool.get()) {
        (Some("GetId"), Some(pool)) => Ok(get_id(&shared, pool)),
        (Some("GetOpenIdTokenForDeveloperIdentity"), Some(pool)) => Ok(open(&shared, pool, &input)),
        (Some("GetCredentialsForIdentity"), Some(pool)) => credentials(&shared, pool, &input).await,
        (Some("DeleteIdentities"), Some(pool)) => delete(&shared, pool, &input).await,
        _ => pass_on(&shared, headers, body).await,
    };
    result.unwrap_or_else(|error| {
        fail(StatusCode::INTERNAL_SERVER_ERROR, "InternalErrorException", &format!("{error:#}"))
    })
}

impl Shared {
    fn identities(&self) -> MutexGuard<'_, Identities> {
        self.identities.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn get_id(shared: &Shared, pool: &Pool) -> Response {
    if !pool.allows_guests {
        let message = "Unauthenticated access is not supported for this identity pool.";
        return fail(StatusCode::BAD_REQUEST, "NotAuthorizedException", message);
    }
    answer(StatusCode::OK, &json!({"IdentityId": shared.identities().add_guest(pool.region)}))
}

fn open(shared: &Shared, pool: &Pool, input: &Value) -> Response {
    let provider = pool.developer_provider.as_deref().unwrap_or_default();
    let Some(user) = input["Logins"][provider].as_str() else {
        let message = "Logins must name a developer user under the pool's developer provider.";
        return fail(StatusCode::BAD_REQUEST, "InvalidParameterException", message);
    };
    match shared.identities().open(pool.region, user, input["IdentityId"].as_str()) {
        Ok((id, token)) => answer(StatusCode::OK, &json!({"IdentityId": id, "Token": token})),
        Err(refusal) => refuse(refusal),
    }
}

async fn credentials(shared: &Shared, pool: &Pool, input: &Value) -> Result<Response> {
    let id = input["IdentityId"].as_str().unwrap_or_default();
    let token = input["Logins"]["cognito-identity.amazonaws.com"].as_str();
    let checked = shared.identities().check(id, token);
    if let Err(refusal) = checked {
        return Ok(refuse(refusal));
    }
    let credentials = pool.roles.credentials(id).await?;
    Ok(answer(StatusCode::OK, &json!({"IdentityId": id, "Credentials": credentials})))
}

fn refuse((code, message): Refusal) -> Response {
    fail(StatusCode::BAD_REQUEST, code, &message)
}

async fn delete(shared: &Shared, pool: &Pool, input: &Value) -> Result<Response> {
    let ids: Vec<&str> =
        input["IdentityIdsToDelete"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if ids.is_empty() || ids.len() > 60 {
        let message = "IdentityIdsToDelete must have 1 to 60 elements";
        return Ok(fail(StatusCode::BAD_REQUEST, "InvalidParameterException", message));
    }
    for id in ids {
        let lived = shared.identities().remove(id);
        if lived {
            pool.roles.remove(id).await?;
        }
    }
    Ok(answer(StatusCode::OK, &json!({"UnprocessedIdentityIds": []})))
}

/// Passes a call on as it is: its signature covers its headers, the host's among them.
async fn pass_on(shared: &Shared, headers: HeaderMap, body: Bytes) -> Result<Response> {
    let request = shared.http.post(format!("{}/", shared.endpoint)).headers(headers).body(body);
    let reply = request.send().await?;
    Ok(answer(StatusCode::from_u16(reply.status().as_u16())?, &reply.json().await?))
}

fn answer(status: StatusCode, json: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], json.to_string()).into_response()
}

fn fail(status: StatusCode, code: &str, message: &str) -> Response {
    answer(status, &json!({"__type": code, "message": message}))
}
