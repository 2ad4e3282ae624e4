//! Read receipts, in chunks that another call could not mark in its own time.

use crate::{App, Summary};
use lambda_runtime::Error;
use sbe_aws::retry::Deadline;
use sbe_core::payload::ReceiptPayload;

pub(crate) async fn receive(
    app: &App,
    receipt: ReceiptPayload,
    deadline: Deadline,
) -> Result<Summary, Error> {
    let marked = app.receipts.mark(&receipt.user_id, &receipt.read, &receipt.call, deadline).await?;
    let summary = Summary {
        total: receipt.read.len(),
        changed: marked.changed.len(),
        handed_back: marked.left.len(),
        parked: marked.refused.len(),
    };
    if !marked.left.is_empty() {
        let depth = receipt.depth + 1;
        let (call, user_id) = (receipt.call.clone(), receipt.user_id.clone());
        let left = ReceiptPayload { read: marked.left, depth, call, user_id };
        app.hand_on(left.to_json(), depth, deadline.with_reserve()).await?;
    }
    if let Some((_, error)) = marked.refused.first() {
        let reason = error.to_string();
        let read = marked.refused.into_iter().map(|(id, _)| id).collect();
        let refused = ReceiptPayload { read, depth: 0, call: receipt.call, user_id: receipt.user_id };
        app.park(&reason, &refused.to_json(), deadline.with_reserve()).await?;
    }
    Ok(summary)
}
