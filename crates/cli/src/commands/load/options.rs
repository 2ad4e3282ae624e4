//! The flags of `sbe load`.

use clap::Args;
use std::path::PathBuf;
use toml::{Table, Value};

/// What `--help` adds.
pub const EXAMPLES: &str = "\
Examples:
  sbe load                                         200 sessions, 20,000 deliveries, on the local system
  sbe load --sessions 50 --pollers 50 --rate 20 --batch 1 --duration 5m
  sbe load --print-scenario > soak.toml            edit it, then:
  sbe load --scenario soak.toml --env staging --mix account=10,user=45,session=45
  sbe load --clean-up qwertyuiop-4                 removes what a run that was stopped has left

A run makes accounts, users and sessions of its own, and removes its sessions at its end. Messages to everyone
reach all other sessions of the environment too: on a deployed system they need --yes-broadcast.

It fails, with exit code 1, when a delivery was lost, misrouted or altered, a message was not accepted, a history
or a read receipt is wrong. Duplicates and messages out of order within a call are told and are no failure,
since delivery is at least once; with --strict they are.";

/// Loads the system and checks exactly what every session receives.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Scenario file (TOML); what it leaves out has the default, and flags win.
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,

    /// Print a scenario with all defaults and comments, and do nothing else.
    #[arg(long)]
    pub print_scenario: bool,

    /// Repeats a run: the same sessions, messages, sizes and targets.
    #[arg(long, value_name = "N")]
    pub seed: Option<i64>,

    /// How many sessions.
    #[arg(long, value_name = "N")]
    pub sessions: Option<i64>,

    /// How many accounts they are in.
    #[arg(long, value_name = "N")]
    pub accounts: Option<i64>,

    /// Messages a second.
    #[arg(long, value_name = "N")]
    pub rate: Option<f64>,

    /// End when the messages make this many deliveries.
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    pub deliveries: Option<i64>,

    /// End after this long, such as 10m.
    #[arg(long, value_name = "TIME")]
    pub duration: Option<String>,

    /// Messages in a call, 1 to 500.
    #[arg(long, value_name = "N")]
    pub batch: Option<i64>,

    /// Part of the calls (0 to 1) by HTTP; the others go by Kinesis.
    #[arg(long, value_name = "PART")]
    pub http: Option<f64>,

    /// Whom messages are for, as weights such as broadcast=5,account=15,user=40,session=40.
    #[arg(long, value_name = "WEIGHTS", value_parser = mix)]
    pub mix: Option<Table>,

    /// Polls at the same time, at most.
    #[arg(long, value_name = "N")]
    pub pollers: Option<i64>,

    /// What has not come when nothing came for this long is lost.
    #[arg(long, value_name = "TIME")]
    pub drain: Option<String>,

    /// Allow messages to everyone on a deployed system, which reach its real sessions too.
    #[arg(long)]
    pub yes_broadcast: bool,

    /// Fail on duplicates and on messages out of order too.
    #[arg(long)]
    pub strict: bool,

    /// Where the report goes. [default: sbe-load-RUN.html]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Remove the sessions that a run has left, and do nothing else.
    #[arg(long, value_name = "RUN")]
    pub clean_up: Option<String>,
}

impl LoadArgs {
    /// The flags that are given, as a scenario says them.
    pub fn over_scenario(&self) -> Table {
        let mut table = Table::new();
        table.extend(self.seed.map(|seed| ("seed".to_owned(), seed.into())));
        let sessions = [("count", integer(self.sessions)), ("accounts", integer(self.accounts))];
        let publish = [
            ("rate", self.rate.map(Value::from)),
            ("deliveries", integer(self.deliveries)),
            ("duration", self.duration.clone().map(Value::from)),
            ("batch", integer(self.batch)),
            ("http", self.http.map(Value::from)),
        ];
        section(&mut table, "sessions", sessions);
        section(&mut table, "publish", publish);
        section(&mut table, "poll", [("pollers", integer(self.pollers))]);
        section(&mut table, "check", [("drain", self.drain.clone().map(Value::from))]);
        table.extend(self.mix.clone().map(|mix| ("mix".to_owned(), mix.into())));
        table
    }
}

fn integer(value: Option<i64>) -> Option<Value> {
    value.map(Value::from)
}

fn section<const N: usize>(table: &mut Table, name: &str, values: [(&str, Option<Value>); N]) {
    let given = values.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let given: Table = given.collect();
    if !given.is_empty() {
        table.insert(name.to_owned(), given.into());
    }
}

/// Weights by name; those that are not named are 0.
fn mix(text: &str) -> Result<Table, String> {
    let names = ["broadcast", "account", "user", "session"];
    let mut mix: Table = names.map(|name| (name.to_owned(), Value::from(0.0))).into_iter().collect();
    for part in text.split(',') {
        let weight = part
            .split_once('=')
            .and_then(|(name, weight)| Some((name.trim(), weight.trim().parse::<f64>().ok()?)));
        match weight {
            Some((name, weight)) if names.contains(&name) => mix[name] = weight.into(),
            _ => {
                return Err(format!(
                    "{part}: must be a weight of broadcast, account, user or session, such as user=40"
                ));
            }
        }
    }
    Ok(mix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_has_the_weights_that_are_named_and_no_others() {
        let weights = mix("user=3, session=1").unwrap();
        assert_eq!((&weights["user"], &weights["broadcast"]), (&Value::from(3.0), &Value::from(0.0)));
        for wrong in ["", "user", "user=x", "users=3", "user=1,,session=2"] {
            assert!(mix(wrong).is_err(), "{wrong}");
        }
    }
}
