//! `sbe cleanup`.

use crate::{context::Context, failure::Failure, output::report};
use sbe_client::api::in_path;
use serde_json::json;

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe cleanup
  sbe cleanup --env prod --region eu-west-1 --json";

/// Calls `/cleanup` until it is complete: each call does a slice, and names where the next begins.
pub async fn run(context: &Context) -> Result<(), Failure> {
    let api = context.system.api();
    let (mut removed, mut path) = (0, "/cleanup".to_owned());
    loop {
        let told = || format!("{removed} queues are removed; the rest is left to the next cleanup");
        let call = async { Ok(api.call("POST", &path, "").await?) };
        let reply = context.interrupt.or(call, told).await?;
        removed += reply["queues_removed"].as_u64().unwrap_or_default();
        match reply["next"].as_str() {
            Some(next) => path = format!("/cleanup?next={}", in_path(next)),
            None => break,
        }
        report(format_args!("{removed} queues removed so far"));
    }
    let result = json!({"queues_removed": removed});
    context.output.result(&result, |_| format!("{removed} queues removed"));
    Ok(())
}
