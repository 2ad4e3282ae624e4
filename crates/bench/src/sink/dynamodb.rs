//! What `DynamoDB` answers.

use super::{Answer, history, record::Kept, server::Call, tally::steps};
use crate::population::{ITEM_BYTES, session_id, session_index};
use serde_json::{Value, json};
use std::io;

/// A page ends when it has read this much, projected or not.
const PAGE_BYTES: usize = 1024 * 1024;
/// An eventually consistent read of this many bytes is half a read unit.
const READ_BYTES: usize = 4096;
/// A write of this many bytes is a write unit.
const WRITE_BYTES: usize = 1024;

/// What a call reads or writes, without what the client's settings add.
pub(super) fn identity(operation: &str, body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let what = match operation {
        "PutItem" => [&body["Item"]["userId"], &body["Item"]["messageId"], &Value::Null],
        "BatchWriteItem" | "BatchGetItem" => [&body["RequestItems"], &Value::Null, &Value::Null],
        "Scan" => [&body["Segment"], &body["ExclusiveStartKey"], &Value::Null],
        "DescribeTable" => [&Value::Null; 3],
        _ => [&body["Key"], &body["ExpressionAttributeValues"], &body["ExclusiveStartKey"]],
    };
    format!("{operation}{}{}{}", what[0], what[1], what[2])
}

pub(super) fn answer(call: &Call<'_>, body: &[u8]) -> io::Result<Answer> {
    let size = body.len();
    let body: Value = serde_json::from_slice(body)?;
    Ok(match call.operation {
        "Scan" => scan(call, &body),
        "Query" if history::is_queried(&body) => history::query(call, &body),
        "Query" => query(call, &body),
        "GetItem" => get_item(call, &body),
        "DescribeTable" => {
            let plan = call.state.plan;
            let count = plan.claimed_sessions.unwrap_or(plan.population.sessions);
            Answer::json(&json!({"Table": {"ItemCount": count}}))
        }
        "PutItem" => put_item(call, &body["Item"], size),
        "UpdateItem" => mark_read(call, &body),
        "BatchWriteItem" => batch_write_item(call, &body),
        "BatchGetItem" => history::batch_get_item(call, &body),
        _ => Answer::error(400, "UnknownOperationException"),
    })
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
}

/// The index after the one where the last page ended.
fn start(body: &Value) -> Option<usize> {
    body["ExclusiveStartKey"]["sessionId"]["S"].as_str().and_then(session_index).map(|index| index + 1)
}

fn scan(call: &Call<'_>, body: &Value) -> Answer {
    let sessions = call.state.plan.population.sessions;
    let (segment, total) = (number(&body["Segment"]), number(&body["TotalSegments"]).max(1));
    let (first, end) = (sessions * segment / total, sessions * (segment + 1) / total);
    page(call, body, start(body).unwrap_or(first)..end)
}

fn query(call: &Call<'_>, body: &Value) -> Answer {
    let population = call.state.plan.population;
    let key = body["ExpressionAttributeNames"]["#key"].as_str().unwrap_or_default();
    let value = &body["ExpressionAttributeValues"][":key"];
    let last = body["ExpressionAttributeValues"][":last"]["S"].as_str();
    let after = body["ExclusiveStartKey"]["sessionId"]["S"].as_str();
    let matches = |index: &usize| {
        let id = session_id(*index);
        population.item(*index)[key] == *value
            && after.is_none_or(|after| after < id.as_str())
            && last.is_none_or(|last| id.as_str() <= last)
    };
    if body["ScanIndexForward"] == false {
        return page(call, body, (0..population.sessions).rev().find(matches).into_iter());
    }
    page(call, body, (0..population.sessions).filter(matches))
}

fn page(call: &Call<'_>, body: &Value, mut indexes: impl Iterator<Item = usize>) -> Answer {
    let population = call.state.plan.population;
    let is_presence = body["ProjectionExpression"].as_str().is_some_and(|names| names.contains("#renewed"));
    let item = |index| if is_presence { population.present(index) } else { population.item(index) };
    let limit = body["Limit"].as_u64().map_or(usize::MAX, |_| number(&body["Limit"]));
    let most = call.state.plan.page_items.unwrap_or(PAGE_BYTES / ITEM_BYTES).min(limit);
    let mut last = None;
    let mut items = String::new();
    let mut count = 0;
    for index in indexes.by_ref().take(most) {
        items.push_str(if items.is_empty() { "" } else { "," });
        items.push_str(&item(index).to_string());
        (last, count) = (Some(index), count + 1);
    }
    let more = indexes.next().is_some();
    call.state.tally().taken(call.operation, count, steps(count * ITEM_BYTES, READ_BYTES) / 2.0);
    let next = last.filter(|_| more).map_or(String::new(), |index| {
        let (account, session) = (population.account(index), session_id(index));
        let key = json!({"accountId": {"S": account.to_string()}, "sessionId": {"S": session.as_str()}});
        format!(r#","LastEvaluatedKey":{key}"#)
    });
    Answer::ok(format!(r#"{{"Items":[{items}],"Count":{count},"ScannedCount":{count}{next}}}"#))
}

fn get_item(call: &Call<'_>, body: &Value) -> Answer {
    let population = call.state.plan.population;
    let index = body["Key"]["sessionId"]["S"].as_str().and_then(session_index);
    call.state.tally().taken(call.operation, 1, 1.0);
    match index.filter(|index| *index < population.sessions) {
        Some(index) => Answer::json(&json!({ "Item": population.item(index) })),
        None => Answer::ok("{}"),
    }
}

/// An update whose condition is that the entry is not read, or was read by the same call.
fn mark_read(call: &Call<'_>, body: &Value) -> Answer {
    call.state.tally().taken(call.operation, 1, 1.0);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let key = (text(&body["Key"]["userId"]["S"]), text(&body["Key"]["messageId"]["S"]));
    let by = text(&body["ExpressionAttributeValues"][":call"]["S"]);
    let mut record = call.state.record();
    match record.history.get_mut(&key) {
        Some(kept) if kept.is_read == "0" || kept.read_by == by => {
            (kept.is_read, kept.read_by) = ("1".into(), by);
            Answer::ok("{}")
        }
        _ => Answer::error(400, "ConditionalCheckFailedException"),
    }
}

fn put_item(call: &Call<'_>, item: &Value, size: usize) -> Answer {
    call.state.tally().taken(call.operation, 1, steps(size, WRITE_BYTES));
    let user = item["userId"]["S"].as_str().and_then(|user| user.parse().ok());
    if user.is_some() && user == call.state.plan.refused_user {
        return Answer::error(400, "ValidationException");
    }
    let is_new = !call.state.plan.records || keep(call, item, false);
    if is_new { Answer::ok("{}") } else { Answer::error(400, "ConditionalCheckFailedException") }
}

/// Stores a history entry; without `replace` only if there is none.
fn keep(call: &Call<'_>, item: &Value, replace: bool) -> bool {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let key = (text(&item["userId"]["S"]), text(&item["messageId"]["S"]));
    let kept = Kept {
        created: text(&item["created"]["N"]),
        is_read: text(&item["isRead"]["N"]),
        read_by: String::new(),
    };
    let mut record = call.state.record();
    let is_new = replace || !record.history.contains_key(&key);
    if is_new {
        record.history.insert(key, kept);
    }
    is_new
}

fn batch_write_item(call: &Call<'_>, body: &Value) -> Answer {
    let tables = body["RequestItems"].as_object();
    let (mut units, mut entries) = (0.0, 0);
    for put in tables.into_iter().flatten().filter_map(|(_, puts)| puts.as_array()).flatten() {
        units += steps(put.to_string().len(), WRITE_BYTES);
        entries += 1;
        if call.state.plan.records {
            keep(call, &put["PutRequest"]["Item"], true);
        }
    }
    call.state.tally().taken(call.operation, entries, units);
    Answer::ok(r#"{"UnprocessedItems":{}}"#)
}
