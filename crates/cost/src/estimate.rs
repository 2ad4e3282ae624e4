//! A scenario in dollars a month: here, elsewhere, and with other settings of the client.

use crate::{
    own::{self, CLIENTS},
    peers,
    prices::Prices,
    scenario::{Client, Publish, Scenario},
};
use serde::Serialize;

/// A line of a bill.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// What it is for.
    pub part: Part,
    /// What is billed, in words.
    pub name: &'static str,
    /// The price's name in `docs/prices.json`.
    pub price: &'static str,
    /// Units a month.
    pub units: f64,
    /// US dollars a month.
    pub dollars: f64,
}

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Open pages.
    Pages,
    /// Publishing and sending.
    Messages,
    /// Histories and read receipts, which the other services do not have.
    History,
    /// Creating, renewing and ending sessions.
    Sessions,
    /// What a deployment costs though nobody uses it.
    Fixed,
}

/// The bill of one service.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct System {
    /// The service.
    pub name: &'static str,
    /// The lines; those of no units are left out.
    pub lines: Vec<Line>,
    /// Their sum, US dollars.
    pub dollars: f64,
    /// The sum without histories, for comparison.
    pub without_history: f64,
}

/// This system's bill with a setting of the client.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// The setting.
    pub client: Client,
    /// US dollars a month.
    pub dollars: f64,
    /// The sum without histories, for comparison.
    pub without_history: f64,
}

/// A scenario's bills.
#[derive(Debug, Clone, Serialize)]
pub struct Estimate {
    /// The scenario.
    pub scenario: Scenario,
    /// When and where the prices are of.
    pub prices: String,
    /// This system first.
    pub systems: Vec<System>,
    /// This system with each setting of the client.
    pub settings: Vec<Setting>,
    /// What follows, in sentences.
    pub remarks: Vec<String>,
}

/// The name of this system among the others.
pub const OWN: &str = "sqs-browser-events";

/// Less than half of it is nothing.
const CENT: f64 = 0.01;

/// Estimates a scenario; `Err` names the number that breaks a rule.
pub fn estimate(scenario: &Scenario, prices: &Prices) -> Result<Estimate, String> {
    if let Some(refusal) = scenario.refusal() {
        return Err(refusal);
    }
    let systems = vec![
        system(OWN, own::lines(scenario, prices)),
        system("API Gateway WebSockets", peers::web_sockets(scenario, prices)),
        system("AppSync Events", peers::app_sync_events(scenario, prices)),
        system("IoT Core", peers::iot_core(scenario, prices)),
    ];
    let setting = |client| {
        let System { dollars, without_history, .. } =
            system(OWN, own::lines(&Scenario { client, ..*scenario }, prices));
        Setting { client, dollars, without_history }
    };
    let settings: Vec<Setting> = CLIENTS.into_iter().map(setting).collect();
    let mut remarks = remarks(&systems, &settings, scenario.client);
    if scenario.publish == Publish::Http && scenario.published() > 0.0 {
        let by_stream = system(OWN, own::lines(&Scenario { publish: Publish::Kinesis, ..*scenario }, prices));
        remarks.push(format!("Published by Kinesis instead of HTTP it is {:.2} USD.", by_stream.dollars));
    }
    Ok(Estimate { scenario: *scenario, prices: prices.dated(), systems, settings, remarks })
}

fn system(name: &'static str, lines: Vec<Line>) -> System {
    let mut system = System { name, lines, dollars: 0.0, without_history: 0.0 };
    system.dollars = system.sum(|_| true);
    system.without_history = system.sum(|line| line.part != Part::History);
    system
}

impl System {
    /// The sum of some lines, US dollars.
    fn sum(&self, of: impl Fn(&Line) -> bool) -> f64 {
        self.lines.iter().filter(|line| of(line)).map(|line| line.dollars).sum()
    }
}

fn remarks(systems: &[System], settings: &[Setting], client: Client) -> Vec<String> {
    let (own, others) = systems.split_first().expect("this system is the first");
    let mut remarks: Vec<String> = others.iter().map(|other| compared(own, other)).collect();
    let (fixed, polls) = (own.sum(|line| line.part == Part::Fixed), own.sum(|line| line.name == "polls"));
    remarks.push(format!(
        "Of this system's bill {fixed:.2} USD are for a deployment that nobody uses, and {polls:.2} USD for polls."
    ));
    let least = settings.iter().min_by(|one, other| one.dollars.total_cmp(&other.dollars));
    let better = |least: &&Setting| least.client != client && own.dollars - least.dollars >= CENT / 2.0;
    if let Some(least) = least.filter(better) {
        remarks.push(format!("With {} it is {:.2} USD.", least.client.code(), least.dollars));
        let between = least.without_history..own.without_history;
        let overtaken = others.iter().filter(|other| between.contains(&other.without_history));
        remarks.extend(overtaken.map(|other| format!("With that it is cheaper than {}.", other.name)));
    }
    remarks
}

/// Without histories, since the others have none.
fn compared(own: &System, other: &System) -> String {
    let (ours, theirs) = (own.without_history, other.without_history);
    let name = other.name;
    if (ours - theirs).abs() < CENT / 2.0 {
        return format!("{name} costs the same.");
    }
    let (word, difference) =
        if theirs < ours { ("cheaper", ours - theirs) } else { ("dearer", theirs - ours) };
    format!("{name} is {word} by {difference:.2} USD a month, histories left out.")
}

impl Client {
    /// How an application sets it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Default => "the client's defaults",
            Self::Slow => "economy({ hidden: \"slow\" })",
            Self::Pause => "economy({ hidden: \"pause\" })",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scenario: Scenario) -> Estimate {
        estimate(&scenario, Prices::current()).unwrap()
    }

    #[test]
    fn sums_are_those_of_the_lines() {
        for system in of(Scenario { receipts: true, ..Scenario::default() }).systems {
            let sum: f64 = system.lines.iter().map(|line| line.dollars).sum();
            assert!((sum - system.dollars).abs() < 1e-9 && system.without_history <= system.dollars);
        }
    }

    #[test]
    fn idle_pages_are_cheaper_elsewhere_and_it_says_so() {
        let idle = of(Scenario { messages: 0.0, ..Scenario::default() });
        for name in ["API Gateway WebSockets", "AppSync Events", "IoT Core"] {
            assert!(
                idle.remarks.iter().any(|text| text.starts_with(&format!("{name} is cheaper"))),
                "{idle:?}"
            );
        }
        let told = idle.remarks.iter().any(|text| text.contains("hidden: \"pause\""));
        assert!(told, "{:?}", idle.remarks);
    }

    #[test]
    fn a_broken_rule_is_an_error() {
        let error =
            estimate(&Scenario { hidden: 2.0, ..Scenario::default() }, Prices::current()).unwrap_err();
        assert_eq!(error, "hidden must be a number from 0 to 1, not 2");
    }
}
