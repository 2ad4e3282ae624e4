//! `sbe cost`: it needs no system.

use sbe_tests::sbe::{Run, command};
use serde_json::Value;

async fn cost(arguments: &[&str]) -> Run {
    let mut cost = command(&[["cost"].as_slice(), arguments].concat());
    cost.env_remove("SBE_STACK").current_dir(std::env::temp_dir());
    Run::from(cost.output().await.expect("sbe starts"))
}

/// Dollars a month of this system, and of the cheapest other one.
async fn dollars(arguments: &[&str]) -> [f64; 2] {
    let estimate = cost(&[&["--json"], arguments].concat()).await.json();
    let systems: Vec<&Value> = estimate["systems"].as_array().expect("a list").iter().collect();
    assert_eq!(systems.len(), 4);
    let of = |system: &&Value| system["withoutHistory"].as_f64().expect("dollars");
    [of(&systems[0]), systems[1..].iter().map(of).fold(f64::MAX, f64::min)]
}

#[tokio::test]
async fn twice_the_users_cost_twice_as_much_beside_what_is_fixed() {
    let [none, _] = dollars(&["--users", "0"]).await;
    let [some, _] = dollars(&["--users", "500"]).await;
    let [more, _] = dollars(&["--users", "1000"]).await;
    assert!(none > 10.0 && ((more - none) / (some - none) - 2.0).abs() < 1e-9, "{none} {some} {more}");
}

#[tokio::test]
async fn the_settings_that_it_names_lower_the_bill() {
    let [default, _] = dollars(&[]).await;
    let [paused, _] = dollars(&["--client", "pause"]).await;
    let [by_stream, _] = dollars(&["--publish", "kinesis"]).await;
    assert!(paused < default && by_stream < default, "{paused} {by_stream} {default}");
}

#[tokio::test]
async fn it_says_plainly_where_another_service_is_cheaper() {
    let text = cost(&["--messages", "0", "--lines"]).await.success();
    for expected in [
        "AppSync Events is cheaper by",
        "connection minutes",
        "as of 20",
        "not compared with AWS's pages",
        "docs/prices.json",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test]
async fn numbers_out_of_range_are_named() {
    let error = cost(&["--hidden", "50"]).await.failure(2);
    assert!(error.contains("hidden must be a number from 0 to 1, not 50"), "{error}");
    cost(&["--no-history", "--receipts"]).await.failure(2);
}
