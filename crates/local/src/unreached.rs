//! The page's list of users who were not there: events of the bus, by way of a queue of the page's own.
//!
//! GET `/api/unreached` answers the details of the last ones, newest first.

use anyhow::{Context, Result};
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use sbe_client::{Signer, Stack};
use serde_json::{Value, json};
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::Mutex;

/// So many events are shown.
const SHOWN: usize = 50;

/// The route of the list.
pub fn routes(stack: &Stack) -> Router {
    let list = List {
        http: reqwest::Client::new(),
        sqs: Signer::new(&stack.keys, &stack.region, "sqs"),
        endpoint: format!("{}/", stack.endpoint),
        queue: format!("{}-page", stack.unreached_queue_url),
        shown: Mutex::default(),
    };
    Router::new().route("/api/unreached", get(unreached)).with_state(Arc::new(list))
}

struct List {
    http: reqwest::Client,
    sqs: Signer,
    endpoint: String,
    queue: String,
    /// Newest first. While it is locked nobody else takes events from the queue.
    shown: Mutex<VecDeque<Value>>,
}

async fn unreached(State(list): State<Arc<List>>) -> Result<Json<Value>, (StatusCode, String)> {
    let failed = |error: anyhow::Error| (StatusCode::BAD_GATEWAY, format!("{error:#}"));
    list.newest().await.map(Json).map_err(failed)
}

impl List {
    async fn newest(&self) -> Result<Value> {
        let mut shown = self.shown.lock().await;
        loop {
            let receive = json!({"QueueUrl": self.queue, "MaxNumberOfMessages": 10});
            let mut reply = self.call("ReceiveMessage", receive).await?;
            let messages = reply["Messages"].as_array_mut().map(std::mem::take).unwrap_or_default();
            if messages.is_empty() {
                return Ok(json!(*shown));
            }
            for message in messages {
                let event: Value = serde_json::from_str(message["Body"].as_str().unwrap_or_default())?;
                shown.push_front(event["detail"].clone());
                let delete = json!({"QueueUrl": self.queue, "ReceiptHandle": message["ReceiptHandle"]});
                self.call("DeleteMessage", delete).await?;
            }
            shown.truncate(SHOWN);
        }
    }

    async fn call(&self, operation: &str, body: Value) -> Result<Value> {
        let target = format!("AmazonSQS.{operation}");
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target.as_str())];
        let call = self.sqs.sign(&self.http, "POST", &self.endpoint, &headers, body.to_string()).await?;
        let reply = call.send().await?.error_for_status().context(operation.to_owned())?;
        Ok(serde_json::from_str(&reply.text().await?).unwrap_or_default())
    }
}
