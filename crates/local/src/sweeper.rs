//! Removes expired items, as DynamoDB's TTL does.
//!
//! MiniStack does not apply the template's TTL setting, and its own way to expire items leaves no
//! record in the table's stream. DynamoDB takes up to days for this; here it takes seconds.

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    types::AttributeValue,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{progress::report, stack::Keys};

const PERIOD: Duration = Duration::from_secs(2);

/// A table and the names of its keys.
pub type Table = (String, [&'static str; 2]);

/// Sweeps the tables until the program ends. A sweep that fails is left to the next one.
pub async fn sweep(endpoint: &str, region: &str, keys: &Keys, tables: [Table; 2]) {
    let db = client(endpoint, region, keys);
    loop {
        tokio::time::sleep(PERIOD).await;
        for table in &tables {
            if let Err(error) = sweep_table(&db, table).await {
                report(format_args!("sweeping {}: {error}", table.0));
            }
        }
    }
}

fn client(endpoint: &str, region: &str, keys: &Keys) -> Client {
    let http =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(endpoint)
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new(&keys.access_key, &keys.secret_key, None, None, "local"))
        .build();
    Client::from_conf(config)
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
