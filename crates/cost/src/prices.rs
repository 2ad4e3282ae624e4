//! The dated file of prices, `docs/prices.json`.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::LazyLock};

const FILE: &str = include_str!("../../../docs/prices.json");

static PRICES: LazyLock<Prices> =
    LazyLock::new(|| serde_json::from_str(FILE).expect("docs/prices.json is tested"));

/// List prices of one region in US dollars, without free tiers and discounts.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prices {
    /// AWS region.
    pub region: String,
    /// Always `USD`.
    pub currency: String,
    /// Year and month as of which the prices are believed.
    pub as_of: String,
    /// Whether the prices were read from AWS's pages; otherwise compare them before use.
    pub fetched: bool,
    /// Prices by name.
    pub prices: BTreeMap<String, Price>,
    /// What a deployment has whether or not it is used.
    pub fixed: Fixed,
    /// What cannot be counted without an AWS account.
    pub assumed: Assumed,
}

/// One price.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// US dollars for `per` units.
    pub usd: f64,
    /// So many units.
    pub per: f64,
    /// What is billed.
    pub unit: String,
    /// AWS's free tier, which is not used in any sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<String>,
    /// AWS's page with the price.
    pub page: String,
}

/// What a deployment has whether or not it is used.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fixed {
    /// Shards of the stream, the template's `ShardCount`.
    pub shards: f64,
    /// How long the stream keeps records, the template's `StreamRetentionHours`; 168 at most, beyond which the bytes are
    /// billed.
    pub retention_hours: f64,
    /// Alarms, by the metrics that they watch.
    pub alarms: f64,
    /// Dashboards.
    pub dashboards: f64,
    /// Custom metrics that are written, by name and dimensions.
    pub metrics: f64,
}

/// What cannot be counted without an AWS account: replace it by what yours shows.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Assumed {
    /// Billed duration of a warm invocation, milliseconds, and memory, GB, by function.
    pub functions: BTreeMap<String, Function>,
    /// Lambda's own log lines of an invocation, bytes.
    pub platform_log_bytes: f64,
    /// An answer of SQS to a browser without its messages, with headers, bytes.
    pub answer_bytes: f64,
    /// What a message has beside the application's JSON when it reaches a browser, by any service, bytes.
    pub wrapping_bytes: f64,
}

/// A function of the template.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Function {
    /// Billed duration of a warm invocation for one message, milliseconds.
    pub ms: f64,
    /// Memory, GB, as in the template.
    pub gb: f64,
    /// Its own log lines of an invocation for one message, bytes, as counted locally at `LogLevel=info`.
    pub log_bytes: f64,
    /// Milliseconds for each further message of an invocation.
    pub more_ms: f64,
    /// Bytes of log lines for each further message of an invocation, by the length of its entry.
    pub more_log_bytes: f64,
}

impl Prices {
    /// The prices of this release.
    pub fn current() -> &'static Self {
        &PRICES
    }

    /// A price by its name in the file. Names are those of the code: an unknown one is a bug.
    pub fn price(&self, name: &str) -> &Price {
        self.prices.get(name).unwrap_or_else(|| panic!("docs/prices.json has no price {name}"))
    }

    /// What units cost, US dollars.
    pub fn dollars(&self, name: &str, units: f64) -> f64 {
        let price = self.price(name);
        units * price.usd / price.per
    }

    /// When and where the prices are of, for people.
    pub fn dated(&self) -> String {
        let how = if self.fetched { "" } else { ", not compared with AWS's pages" };
        format!("as of {}, {}{how}", self.as_of, self.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_price_is_dated_and_says_where_it_is_found() {
        let prices = Prices::current();
        assert_eq!((prices.currency.as_str(), prices.as_of.len()), ("USD", "2025-01".len()));
        for (name, price) in &prices.prices {
            assert!(
                price.usd > 0.0 && price.per >= 1.0 && price.page.contains("pricing"),
                "{name}: {price:?}"
            );
        }
    }

    #[test]
    fn dollars_are_by_the_units_of_the_price() {
        assert!((Prices::current().dollars("sqsRequest", 2e6) - 0.8).abs() < 1e-9);
    }
}
