//! What `DynamoDB` answers.

use super::{Answer, history, record::Kept, server::Call, sessions, tally::steps};
use serde_json::Value;
use std::io;

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
        "DescribeTable" => sessions::describe(call),
        "Scan" => sessions::scan(call, &body),
        "Query" if history::is_queried(&body) => history::query(call, &body),
        "Query" => sessions::query(call, &body),
        "GetItem" => sessions::get_item(call, &body),
        "PutItem" => put_item(call, &body["Item"], size),
        "UpdateItem" => mark_read(call, &body),
        "BatchWriteItem" => batch_write_item(call, &body),
        "BatchGetItem" => history::batch_get_item(call, &body),
        _ => Answer::error(400, "UnknownOperationException"),
    })
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
