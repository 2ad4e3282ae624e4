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

#[cfg(test)]
mod tests {
    use crate::history::to_item;
    use sbe_core::{
        history::{Entry, Timestamp},
        id::{MessageId, UserId},
    };

    /// Read units of a count of 10,000 entries, by the sizes that `DynamoDB` bills: names and values in
    /// UTF-8, numbers with a byte for each two digits and one more, half a unit for each 4 KB.
    fn units(user: &str, kind: &str) -> f64 {
        let entry = Entry {
            user: UserId::parse(user).unwrap(),
            // As the system makes them.
            id: MessageId::parse("x".repeat(43)).unwrap(),
            created: Timestamp(1_763_800_000_123_456),
            is_read: false,
            kind: Some(kind.into()),
            json: "{}".into(),
            ttl: 1_763_886_400,
        };
        let digits = |number: &String| number.bytes().filter(u8::is_ascii_digit).count();
        let projected = ["userId", "messageId", "created", "isRead", "type", "ttl"];
        let indexed = to_item(&entry).into_iter().filter(|(name, _)| projected.contains(&name.as_str()));
        let bytes: usize = indexed
            .map(|(name, value)| {
                name.len()
                    + value.as_s().map_or_else(|_| 1 + digits(value.as_n().unwrap()).div_ceil(2), String::len)
            })
            .sum();
        f64::from(u32::try_from((10_000 * bytes).div_ceil(4096)).unwrap()) / 2.0
    }

    #[test]
    fn ten_thousand_entries_take_as_many_read_units_as_documented() {
        let uuid = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
        assert_eq!((units("7", "news"), units(uuid, "news")), (122.5, 165.0));
        assert!(units("7", "receipt-10") <= 130.0, "{}", units("7", "receipt-10"));
    }
}
