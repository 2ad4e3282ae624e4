//! Read receipts that another call had no time for, or left for later.

use crate::{App, Summary};
use lambda_runtime::Error;
use sbe_aws::retry::Deadline;
use sbe_core::payload::{Read, ReceiptPayload};

pub(crate) async fn receive(
    app: &App,
    receipt: ReceiptPayload,
    deadline: Deadline,
) -> Result<Summary, Error> {
    let marked = app.receipts.receive(&receipt, deadline).await;
    let summary = Summary {
        total: if let Read::Listed(ids) = &receipt.read { ids.len() } else { marked.changed.len() },
        changed: marked.changed.len(),
        handed_back: marked.left.len(),
        parked: marked.refused.len(),
    };
    let reserve = deadline.with_reserve();
    app.receipts.hand_on(&receipt, marked.left, reserve).await?;
    app.receipts.park(&receipt, marked.refused, reserve).await?;
    Ok(summary)
}
