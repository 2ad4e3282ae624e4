//! What `EventBridge` answers.

use super::{Answer, record::Event, server::Call};
use serde_json::{Value, json};
use std::io;

/// A call is known by its first entry: entries that failed before come again in other company.
pub(super) fn identity(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    format!("PutEvents{}", body["Entries"][0]["Detail"])
}

pub(super) fn put(call: &Call<'_>, body: &[u8]) -> io::Result<Answer> {
    let body: Value = serde_json::from_slice(body)?;
    let entries = body["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !(1..=10).contains(&entries.len()) || body.to_string().len() > 1024 * 1024 {
        return Ok(Answer::error(400, "ValidationException"));
    }
    let plan = &call.state.plan;
    let (mut results, mut failed, mut taken) = (Vec::new(), 0, Vec::new());
    for (index, entry) in entries.iter().enumerate() {
        let detail = entry["Detail"].as_str().unwrap_or_default();
        let is_struck = plan.faults.of(call.operation).strikes_entry(&call.identity, call.attempt, index);
        let is_refused = detail.len() > plan.max_body;
        call.state.record().struck += usize::from(is_struck);
        if is_struck || is_refused {
            failed += 1;
            let code = if is_struck { "InternalFailure" } else { "MalformedDetail" };
            results.push(json!({"ErrorCode": code, "ErrorMessage": "the sink says so"}));
        } else {
            results.push(json!({"EventId": format!("{:032}", index)}));
            taken.push(entry.clone());
        }
    }
    call.state.tally().taken(call.operation, taken.len(), 1.0);
    if plan.records {
        let mut record = call.state.record();
        let (answered, invocations) = (call.answered, record.invocations.len());
        record.events.extend(taken.into_iter().map(|entry| Event { entry, answered, invocations }));
    }
    Ok(Answer::json(&json!({"FailedEntryCount": failed, "Entries": results})))
}
