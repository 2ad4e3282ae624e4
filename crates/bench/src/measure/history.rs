//! The ways to write a history that were not chosen, to be compared with the one that was.

use super::{Size, Used};
use crate::{events::messages, usage::Mark};
use anyhow::{Result, ensure};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes, PutRequest, WriteRequest},
};
use futures::{StreamExt, TryStreamExt, stream};
use sbe_aws::clients::Clients;
use sbe_core::message::Message;
use std::collections::HashMap;

/// `BatchWriteItem` takes so many items, `BatchGetItem` four times as many keys.
const BATCH: usize = 25;

type Item = HashMap<String, AttributeValue>;

/// Writes by `BatchWriteItem`; if `checked`, reads the keys first, as a replay would need.
pub(super) async fn batch(clients: &Clients, size: &Size, checked: bool) -> Result<Used> {
    let db = Client::new(clients.sdk());
    let table = clients.config().history_table();
    let (messages, mut used) = (messages(size.messages, size.bytes), Used::default());
    let mark = Mark::now()?;
    let pairs = (0..size.sessions).flat_map(|user| messages.iter().map(move |message| (user, message)));
    let pairs: Vec<(usize, &Message)> = pairs.collect();
    stream::iter(pairs.chunks(4 * BATCH))
        .map(|pairs| write(&db, &table, pairs, checked))
        .buffer_unordered(clients.config().max_concurrency)
        .try_collect::<()>()
        .await?;
    used.add(mark)?;
    Ok(used)
}

async fn write(db: &Client, table: &str, pairs: &[(usize, &Message)], checked: bool) -> Result<()> {
    if checked {
        let keys = pairs.iter().map(|(user, message)| key(*user, message)).collect();
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
        let keys = keys.projection_expression("messageId").build()?;
        db.batch_get_item().request_items(table, keys).send().await?;
    }
    for pairs in pairs.chunks(BATCH) {
        let puts = pairs.iter().map(|(user, message)| put(*user, message)).collect::<Result<_>>()?;
        let reply = db.batch_write_item().request_items(table, puts).send().await?;
        ensure!(reply.unprocessed_items.unwrap_or_default().is_empty(), "the sink takes every item");
    }
    Ok(())
}

fn put(user: usize, message: &Message) -> Result<WriteRequest> {
    let mut item = key(user, message);
    let number = |text: &str| AttributeValue::N(text.into());
    item.insert("created".into(), number("1763800000.123456"));
    item.insert("isRead".into(), number("0"));
    item.insert("message".into(), AttributeValue::S(message.json().into()));
    item.insert("ttl".into(), number("1763886400"));
    item.insert("type".into(), AttributeValue::S("bench".into()));
    Ok(WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build()?).build())
}

fn key(user: usize, message: &Message) -> Item {
    HashMap::from([
        ("userId".into(), AttributeValue::S(user.to_string())),
        ("messageId".into(), AttributeValue::S(message.id().as_str().into())),
    ])
}
