//! Read receipts that another call had no time for, or left for later.

use crate::{App, Summary};
use lambda_runtime::Error;
use sbe_aws::{leftovers::handed_on_or_parked, retry::Deadline};
use sbe_core::payload::{Read, ReceiptPayload};

pub(crate) async fn receive(
    app: &App,
    receipt: ReceiptPayload,
    deadline: Deadline,
) -> Result<Summary, Error> {
    let reserve = deadline.with_reserve();
    let total = match &receipt.read {
        Read::Listed(ids) => ids.len(),
        Read::AsOf(moment) => {
            let listed = app.receipts.list(&receipt, *moment, deadline).await?;
            return Ok(Summary { total: listed, handed_back: listed, ..Summary::default() });
        }
    };
    let marked = app.receipts.receive(&receipt, deadline).await;
    let (handed_back, given_up) = handed_on_or_parked(marked.left.len(), receipt.depth + 1);
    let parked = marked.refused.len() + marked.parked + given_up;
    let summary = Summary { total, changed: marked.changed.len(), handed_back, parked };
    app.receipts.hand_on(&receipt, marked.left, reserve).await?;
    app.receipts.park(&receipt, marked.refused, reserve).await?;
    Ok(summary)
}
