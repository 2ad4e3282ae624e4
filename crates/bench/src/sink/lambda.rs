//! What Lambda answers.

use super::{Answer, record::Invocation, server::Call, tally::steps};

/// An asynchronous invocation is billed a request up to this many bytes.
const FIRST_BYTES: usize = 256 * 1024;
/// And another one for each of these beyond.
const FURTHER_BYTES: usize = 64 * 1024;

/// Payloads differ from run to run, as pages come in another order: the number of the invocation
/// names it.
pub(super) fn identity(path: &str) -> String {
    path.to_owned()
}

/// Invocations are counted by function.
pub(super) fn label(path: &str) -> String {
    format!("Invoke {}", function(path))
}

/// The function's name, without the alias.
pub(super) fn function(path: &str) -> &str {
    let name = path.split('/').nth(3).unwrap_or_default();
    name.split(':').next().unwrap_or_default().split("%3A").next().unwrap_or_default()
}

pub(super) fn invoke(call: &Call<'_>, path: &str, body: &[u8]) -> Answer {
    let further = body.len().saturating_sub(FIRST_BYTES);
    let units = if further == 0 { 1.0 } else { 1.0 + steps(further, FURTHER_BYTES) };
    call.state.tally().taken(&call.label, 1, units);
    call.state.reach().invoked(function(path), &String::from_utf8_lossy(body));
    call.state.events.keep(call, path, body);
    if call.state.plan.records {
        let payload = String::from_utf8_lossy(body).into_owned();
        let invocation = Invocation { function: function(path).to_owned(), payload, answered: call.answered };
        call.state.record().invocations.push(invocation);
    }
    Answer { status: 202, json: String::new() }
}
