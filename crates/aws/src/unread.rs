//! Counts unread messages in the index by time, without reading messages.

use crate::{
    Error, Result,
    history::{History, Item, number},
    pages::{position_key, take_position},
    retry::{Deadline, retry},
};
use aws_sdk_dynamodb::{
    operation::query::{QueryOutput, builders::QueryFluentBuilder},
    types::AttributeValue,
};
use sbe_core::{
    history::Position,
    unread::{Query, UnreadCount},
};

impl History {
    /// How many messages that `query` wants are unread and not expired at `now` (epoch seconds): at least
    /// as many, where there are more than are counted or the time ends first.
    ///
    /// The index is read eventually consistently, at half the price of a page: a receipt of the last
    /// second may be missing.
    ///
    /// # Errors
    /// When there was no time for anything, or a call was refused.
    pub async fn count_unread(&self, query: &Query, now: i64, deadline: Deadline) -> Result<UnreadCount> {
        let request = self.unread_types(query, now);
        let (mut count, mut read, mut start) = (UnreadCount::default(), 0, None);
        loop {
            let limit = i32::try_from(count.entries_to_read(read)).unwrap_or(i32::MAX);
            let after = start.as_ref().map(|position| position_key(&query.user, position));
            let reply = match fetch(request.clone().limit(limit), after, deadline).await {
                Err(error) if error.is_transient() && read > 0 => {
                    count.at_least = true;
                    return Ok(count);
                }
                result => result?,
            };
            read += usize::try_from(reply.scanned_count).unwrap_or_default();
            let kinds = reply.items.as_deref().unwrap_or_default().iter().map(kind);
            kinds.filter(|kind| query.wants(*kind)).for_each(|kind| count.add(kind));
            start = next(reply)?;
            if start.is_none() || count.at_least {
                return Ok(count);
            }
        }
    }

    /// The types of what is unread, newest first: all that a count needs.
    fn unread_types(&self, query: &Query, now: i64) -> QueryFluentBuilder {
        self.created_between(&query.user, query.start, query.end)
            .consistent_read(false)
            .projection_expression("#type")
            .filter_expression("isRead = :unread AND #ttl > :now")
            .expression_attribute_names("#type", "type")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":unread", number(0))
            .expression_attribute_values(":now", number(now))
    }
}

async fn fetch(request: QueryFluentBuilder, start: Option<Item>, deadline: Deadline) -> Result<QueryOutput> {
    let request = request.set_exclusive_start_key(start);
    let send = || async { request.clone().send().await.map_err(Error::sdk("Query of what is unread")) };
    retry(deadline, send).await
}

fn kind(item: &Item) -> Option<&str> {
    item.get("type").and_then(|kind| AttributeValue::as_s(kind).ok()).map(String::as_str)
}

fn next(reply: QueryOutput) -> Result<Option<Position>> {
    reply.last_evaluated_key.map(take_position).transpose()
}
