//! Calls of the HTTP API by commands: throttled ones are tried again, and it is told.

use crate::{context::Context, failure::Failure, output::report, times};
use sbe_client::{Api, Reply, api::in_path, backoff::Backoff};
use std::time::Duration;

/// A call is made at most so often.
const ATTEMPTS: u32 = 6;

/// Whoever is asked to wait longer is told so instead.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The API as commands call it.
#[derive(Debug)]
pub struct Calls<'a> {
    context: &'a Context,
    api: Api,
}

impl<'a> Calls<'a> {
    /// Calls of the context's system.
    pub fn new(context: &'a Context) -> Self {
        Self { context, api: context.system.api() }
    }

    /// The reply to a GET, which is a success.
    pub async fn get(&self, path: &str) -> Result<Reply, Failure> {
        self.call("GET", path, "", "nothing is changed").await
    }

    /// The reply to a POST, which is a success.
    pub async fn post(&self, path: &str, body: &str) -> Result<Reply, Failure> {
        self.call("POST", path, body, "the call may have been done all the same").await
    }

    /// The reply to a signed call that succeeds, perhaps in part: its status is 200. `told` says what
    /// Ctrl-C in the middle means.
    async fn call(&self, method: &str, path: &str, body: &str, told: &str) -> Result<Reply, Failure> {
        self.context.interrupt.or(self.call_again(method, path, body), || told.to_owned()).await
    }

    /// `docs/PROTOCOL.md`: "429 and 503 carry `Retry-After`: the same call can succeed later."
    async fn call_again(&self, method: &str, path: &str, body: &str) -> Result<Reply, Failure> {
        let mut backoff = Backoff::new(Duration::from_secs(1), LONGEST_WAIT);
        for attempt in 1.. {
            let reply = self.api.send(method, path, body.to_owned()).await?;
            let wait = reply.retry_after.map_or_else(|| backoff.next_wait(), Duration::from_secs);
            let is_throttled = matches!(reply.status, 429 | 503);
            if !is_throttled || attempt == ATTEMPTS || wait > LONGEST_WAIT {
                return accepted(reply);
            }
            let length = times::length(wait.as_secs());
            report(format_args!("throttled (HTTP {}): trying again in {length}", reply.status));
            tokio::time::sleep(wait).await;
        }
        unreachable!("the last attempt returns")
    }
}

fn accepted(reply: Reply) -> Result<Reply, Failure> {
    if reply.status != 200 || !reply.json["success"].is_boolean() {
        reply.success()?;
        unreachable!("a success has a status of 200 and says so");
    }
    Ok(reply)
}

/// The parameters that have a value, as the end of a URL.
///
/// ```
/// use sbe_cli::calls::query;
/// assert_eq!(query(&[("limit", Some("5".into())), ("next", None)]), "?limit=5");
/// assert_eq!(query(&[("next", None)]), "");
/// ```
pub fn query(parameters: &[(&str, Option<String>)]) -> String {
    let given = parameters.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let mut text = String::new();
    for (name, value) in given {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.extend([name, "=", &in_path(value)]);
    }
    text
}
