//! The figures of `docs/COST.md` are those of the model.

use sbe_cost::{
    Prices, Scenario, estimate,
    scenario::{Client, Publish},
};

const DOCUMENT: &str = include_str!("../../../docs/COST.md");

fn scenarios() -> [(&'static str, Scenario); 9] {
    let standard = Scenario::default();
    let paused = Scenario { client: Client::Pause, ..standard };
    let by_stream = Scenario { publish: Publish::Kinesis, ..standard };
    let sparing = Scenario { client: Client::Pause, ..by_stream };
    let idle = Scenario { messages: 0.0, ..standard };
    [
        ("", standard),
        (" --client pause", paused),
        (" --publish kinesis", by_stream),
        (" --publish kinesis --client pause", sparing),
        (" --publish kinesis --client pause --no-history", Scenario { history: false, ..sparing }),
        (" --publish kinesis --messages 10", Scenario { messages: 10.0, ..by_stream }),
        (" --publish kinesis --client pause --users 10000", Scenario { users: 10_000.0, ..sparing }),
        (" --messages 0", idle),
        (
            " --messages 0 --client pause --hidden 0.8",
            Scenario { client: Client::Pause, hidden: 0.8, ..idle },
        ),
    ]
}

#[test]
fn the_table_of_scenarios_is_that_of_the_model() {
    let row = |(options, scenario): &(&str, Scenario)| {
        let bills = estimate(scenario, Prices::current()).unwrap().systems;
        let others: Vec<String> = bills[1..].iter().map(|bill| format!("{:.0}", bill.dollars)).collect();
        let [all, without] = [bills[0].dollars, bills[0].without_history];
        format!("| `sbe cost{options}` | {all:.0} | {without:.0} | {} |", others.join(" | "))
    };
    let rows: Vec<String> = scenarios().iter().map(row).collect();
    let missing = rows.iter().any(|row| !DOCUMENT.contains(row.as_str()));
    assert!(!missing, "docs/COST.md does not have these rows:\n{}", rows.join("\n"));
}

#[test]
fn the_stream_is_the_templates() {
    let template = include_str!("../../../template.yaml");
    let default = |name: &str| -> f64 {
        let (_, parameter) = template.split_once(&format!("\n  {name}:\n")).unwrap();
        let (_, value) = parameter.split_once("    Default: ").unwrap();
        value.lines().next().unwrap().parse().unwrap()
    };
    let fixed = &Prices::current().fixed;
    assert_eq!(
        (fixed.shards, fixed.retention_hours),
        (default("ShardCount"), default("StreamRetentionHours"))
    );
}

#[test]
fn the_table_of_prices_is_that_of_the_file() {
    let prices = Prices::current();
    let row = |(name, price): (&String, &sbe_cost::prices::Price)| {
        let per = if price.per > 1.0 { " a million" } else { "" };
        format!("| `{name}` | {}{per} | {} | {} |", price.usd, price.unit, price.page)
    };
    let rows: Vec<String> = prices.prices.iter().map(row).collect();
    let missing = rows.iter().any(|row| !DOCUMENT.contains(row.as_str()));
    assert!(!missing, "docs/COST.md does not have these rows:\n{}", rows.join("\n"));
    assert!(DOCUMENT.contains(&format!("as of {}", prices.as_of)), "docs/COST.md has another date");
}
