//! Which entries a command is about to act on, as whoever runs it has agreed to.

use super::{
    list::{Reader, groups},
    pace::{Pace, Rate},
    peek::{Peeked, peek},
    queue::{Held, Queue},
    selection::Selection,
    sweep::{Act, sweep},
};
use crate::{confirm::confirm, context::Context, failure::Failure, output::report};
use std::collections::BTreeSet;

/// The ids of the selected entries, after it was shown what they are and asked whether to go on.
pub async fn choose(
    reader: &Reader<'_>,
    selection: &Selection,
    origin: Option<&str>,
    fate: &str,
    yes: bool,
    context: &Context,
) -> Result<BTreeSet<String>, Failure> {
    let Peeked { seen: mut rows, still_hidden, .. } = reader.rows(selection, origin, context).await?;
    // Hidden entries cannot be got hold of now.
    if let Some(failure) = still_hidden {
        return Err(failure);
    }
    rows.truncate(selection.like.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX));
    if rows.is_empty() && !selection.ids.is_empty() {
        return Err(Failure::Refused(format!("the {} queue has no such entry", reader.queue.name)));
    }
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    report(format_args!("{}", reader.table_of(&groups(&rows))));
    let question = format!("These {} entries are to be {fate}.", rows.len());
    confirm(&question, "yes", yes, &context.interrupt).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Deletes entries for good.
pub async fn drop_all(queue: &Queue, wanted: BTreeSet<String>, context: &Context) -> Result<(), Failure> {
    let act = Act { doing: "dropping", done: "dropped", matters_twice: false };
    let pace = Pace::new(Rate::UNLIMITED);
    sweep(queue, wanted, act, &pace, context, async |_| Ok(())).await
}

/// The one entry whose id begins so.
pub async fn only(queue: &Queue, id: &str, context: &Context) -> Result<Held, Failure> {
    let peeked = peek(queue, &context.interrupt, |held| held.id.starts_with(id).then_some(held)).await?;
    let mut found = peeked.seen.into_iter();
    match (found.next(), found.next()) {
        (Some(held), None) => Ok(held),
        (None, _) if peeked.is_cut_off => {
            Err(Failure::Unavailable(format!("{id} is not among the entries that can be seen at a time")))
        }
        (None, _) => Err(Failure::Refused(format!("the {} queue has no entry {id}", queue.name))),
        _ => Err(Failure::Refused(format!("more than one entry begins with {id}"))),
    }
}
