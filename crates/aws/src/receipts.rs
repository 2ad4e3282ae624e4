//! Marks messages read and tells the user's sessions.
//!
//! Chunk by chunk: what was marked is told before the next chunk is begun, and time is kept aside for
//! telling and for handing on what is left. Each mark names the call that made it. So whoever goes on
//! with a call's receipt tells what the call has marked, also if nobody had time to tell it or the
//! answer to the marking was lost; and what another call has marked is that call's to tell.

use crate::{
    Error,
    config::Config,
    functions::Functions,
    history::History,
    leftovers::{Leftovers, NotHandedOn},
    retry::{Deadline, retry},
    settle::{Settled, settle},
};
use sbe_core::{
    history::{Position, Timestamp},
    id::{MessageId, UserId},
    payload::{Read, ReceiptPayload, depth},
    receipt::{chunks, receipts},
};
use std::time::Duration;

/// Kept aside for telling of a chunk, and for handing on what is left: half of it for each.
const ASIDE: Duration = Duration::from_secs(5);

/// What became of a receipt.
#[derive(Debug, Default)]
pub struct Marked {
    /// The ids that the call has changed, in the order in which they were marked. All are told.
    pub changed: Vec<MessageId>,
    /// What there was no time to mark, or to tell, in parts that can be handed on.
    pub left: Vec<Read>,
    /// What AWS refused for good.
    pub refused: Vec<(Read, Error)>,
    /// How many receipts were parked, since Lambda takes them never.
    pub parked: usize,
}

/// When the steps of a receipt have to be done.
#[derive(Debug, Clone, Copy)]
struct Times {
    marking: Deadline,
    telling: Deadline,
}

/// Read receipts: the history they change, and the function that publishes them.
#[derive(Debug, Clone)]
pub struct Receipts {
    history: History,
    functions: Functions,
    leftovers: Leftovers,
    dispatcher: String,
    adder: String,
    chunk_size: usize,
    publishes: bool,
    concurrency: usize,
}

impl Receipts {
    pub(crate) fn new(history: History, functions: Functions, leftovers: Leftovers, config: &Config) -> Self {
        Self {
            history,
            functions,
            leftovers,
            dispatcher: config.function("event-dispatcher"),
            adder: config.function("user-history-adder"),
            chunk_size: config.read_receipt_chunk_size,
            publishes: config.send_read_receipts,
            concurrency: config.max_concurrency,
        }
    }

    /// Marks messages read and publishes receipts of those that changed. Ids that the user has no
    /// message for are passed over. Ends some seconds before the deadline, for [`Self::hand_on`].
    pub async fn receive(&self, receipt: &ReceiptPayload, deadline: Deadline) -> Marked {
        let marking = deadline.sooner_by(ASIDE);
        let aside = deadline.remaining().saturating_sub(marking.remaining());
        let times = Times { marking, telling: marking.later_by(aside / 2) };
        let mut marked = Marked::default();
        match &receipt.read {
            Read::Listed(ids) => {
                let rest = self.mark(receipt, ids, times, &mut marked).await;
                if !rest.is_empty() {
                    marked.left.push(Read::Listed(rest.to_vec()));
                }
            }
            Read::AsOf(moment) => self.mark_as_of(receipt, *moment, times, &mut marked).await,
        }
        marked
    }

    /// Marks what is unread up to a moment, newest first, as it is read.
    async fn mark_as_of(
        &self,
        receipt: &ReceiptPayload,
        mut as_of: Timestamp,
        times: Times,
        marked: &mut Marked,
    ) {
        let mut after: Option<Position> = None;
        loop {
            match self.history.unread(&receipt.user_id, as_of, after.as_ref(), times.marking).await {
                Ok(page) => {
                    if !self.mark(receipt, &page.ids, times, marked).await.is_empty() {
                        return marked.left.push(Read::AsOf(as_of));
                    }
                    let Some(next) = page.next else { return };
                    as_of = next.created();
                    after = Some(next);
                }
                Err(error) if error.is_transient() => return marked.left.push(Read::AsOf(as_of)),
                Err(error) => return marked.refused.push((Read::AsOf(as_of), error)),
            }
        }
    }

    /// Marks chunk by chunk; gives the ids that there was no time to begin with.
    async fn mark<'a>(
        &self,
        receipt: &ReceiptPayload,
        ids: &'a [MessageId],
        times: Times,
        marked: &mut Marked,
    ) -> &'a [MessageId] {
        let (user, call) = (&receipt.user_id, &receipt.call);
        let mark = async |id: &&MessageId| self.history.mark_read(user, id, call).await;
        let mut rest = ids;
        for chunk in chunks(ids, self.chunk_size) {
            if times.marking.has_passed() {
                break;
            }
            rest = &rest[chunk.len()..];
            let Settled { done, refused, left } = settle(chunk, self.concurrency, times.marking, mark).await;
            let mut left: Vec<MessageId> = left.into_iter().cloned().collect();
            let changed = done.into_iter().filter(|(_, changed)| *changed).map(|(id, _)| id.clone());
            let changed: Vec<MessageId> = changed.collect();
            match self.tell(user, &changed, times.telling).await {
                Ok(parked) => {
                    marked.changed.extend(changed);
                    marked.parked += parked;
                }
                Err(error) => {
                    tracing::warn!(%error, ids = changed.len(), "a receipt is left to be told");
                    left.extend(changed);
                }
            }
            if !left.is_empty() {
                marked.left.push(Read::Listed(left));
            }
            let (refused, errors): (Vec<MessageId>, Vec<Error>) =
                refused.into_iter().map(|(id, error)| (id.clone(), error)).unzip();
            marked.refused.extend(errors.into_iter().next().map(|error| (Read::Listed(refused), error)));
        }
        rest
    }

    /// Publishes a receipt of what was read; how many parts of it were parked instead.
    async fn tell(&self, user: &UserId, read: &[MessageId], deadline: Deadline) -> Result<usize, Error> {
        let mut parked = 0;
        if !self.publishes {
            return Ok(parked);
        }
        for receipt in receipts(user, read, self.chunk_size) {
            let invoke = || self.functions.invoke_async(&self.dispatcher, receipt.clone());
            match retry(deadline, invoke).await {
                Err(error) if !error.is_transient() => {
                    let reason = error.to_string();
                    self.leftovers
                        .park(&self.dispatcher, &reason, vec![receipt], deadline)
                        .await
                        .map_err(|left| left.error)?;
                    parked += 1;
                }
                result => result?,
            }
        }
        Ok(parked)
    }

    /// Hands the marking of everything up to a moment on, as lists: marked by an invocation that then
    /// dies, what is listed is told by its repetition, which could not find it as unread any more.
    /// Returns how many ids were listed.
    ///
    /// # Errors
    /// When the history cannot be read, or a part cannot be handed on.
    pub async fn list(
        &self,
        receipt: &ReceiptPayload,
        mut as_of: Timestamp,
        deadline: Deadline,
    ) -> Result<usize, Error> {
        let listing = deadline.sooner_by(ASIDE);
        let (mut after, mut listed): (Option<Position>, usize) = (None, 0);
        loop {
            let page = self.history.unread(&receipt.user_id, as_of, after.as_ref(), listing).await;
            let (part, next) = match page {
                Ok(page) => {
                    listed += page.ids.len();
                    (Read::Listed(page.ids), page.next)
                }
                Err(error) if error.is_transient() => (Read::AsOf(as_of), None),
                Err(error) => return Err(error),
            };
            self.hand_on(receipt, vec![part], deadline).await.map_err(|left| left.error)?;
            let Some(next) = next else { return Ok(listed) };
            as_of = next.created();
            after = Some(next);
        }
    }

    /// Hands parts of a receipt to the history's function and does not wait for it.
    ///
    /// # Errors
    /// With what could not be handed on.
    pub async fn hand_on(
        &self,
        receipt: &ReceiptPayload,
        parts: Vec<Read>,
        deadline: Deadline,
    ) -> Result<(), NotHandedOn> {
        let times = receipt.depth + 1;
        let parts = parts.into_iter().flat_map(|read| self.chunked(read));
        let payloads = parts.map(|read| receipt.part(read, depth(times)).to_json()).collect();
        self.leftovers.hand_on(&self.adder, payloads, times, deadline).await
    }

    /// Hands parts of a receipt on, or parks them: for a call that nobody repeats under its own name, so
    /// that nobody else would tell what it has marked.
    ///
    /// # Errors
    /// When not all could be handed on, parked or not: the rest is not marked yet. With how many parts were parked.
    pub async fn hand_on_or_park(
        &self,
        receipt: &ReceiptPayload,
        parts: Vec<Read>,
        deadline: Deadline,
    ) -> Result<(), (Error, usize)> {
        let Err(NotHandedOn { payloads, error }) = self.hand_on(receipt, parts, deadline).await else {
            return Ok(());
        };
        let (reason, mut parked) = (error.to_string(), payloads.len());
        let parking = self.leftovers.park(&self.adder, &reason, payloads, deadline.with_reserve()).await;
        if let Err(NotHandedOn { payloads, error }) = parking {
            tracing::error!(%error, receipts = payloads.len(), "receipts could not be parked");
            parked -= payloads.len();
        }
        Err((error, parked))
    }

    /// Parks what was refused, for the history's function to be invoked with again.
    ///
    /// # Errors
    /// With what could not be parked.
    pub async fn park(
        &self,
        receipt: &ReceiptPayload,
        refused: Vec<(Read, Error)>,
        deadline: Deadline,
    ) -> Result<(), NotHandedOn> {
        for (read, error) in refused {
            let payload = receipt.part(read, 0).to_json();
            self.leftovers.park(&self.adder, &error.to_string(), vec![payload], deadline).await?;
        }
        Ok(())
    }

    fn chunked(&self, read: Read) -> Vec<Read> {
        match read {
            Read::Listed(ids) => {
                chunks(&ids, self.chunk_size).map(|chunk| Read::Listed(chunk.to_vec())).collect()
            }
            as_of @ Read::AsOf(_) => vec![as_of],
        }
    }
}
