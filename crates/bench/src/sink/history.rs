//! What `DynamoDB` answers to reads of histories.

use super::{Answer, record::Kept, server::Call, tally::steps};
use serde_json::{Value, json};

/// A page of the index holds so many entries, whatever limit is asked for beyond.
const PAGE_ENTRIES: usize = 100;
/// A consistent read of this many bytes is a read unit.
const READ_BYTES: usize = 4096;
/// About as much as an entry of the index takes.
const HEAD_BYTES: usize = 150;

/// Whether a query is one of a history.
pub(super) fn is_queried(body: &Value) -> bool {
    body["IndexName"] == "created-index"
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn head(user: &str, id: &str, kept: &Kept) -> Value {
    json!({
        "userId": {"S": user}, "messageId": {"S": id}, "created": {"N": kept.created},
        "isRead": {"N": kept.is_read}, "ttl": {"N": "9999999999"},
    })
}

/// Newest first; entries of one moment in the order of their ids, backwards too.
pub(super) fn query(call: &Call<'_>, body: &Value) -> Answer {
    let values = &body["ExpressionAttributeValues"];
    let (user, end) = (text(&values[":user"]["S"]), seconds(&values[":end"]["N"]));
    let unread = body["FilterExpression"].is_string();
    let start = &body["ExclusiveStartKey"];
    let after = start.is_object().then(|| (seconds(&start["created"]["N"]), text(&start["messageId"]["S"])));
    let record = call.state.record();
    let mut entries: Vec<(f64, &String, &Kept)> = record
        .history
        .iter()
        .filter(|((owner, _), _)| *owner == user)
        .map(|((_, id), kept)| (kept.created.parse().unwrap_or_default(), id, kept))
        .filter(|(created, id, _)| {
            *created <= end && after.as_ref().is_none_or(|(at, last)| (*created, *id) < (*at, last))
        })
        .collect();
    entries.sort_by(|a, b| (b.0, b.1).partial_cmp(&(a.0, a.1)).unwrap_or(std::cmp::Ordering::Equal));
    let limit = body["Limit"].as_u64().and_then(|limit| usize::try_from(limit).ok());
    let page = &entries[..entries.len().min(limit.unwrap_or(PAGE_ENTRIES).min(PAGE_ENTRIES))];
    let price = if body["ConsistentRead"] == true { 1.0 } else { 0.5 };
    call.state.tally().taken(call.operation, page.len(), price * steps(page.len() * HEAD_BYTES, READ_BYTES));
    let wanted = page.iter().filter(|(_, _, kept)| !unread || kept.is_read == "0");
    let items: Vec<Value> = wanted.map(|(_, id, kept)| head(&user, id, kept)).collect();
    let mut reply = json!({"Items": items, "Count": items.len(), "ScannedCount": page.len()});
    if let Some((_, id, kept)) = page.last().filter(|_| page.len() < entries.len()) {
        let key = json!({"userId": {"S": user}, "messageId": {"S": id}, "created": {"N": kept.created}});
        reply["LastEvaluatedKey"] = key;
    }
    Answer::json(&reply)
}

fn seconds(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The entries with these keys; where entries of a call fail, they are the ones that are not processed.
pub(super) fn batch_get_item(call: &Call<'_>, body: &Value) -> Answer {
    let Some((table, asked)) = body["RequestItems"].as_object().and_then(|all| all.iter().next()) else {
        return Answer::error(400, "ValidationException");
    };
    let keys = asked["Keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let (mut items, mut unprocessed) = (Vec::new(), Vec::new());
    let mut record = call.state.record();
    for (index, key) in keys.iter().enumerate() {
        if call.state.plan.faults.strikes_entry(&call.identity, call.attempt, index) {
            unprocessed.push(key.clone());
            continue;
        }
        let (user, id) = (text(&key["userId"]["S"]), text(&key["messageId"]["S"]));
        if let Some(kept) = record.history.get(&(user.clone(), id.clone())) {
            let mut item = head(&user, &id, kept);
            item["message"] = json!({"S": "{}"});
            items.push(item);
        }
    }
    record.struck += unprocessed.len();
    call.state.tally().taken(call.operation, keys.len(), steps(keys.len(), 1));
    let left = if unprocessed.is_empty() { json!({}) } else { json!({table: {"Keys": unprocessed}}) };
    Answer::json(&json!({"Responses": {table: items}, "UnprocessedKeys": left}))
}
