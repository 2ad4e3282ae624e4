//! The three forms of a read receipt: ids in the path, ids in the body, everything up to a time.

use crate::{Action, App};
use sbe_aws::retry::Deadline;
use sbe_core::{
    history::Timestamp,
    id::{MessageId, UserId},
    payload::{Read, ReceiptPayload},
    receipt::{parse_json, parse_list},
    version::Version,
};
use sbe_edge::{ApiError, Reply, Request, metrics};
use serde::Serialize;
use std::{collections::HashSet, time::Duration};

/// A page of the index, 1 MB, costs about as much as marking so many messages.
const IDS_PER_PAGE: usize = 50;

/// The longest that is spent on asking what is unread.
const ASKING: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct Receipted {
    success: bool,
    messages_receipted: Vec<MessageId>,
}

pub(crate) async fn set_read(
    app: &App,
    action: Action,
    request: &Request,
    call: &str,
    deadline: Deadline,
) -> Result<Reply, ApiError> {
    let user_id = request.user()?;
    let read = match read(action, request)? {
        Read::Listed(ids) => Read::Listed(unread_of(app, &user_id, distinct(ids), deadline).await),
        as_of @ Read::AsOf(_) => as_of,
    };
    let receipt = ReceiptPayload { version: Version, user_id, read, call: call.to_owned(), depth: 0 };
    if request.query("async").is_some() {
        let all = vec![receipt.read.clone()];
        app.receipts.hand_on(&receipt, all, deadline).await.map_err(|left| left.error)?;
        return Ok(Reply(r#"{"success":true}"#.into()));
    }
    let marked = app.receipts.receive(&receipt, deadline).await;
    let handed_on = app.receipts.hand_on_or_park(&receipt, marked.left, deadline).await;
    let parked = marked.parked + handed_on.as_ref().map_or_else(|(_, parked)| *parked, |()| 0);
    if parked > 0 {
        metrics::record(&app.config, &[("Parked", parked as u64)]);
    }
    handed_on.map_err(|(error, _)| error)?;
    if let Some((_, error)) = marked.refused.into_iter().next() {
        return Err(error.into());
    }
    let json = serde_json::to_string(&Receipted { success: true, messages_receipted: marked.changed });
    json.map(Reply).map_err(|error| ApiError::Internal(error.to_string()))
}

fn read(action: Action, request: &Request) -> Result<Read, ApiError> {
    Ok(match action {
        Action::SetReadAsOf => Read::AsOf(Timestamp::parse("timestamp", &request.path("timestamp")?)?),
        Action::SetReadBody => Read::Listed(parse_json(&request.body()?)?),
        _ => Read::Listed(parse_list(&request.path(MessageId::FIELD)?)?),
    })
}

/// A write for each of very many ids would be slow and dear where most are read already or unknown: a
/// few pages of the index tell which are unread. All of them, where that does not take few.
async fn unread_of(app: &App, user: &UserId, ids: Vec<MessageId>, deadline: Deadline) -> Vec<MessageId> {
    let deadline = deadline.at_most(ASKING);
    let given: HashSet<&MessageId> = ids.iter().collect();
    let (mut unread, mut after) = (HashSet::new(), None);
    for _ in 0..ids.len() / IDS_PER_PAGE {
        let Ok(page) = app.history.unread(user, Timestamp::MAX, after.as_ref(), deadline).await else {
            break;
        };
        unread.extend(page.ids.into_iter().filter(|id| given.contains(id)));
        after = page.next;
        if after.is_none() {
            return ids.into_iter().filter(|id| unread.contains(id)).collect();
        }
    }
    ids
}

/// The ids without repetitions, in their order.
fn distinct(ids: Vec<MessageId>) -> Vec<MessageId> {
    let mut seen = HashSet::new();
    ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
}
