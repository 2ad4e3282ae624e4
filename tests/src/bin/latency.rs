//! Measures the time from publishing to a poll's receipt, by HTTP and by Kinesis.
//!
//! `make latency`, or `cargo run -p sbe-tests --bin latency`; with `SBE_STACK` on a running system.

use sbe_tests::{Backend, Browser, unique};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const COUNT: usize = 200;

#[tokio::main]
async fn main() {
    let backend = Backend::new();
    let account = unique();
    let browser = backend.create(account, "latency", None).await;
    for (name, by_kinesis) in [("/notify", false), ("PutRecord", true)] {
        let mut times = Vec::new();
        for n in 0..COUNT + 5 {
            let time = measure(&backend, &browser, account, n, by_kinesis).await;
            // The first ones start the functions.
            if n >= 5 {
                times.push(time);
            }
        }
        times.sort_unstable();
        let millis = |index: usize| times[index].as_secs_f64() * 1000.0;
        println!(
            "{name:10} to receipt: median {:.0} ms, p99 {:.0} ms, longest {:.0} ms ({COUNT} messages)",
            millis(COUNT / 2),
            millis(COUNT * 99 / 100),
            millis(COUNT - 1)
        );
    }
}

/// Publishes one message while the browser's poll waits, and times its receipt.
async fn measure(backend: &Backend, browser: &Browser, account: i64, n: usize, by_kinesis: bool) -> Duration {
    let message = json!({"accountId": account, "n": n}).to_string();
    let poll = async {
        loop {
            let texts = browser.poll(20).await;
            let numbers =
                texts.iter().map(|text| serde_json::from_str::<Value>(text).expect("JSON")["n"].clone());
            if numbers.into_iter().any(|number| number == n) {
                return Instant::now();
            }
        }
    };
    let publish = async {
        let start = Instant::now();
        if by_kinesis {
            backend.put_record(&message).await;
        } else {
            backend.post("/notify", &message).await.success();
        }
        start
    };
    let (received, published) = tokio::join!(poll, publish);
    received - published
}
