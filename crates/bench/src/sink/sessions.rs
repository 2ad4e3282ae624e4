//! What `DynamoDB` answers about the sessions table and its indexes.
//!
//! Sessions are in the order of their index, which is that of their ids. Those of one account, or of one
//! user, are found by arithmetic: an account of a million sessions costs no more than one of ten.

use super::{Answer, server::Call, tally::steps};
use crate::population::{Population, session_id, session_index, text};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// A page ends when so many bytes were read, projected or not.
const PAGE_BYTES: usize = 1024 * 1024;
/// An eventually consistent read of this many bytes is half a read unit.
const READ_BYTES: usize = 4096;

/// What a stored session has beside what the indexes hold.
static STORED_ONLY: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "region": {"S": "eu-west-1"},
        "identityId": {"S": "eu-west-1:7b0e2c51-93d4-4a6f-b8e7-0c1d2e3f4a5b"},
        "developerUserIdentifier": {"S": text(60, 1)[..43]},
        "messageRetention": {"N": "3600"},
        "created": {"N": "1763800000"},
        "renewed": {"N": "1763800000"},
        "expires": {"N": "1763803600"},
    })
});

/// What an item counts: "the sum of the lengths of its attribute names and values". A number counts a
/// byte for two digits, and one more.
fn item_bytes(item: &Value) -> usize {
    let value_bytes = |value: &Value| match (value["S"].as_str(), value["N"].as_str()) {
        (Some(text), _) => text.len(),
        (_, Some(number)) => number.trim_start_matches('-').len().div_ceil(2) + 1,
        _ => 0,
    };
    item.as_object().into_iter().flatten().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

pub(super) fn describe(call: &Call<'_>) -> Answer {
    call.state.tally().taken(call.operation, 1, 0.0);
    let plan = &call.state.plan;
    Answer::json(&json!({"Table": {"ItemCount": plan.claimed_sessions.unwrap_or(plan.population.sessions)}}))
}

pub(super) fn scan(call: &Call<'_>, body: &Value) -> Answer {
    let population = call.state.plan.population;
    let (segment, total) = (number(&body["Segment"]), number(&body["TotalSegments"]).max(1));
    let bound = |segment| population.sessions * segment / total;
    let first = after(&population, &body["ExclusiveStartKey"]["sessionId"]);
    page(call, body, first.max(bound(segment))..bound(segment + 1))
}

pub(super) fn query(call: &Call<'_>, body: &Value) -> Answer {
    let population = call.state.plan.population;
    let values = &body["ExpressionAttributeValues"];
    let first = after(&population, &body["ExclusiveStartKey"]["sessionId"]);
    let end =
        if values[":last"].is_null() { population.sessions } else { after(&population, &values[":last"]) };
    let users = population.sessions.checked_div(population.sessions_per_user).unwrap_or_default();
    let step = match body["ExpressionAttributeNames"]["#key"].as_str() {
        Some("accountId") => population.accounts,
        Some("userId") => users,
        _ => {
            let index = values[":key"]["S"].as_str().and_then(session_index).filter(|index| *index < end);
            let index = index.unwrap_or(end);
            return page(call, body, first.max(index)..end.min(index + 1));
        }
    };
    let Some(offset) = written(&values[":key"]).filter(|offset| *offset < step) else {
        return page(call, body, 0..0);
    };
    let first = if first > offset { offset + (first - offset).div_ceil(step) * step } else { offset };
    let indexes = (first..end.max(first)).step_by(step);
    if body["ScanIndexForward"] == json!(false) {
        page(call, body, indexes.rev())
    } else {
        page(call, body, indexes)
    }
}

pub(super) fn get_item(call: &Call<'_>, body: &Value) -> Answer {
    let population = call.state.plan.population;
    let index = body["Key"]["sessionId"]["S"].as_str().and_then(session_index);
    call.state.tally().taken(call.operation, 1, 1.0);
    match index.filter(|index| *index < population.sessions) {
        Some(index) => Answer::json(&json!({ "Item": population.item(index) })),
        None => Answer::ok("{}"),
    }
}

/// The sessions with these indexes, up to the end of a page: what it has read counts, projected or not.
fn page(call: &Call<'_>, body: &Value, mut indexes: impl Iterator<Item = usize>) -> Answer {
    let plan = &call.state.plan;
    let not_shown = if body["IndexName"].is_null() { item_bytes(&STORED_ONLY) } else { 0 };
    let asked = body["Limit"].as_u64().and_then(|limit| usize::try_from(limit).ok());
    let limit = asked.unwrap_or(usize::MAX).min(plan.page_items.unwrap_or(usize::MAX));
    let is_presence = body["ProjectionExpression"].as_str().is_some_and(|names| names.contains("#renewed"));
    let (mut items, mut count, mut bytes, mut last, mut size) = (String::new(), 0, 0, None, None);
    while count < limit && bytes < PAGE_BYTES {
        let Some(index) = indexes.next() else { break };
        // The sessions of a page differ by no more than a digit.
        bytes += *size.get_or_insert_with(|| item_bytes(&plan.population.item(index)) + not_shown);
        items.push_str(if items.is_empty() { "" } else { "," });
        if is_presence {
            items.push_str(&plan.population.present(index).to_string());
        } else {
            items.push_str(&plan.population.item_json(index));
        }
        (count, last) = (count + 1, Some(index));
    }
    call.state.tally().taken(call.operation, count, steps(bytes, READ_BYTES) / 2.0);
    let more = indexes.next().is_some();
    let next = last.filter(|_| more).map_or(String::new(), |index| {
        let item = plan.population.item(index);
        let key = json!({"accountId": item["accountId"], "sessionId": item["sessionId"]});
        format!(r#","LastEvaluatedKey":{key}"#)
    });
    Answer::ok(format!(r#"{{"Items":[{items}],"Count":{count},"ScannedCount":{count}{next}}}"#))
}

/// The index of the first session with an id after this one, which may be nobody's.
fn after(population: &Population, id: &Value) -> usize {
    let Some(id) = id["S"].as_str() else { return 0 };
    let (mut low, mut high) = (0, population.sessions);
    while low < high {
        let middle = low.midpoint(high);
        if session_id(middle).as_str() <= id { low = middle + 1 } else { high = middle }
    }
    low
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
}

/// The number that a key is written as.
fn written(key: &Value) -> Option<usize> {
    key["N"].as_str().or(key["S"].as_str())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_that_dynamodb_counts() {
        assert_eq!(item_bytes(&json!({"ab": {"S": "xyz"}, "n": {"N": "-12345"}})), 2 + 3 + 1 + 4);
        let slim =
            item_bytes(&Population { sessions_per_user: 1, ..Population::of(1_000_000) }.item(999_999));
        let stored = slim + item_bytes(&STORED_ONLY);
        assert!((220..260).contains(&slim) && (380..440).contains(&stored), "{slim} {stored}");
    }

    #[test]
    fn an_id_that_nobody_has_stands_between_two_sessions() {
        let population = Population::of(1000);
        let after = |id: &str| after(&population, &json!({ "S": id }));
        assert_eq!(after(session_id(41).as_str()), 42);
        assert_eq!(after(&session_id(41).as_str()[..34]), 0);
        assert_eq!(after(&format!("{}~", session_id(41).as_str())), 42);
        assert_eq!((after("0"), after("z")), (0, 1000));
    }
}
