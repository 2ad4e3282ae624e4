//! `sbe cost`.

use crate::{failure::Failure, output::Output, table::table};
use clap::{Args, ValueEnum};
use sbe_cost::{
    Estimate, Prices, Scenario, estimate,
    estimate::{Setting, System},
    scenario::{Client, Publish},
};
use serde_json::{Value, json};

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  sbe cost                                    the standard scenario: 1,000 users, a message of 1 KB a minute
  sbe cost --users 200 --messages 0.1 --hidden 0.8 --client pause
  sbe cost --publish kinesis --no-history --lines

It needs no system and asks nobody: prices are those of docs/prices.json. Compare them with AWS's pages.";

/// The scenario: every message is for one user, who has one page open.
#[derive(Debug, Args)]
pub struct Cost {
    /// Users, each with one page.
    #[arg(long, default_value_t = 1000.0, value_name = "NUMBER")]
    users: f64,

    /// Hours a day that the page is open.
    #[arg(long, default_value_t = 8.0, value_name = "NUMBER")]
    hours: f64,

    /// Days a month.
    #[arg(long, default_value_t = 30.0, value_name = "NUMBER")]
    days: f64,

    /// Messages a minute that come to each user, at random times.
    #[arg(long, default_value_t = 1.0, value_name = "NUMBER")]
    messages: f64,

    /// Share of the open time in which the page is hidden, 0 to 1.
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    hidden: f64,

    /// JSON of a message.
    #[arg(long, default_value_t = 1024.0, value_name = "BYTES")]
    bytes: f64,

    /// Messages are not kept in histories.
    #[arg(long)]
    no_history: bool,

    /// Users mark every message read, ten with one call.
    #[arg(long, conflicts_with = "no_history")]
    receipts: bool,

    /// How messages are published, one with each call or record.
    #[arg(long, value_enum, default_value_t = Way::Http)]
    publish: Way,

    /// Settings of the browser client: its defaults, or economy with hidden pages that poll once a minute or not at all.
    #[arg(long, value_enum, default_value_t = Settings::Default)]
    client: Settings,

    /// Also show each line of the bills.
    #[arg(long)]
    lines: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Way {
    Http,
    Kinesis,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Settings {
    Default,
    Slow,
    Pause,
}

/// Prints what the scenario costs a month, here and with other services.
pub fn run(args: &Cost, output: Output) -> Result<(), Failure> {
    let estimate = estimate(&args.scenario(), Prices::current()).map_err(Failure::Usage)?;
    output.result(&json!(estimate), |_: &Value| text(&estimate, args.lines));
    Ok(())
}

impl Cost {
    fn scenario(&self) -> Scenario {
        let &Self { users, hours, days, messages, hidden, bytes, receipts, .. } = self;
        let publish = match self.publish {
            Way::Http => Publish::Http,
            Way::Kinesis => Publish::Kinesis,
        };
        let client = match self.client {
            Settings::Default => Client::Default,
            Settings::Slow => Client::Slow,
            Settings::Pause => Client::Pause,
        };
        let history = !self.no_history;
        Scenario { users, hours, days, messages, hidden, bytes, history, receipts, publish, client }
    }
}

fn text(estimate: &Estimate, lines: bool) -> String {
    let cells = |name: &str, all: f64, without: f64| [name.to_owned(), dollars(all), dollars(without)];
    let system = |system: &System| cells(system.name, system.dollars, system.without_history);
    let setting = |one: &Setting| cells(one.client.code(), one.dollars, one.without_history);
    let systems: Vec<_> = estimate.systems.iter().map(system).collect();
    let settings: Vec<_> = estimate.settings.iter().map(setting).collect();
    let mut parts = vec![
        table(["SERVICE", "USD A MONTH", "WITHOUT HISTORIES"], &systems),
        table(["THIS SYSTEM WITH", "USD A MONTH", "WITHOUT HISTORIES"], &settings),
        estimate.remarks.join("\n"),
    ];
    if lines {
        parts.extend(estimate.systems.iter().map(bill));
    }
    parts.push(format!(
        "Prices {}: docs/prices.json. Free tiers are left out. docs/COST.md has the rules.",
        estimate.prices
    ));
    parts.join("\n\n")
}

fn bill(system: &System) -> String {
    let rows = system.lines.iter().map(|line| {
        let unit = &Prices::current().price(line.price).unit;
        [format!("{:.0}", line.units), dollars(line.dollars), line.name.to_owned(), unit.clone()]
    });
    format!("{}\n{}", system.name, table(["UNITS", "USD", "FOR", "UNIT"], &rows.collect::<Vec<_>>()))
}

fn dollars(dollars: f64) -> String {
    format!("{dollars:.2}")
}
