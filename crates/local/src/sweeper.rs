//! Removes expired items, as DynamoDB's TTL does.
//!
//! MiniStack does not apply the template's TTL setting, and its own way to expire items leaves no
//! record in the table's stream. DynamoDB takes up to days for this; here it takes seconds.

use crate::progress::report;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const PERIOD: Duration = Duration::from_secs(2);

/// A table and the names of its keys.
pub type Table = (String, [&'static str; 2]);

/// Sweeps the tables until the program ends. A sweep that fails is left to the next one.
pub async fn sweep(db: Client, tables: [Table; 2]) {
    loop {
        tokio::time::sleep(PERIOD).await;
        for table in &tables {
            if let Err(error) = sweep_table(&db, table).await {
                report(format_args!("sweeping {}: {error}", table.0));
            }
        }
    }
}

async fn sweep_table(db: &Client, (table, keys): &Table) -> Result<(), aws_sdk_dynamodb::Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut expired = db
        .scan()
        .table_name(table)
        .filter_expression("#ttl < :now")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":now", AttributeValue::N(now.to_string()))
        .into_paginator()
        .items()
        .send();
    while let Some(item) = expired.next().await {
        let mut item = item?;
        let key: HashMap<String, AttributeValue> =
            keys.iter().filter_map(|name| Some(((*name).to_owned(), item.remove(*name)?))).collect();
        db.delete_item().table_name(table).set_key(Some(key)).send().await?;
    }
    Ok(())
}
