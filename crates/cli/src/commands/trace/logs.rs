//! The lines about a message, by CloudWatch Logs Insights.

use crate::failure::Failure;
use aws_sdk_cloudwatchlogs::types::QueryStatus;
use sbe_client::System;
use sbe_core::{id::MessageId, message::text_json, stages::Line};
use std::time::Duration;

/// Functions that handle messages.
const FUNCTIONS: [&str; 3] = ["event-dispatcher", "sqs-sender", "user-history-adder"];

/// Insights returns so many lines at most.
const MAX_LINES: i32 = 10_000;

/// A query that has not ended is asked for again after this time.
const PAUSE: Duration = Duration::from_millis(500);

/// What was read.
pub(crate) struct Read {
    /// The lines that may be about the message.
    pub(crate) lines: Vec<Line>,
    /// There may be more of them.
    pub(crate) is_cut: bool,
}

/// Reads the lines of a range of epoch seconds that may be about the message.
pub(crate) async fn read(system: &System, id: &MessageId, [since, until]: [i64; 2]) -> Result<Read, Failure> {
    let logs = system.logs();
    let groups = FUNCTIONS.map(|name| format!("/aws/lambda/{}", system.function(name)));
    let query = logs.start_query().set_log_group_names(Some(groups.to_vec())).query_string(query(id));
    // Insights takes seconds; the last one is to be in it.
    let query = query.start_time(since).end_time(until + 1).send().await;
    let query = query.map_err(|error| Failure::aws("querying the logs", error))?;
    let id = query.query_id.unwrap_or_default();
    loop {
        let results = logs.get_query_results().query_id(&id).send().await;
        let results = results.map_err(|error| Failure::aws("reading the logs", error))?;
        match results.status {
            Some(QueryStatus::Complete) => {
                let rows = results.results.unwrap_or_default();
                let is_cut = rows.len() >= usize::try_from(MAX_LINES).unwrap_or_default();
                let message = |row: Vec<aws_sdk_cloudwatchlogs::types::ResultField>| {
                    let message = row.into_iter().find(|field| field.field.as_deref() == Some("@message"));
                    Line::parse(message?.value?.trim())
                };
                return Ok(Read { lines: rows.into_iter().filter_map(message).collect(), is_cut });
            }
            Some(QueryStatus::Failed | QueryStatus::Cancelled | QueryStatus::Timeout) => {
                return Err(Failure::Unavailable("the query of the logs did not come to an end".into()));
            }
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The query for lines about a message. It finds a few too many: whoever reads a line compares the id.
fn query(id: &MessageId) -> String {
    let pattern = pattern(id);
    format!(
        r#"fields @timestamp, @message | filter @message like /"stage":/ | filter @message like /{pattern}/ | sort @timestamp asc | limit {MAX_LINES}"#
    )
}

/// A regular expression for the id as a line has it. Letters, digits, `_` and `-` stand for themselves, and a
/// dot for every other character, so that no id can have a meaning in the query or its expression.
fn pattern(id: &MessageId) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
    text_json(id.as_str()).chars().map(|char| if is_plain(char) { char } else { '.' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_has_a_meaning_in_the_query() {
        let pattern = |text: &str| pattern(&MessageId::parse(text).unwrap());
        assert_eq!(pattern("order-7_a"), ".order-7_a.");
        assert_eq!(pattern("a/ | limit 1 \"ü"), ".a....limit.1.....");
        assert_eq!(pattern("\n.*"), "..n...");
    }
}
