//! What SQS and `DynamoDB` answer to a cleanup: lists of queues, their age, and who owns them.

use super::{Answer, server::Call};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    io,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

/// Before the random part of every queue's name.
const PREFIX: &str = "bench-brws-";
const BASE: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/";

/// A page of the table ends after so many sessions: fewer than in 1 MB, so that tests see several.
const PAGE: usize = 500;

/// The queues of a sink: one for each session, and others that nobody owns. All are old.
#[derive(Debug, Default)]
pub struct Queues {
    /// In the order in which they are listed, made when they are first asked for.
    names: OnceLock<Vec<String>>,
    deleted: Mutex<HashSet<String>>,
}

impl Queues {
    /// The names of the queues that were deleted.
    pub fn deleted(&self) -> MutexGuard<'_, HashSet<String>> {
        self.deleted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn names(&self, count: usize) -> &[String] {
        self.names.get_or_init(|| {
            let mut names: Vec<String> = (0..count).map(name).collect();
            names.sort_unstable();
            names
        })
    }
}

/// The name of a queue: those of sessions first.
pub fn name(index: usize) -> String {
    let mut random = [0; 32];
    for (part, bytes) in random.chunks_exact_mut(8).enumerate() {
        bytes.copy_from_slice(&mixed(index as u64 * 4 + part as u64).to_be_bytes());
    }
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random))
}

/// `SplitMix64`: numbers that are spread evenly.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Whether a scan is the cleanup's.
pub(super) fn is_of_owners(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|body| body["ProjectionExpression"] == "sqsUrl")
}

pub(super) fn list(call: &Call<'_>, body: &[u8]) -> io::Result<Answer> {
    let body: Value = serde_json::from_slice(body)?;
    let plan = &call.state.plan;
    let names = call.state.queues.names(plan.population.sessions + plan.orphans);
    let prefix = body["QueueNamePrefix"].as_str().unwrap_or_default();
    let first = names.partition_point(|name| name.as_str() < prefix);
    let with_prefix = names[first..].iter().take_while(|name| name.starts_with(prefix));
    let start = body["NextToken"].as_str().and_then(|token| token.parse().ok()).unwrap_or(0);
    let limit = usize::try_from(body["MaxResults"].as_u64().unwrap_or(1000)).unwrap_or(1000);
    let page: Vec<&String> = with_prefix.skip(start).take(limit + 1).collect();
    let deleted = call.state.queues.deleted();
    let shown = page.iter().take(limit).filter(|name| !deleted.contains(**name));
    let urls: Vec<String> = shown.map(|name| format!("{BASE}{name}")).collect();
    call.state.tally().taken(call.operation, urls.len(), 1.0);
    let next = (page.len() > limit).then(|| (start + limit).to_string());
    Ok(Answer::json(&json!({"QueueUrls": urls, "NextToken": next})))
}

pub(super) fn attributes(call: &Call<'_>, body: &[u8]) -> io::Result<Answer> {
    let body: Value = serde_json::from_slice(body)?;
    call.state.tally().taken(call.operation, 1, 1.0);
    if call.state.queues.deleted().contains(named(&body)) {
        return Ok(Answer::error(400, "com.amazonaws.sqs#QueueDoesNotExist"));
    }
    Ok(Answer::ok(r#"{"Attributes":{"CreatedTimestamp":"1000000000"}}"#))
}

pub(super) fn delete(call: &Call<'_>, body: &[u8]) -> io::Result<Answer> {
    let body: Value = serde_json::from_slice(body)?;
    call.state.tally().taken(call.operation, 1, 1.0);
    call.state.queues.deleted().insert(named(&body).to_owned());
    Ok(Answer::ok("{}"))
}

fn named(body: &Value) -> &str {
    body["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default()
}

/// The queues that sessions own, by segment and page.
pub(super) fn owners(call: &Call<'_>, body: &[u8]) -> io::Result<Answer> {
    let body: Value = serde_json::from_slice(body)?;
    let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
    let (segment, total) = (number(&body["Segment"]), number(&body["TotalSegments"]).max(1));
    let sessions = call.state.plan.population.sessions;
    let (first, end) = (sessions * segment / total, sessions * (segment + 1) / total);
    let start = body["ExclusiveStartKey"]["index"]["N"].as_str().and_then(|index| index.parse().ok());
    let start = start.unwrap_or(first);
    let page = start..end.min(start + PAGE);
    let next = (page.end < end).then(|| json!({"index": {"N": page.end.to_string()}}));
    call.state.tally().taken(call.operation, page.len(), 1.0);
    let items: Vec<Value> =
        page.map(|index| json!({"sqsUrl": {"S": format!("{BASE}{}", name(index))}})).collect();
    Ok(Answer::json(&json!({"Items": items, "LastEvaluatedKey": next})))
}
