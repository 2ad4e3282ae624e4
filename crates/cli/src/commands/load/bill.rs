//! What a run is billed: what its own calls are, and an estimate of what the system did for it.

use super::{ledger::Counts, tally::Tally};
use sbe_cost::Prices;
use serde::Serialize;

/// A line of the bill.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// What is billed.
    pub name: &'static str,
    /// How many units.
    pub units: u64,
    /// What they cost, in US dollars.
    pub dollars: f64,
    /// Whether the units are not counted but concluded from what came.
    pub estimated: bool,
}

/// The bill.
#[derive(Debug, Clone, Serialize)]
pub struct Bill {
    /// The lines.
    pub items: Vec<Item>,
    /// The sum, in US dollars.
    pub dollars: f64,
    /// Of when and where the prices are.
    pub prices: String,
}

/// What is not in it.
pub const NOT_COUNTED: &str = "Not counted: Lambda's duration, DynamoDB's reads and storage, sessions' making and end \
    beyond the calls of the API, the stream's shard hours, logs, metrics, data transfer.";

impl Bill {
    /// The bill of these calls; `kept` are entries of histories.
    pub fn new(tally: &Tally, counts: &Counts, kept: u64) -> Self {
        let calls = tally.api_calls.get();
        let publishes = tally.notifies.get() + tally.puts.get();
        let came = counts.delivered + counts.duplicates + counts.misrouted;
        let prices = Prices::current();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let item = |name, units: u64, price, estimated| Item {
            name,
            units,
            dollars: prices.dollars(price, units as f64),
            estimated,
        };
        let items = vec![
            item("API Gateway calls", calls, "apiRequest", false),
            item(
                "Kinesis PUT payload units",
                tally.put_units.get() + tally.record_retries.get(),
                "kinesisPutUnit",
                false,
            ),
            item(
                "SQS requests of the sessions (polls, deletes)",
                tally.polls.get() + tally.deletes.get(),
                "sqsRequest",
                false,
            ),
            // Up to ten messages share a request, when a call or a batch has so many for a session.
            item("SQS requests of the sender, at most", came, "sqsRequest", true),
            // The dispatcher, the sender and the history adder.
            item("Lambda requests", calls + tally.puts.get() + 2 * publishes, "lambdaRequest", true),
            // An entry of up to 1 KB, and its place in the index.
            item("DynamoDB write units of histories", 2 * kept, "dynamodbWrite", true),
        ];
        Self { dollars: items.iter().map(|item| item.dollars).sum(), items, prices: prices.dated() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_and_estimated_units_have_their_price_and_add_up() {
        let tally = Tally::default();
        tally.api_calls.add(1_000_000);
        tally.polls.add(2_000_000);
        tally.deletes.add(500_000);
        let bill = Bill::new(&tally, &Counts { delivered: 1_000_000, ..Counts::default() }, 0);
        let cost =
            |name: &str| bill.items.iter().find(|item| item.name.starts_with(name)).map(|item| item.dollars);
        let close =
            |name, dollars: f64| assert!((cost(name).unwrap() - dollars).abs() < 1e-9, "{name}: {bill:?}");
        close("API Gateway", 3.5);
        close("SQS requests of the sessions", 1.0);
        close("SQS requests of the sender", 0.4);
        close("Lambda requests", 0.2);
        assert!((bill.dollars - 5.1).abs() < 1e-9, "{bill:?}");
    }
}
