//! What a load test does: a TOML file over the defaults, flags over both.

use crate::failure::Failure;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{path::Path, time::Duration};
use toml::{Table, Value};

/// The defaults, with comments: what `--print-scenario` prints.
pub const DEFAULTS: &str = include_str!("scenario.toml");

/// The largest body of a call: Lambda takes 6 MB with the request around it, Kinesis 10 MB.
const MAX_CALL_BYTES: usize = 5_000_000;

/// A scenario, valid.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Decides sessions, messages, sizes and targets.
    pub seed: u64,
    /// The sessions.
    pub sessions: Sessions,
    /// How messages are published.
    pub publish: Publish,
    /// Whom messages are for.
    pub mix: Mix,
    /// How queues are polled.
    pub poll: Poll,
    /// What is checked after the last message.
    pub check: Check,
}

/// The sessions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// How many.
    pub count: usize,
    /// How many accounts they are shared out among.
    pub accounts: usize,
    /// Part of them (0 to 1) that has no user.
    pub without_user: f64,
    /// Sessions of a user, on average.
    pub per_user: f64,
    /// Sessions made in a second.
    pub create_rate: f64,
}

/// How messages are published.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// Messages a second.
    pub rate: f64,
    /// Ends when the messages make so many deliveries, unless `duration` is there.
    pub deliveries: u64,
    /// Ends after so long.
    #[serde(default, deserialize_with = "some_duration")]
    pub duration: Option<Duration>,
    /// Messages in a call.
    pub batch: usize,
    /// Calls under way at the same time, at most.
    pub at_once: usize,
    /// Part of the calls (0 to 1) by HTTP.
    pub http: f64,
    /// Least and most bytes of a message.
    pub bytes: [usize; 2],
    /// Part of the messages (0 to 1) that are kept in no history.
    pub sqs_only: f64,
}

/// Whom messages are for, in relation to one another.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// Everyone.
    pub broadcast: f64,
    /// An account.
    pub account: f64,
    /// A user.
    pub user: f64,
    /// A session.
    pub session: f64,
}

/// How queues are polled.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// Polls at the same time, at most.
    pub pollers: usize,
    /// Sessions are renewed so long before their keys expire.
    #[serde(deserialize_with = "duration")]
    pub renew_before: Duration,
}

/// What is checked after the last message.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What has not come when nothing came for so long is lost.
    #[serde(deserialize_with = "duration")]
    pub drain: Duration,
    /// Whether histories are read.
    pub histories: bool,
    /// Users whose messages are marked read.
    pub receipts: usize,
}

/// A scenario, and its TOML text with everything that was given or left out.
#[derive(Debug, Clone)]
pub struct Given {
    /// The scenario.
    pub scenario: Scenario,
    /// Its text.
    pub text: String,
}

/// The defaults, with the file's values over them and the flags' over those.
pub fn read(file: Option<&Path>, flags: Table) -> Result<Given, Failure> {
    let Some(file) = file else { return parse("", flags) };
    let wrong = |error: String| Failure::Usage(format!("scenario {}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    parse(&text, flags).map_err(|failure| wrong(failure.to_string()))
}

fn parse(text: &str, flags: Table) -> Result<Given, Failure> {
    let mut table: Table = DEFAULTS.parse().expect("the defaults are TOML");
    merge(&mut table, text.parse().map_err(malformed)?);
    merge(&mut table, flags);
    let text = toml::to_string(&table).expect("a table is TOML");
    let scenario: Scenario = toml::from_str(&text).map_err(malformed)?;
    validate(&scenario).map_err(Failure::Usage)?;
    Ok(Given { scenario, text })
}

fn malformed(error: toml::de::Error) -> Failure {
    Failure::Usage(one_line(&error.to_string()))
}

/// TOML's errors show the place over several lines.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn merge(into: &mut Table, over: Table) {
    // The end of publishing is given in one way: the latest counts.
    if let Some(publish) = into.get_mut("publish").and_then(Value::as_table_mut)
        && over.get("publish").is_some_and(|over| over.get("deliveries").is_some())
    {
        publish.remove("duration");
    }
    for (key, value) in over {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(over)) => merge(inner, over),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn validate(scenario: &Scenario) -> Result<(), String> {
    let Scenario { sessions, publish, mix, poll, .. } = scenario;
    let part = |name, value: f64| within(name, value, 0.0, 1.0);
    within("sessions.count", float(sessions.count), 1.0, 1e6)?;
    within("sessions.accounts", float(sessions.accounts), 1.0, float(sessions.count))?;
    part("sessions.without_user", sessions.without_user)?;
    within("sessions.per_user", sessions.per_user, 1.0, 1e6)?;
    within("sessions.create_rate", sessions.create_rate, 0.01, 1e4)?;
    within("publish.rate", publish.rate, 0.01, 1e5)?;
    within("publish.batch", float(publish.batch), 1.0, 500.0)?;
    within("publish.at_once", float(publish.at_once), 1.0, 1e4)?;
    part("publish.http", publish.http)?;
    part("publish.sqs_only", publish.sqs_only)?;
    within("publish.bytes", float(publish.bytes[0]), 1.0, float(publish.bytes[1]))?;
    within("publish.bytes", float(publish.bytes[1]), 1.0, 256_000.0)?;
    within("poll.pollers", float(poll.pollers), 1.0, 1e4)?;
    let weights = [mix.broadcast, mix.account, mix.user, mix.session];
    if weights.iter().any(|weight| !weight.is_finite() || *weight < 0.0) || weights.iter().sum::<f64>() <= 0.0
    {
        return Err("mix must have weights of 0 and more, one of them more than 0".into());
    }
    if publish.batch * publish.bytes[1] > MAX_CALL_BYTES {
        return Err(format!("publish.batch times publish.bytes must be at most {MAX_CALL_BYTES} bytes"));
    }
    Ok(())
}

fn within(name: &str, value: f64, least: f64, most: f64) -> Result<(), String> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(format!("{name} must be {least} to {most}"))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn float(count: usize) -> f64 {
    count as f64
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map_err(|error| D::Error::custom(format!("{error}: such as \"90s\" or \"10m\"")))
}

fn some_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str, flags: &str) -> Result<Given, Failure> {
        parse(text, flags.parse().unwrap())
    }

    #[test]
    fn the_defaults_are_valid() {
        let given = read(None, Table::new()).unwrap();
        assert_eq!((given.scenario.sessions.count, given.scenario.publish.deliveries), (200, 20_000));
    }

    #[test]
    fn a_file_wins_over_the_defaults_and_flags_over_the_file() {
        let given = from("seed = 3\n[sessions]\ncount = 10\naccounts = 2", "[sessions]\ncount = 12").unwrap();
        let Scenario { seed, sessions, .. } = given.scenario;
        assert_eq!((seed, sessions.count, sessions.accounts), (3, 12, 2));
    }

    #[test]
    fn the_end_of_publishing_that_was_given_last_counts() {
        let given = from("[publish]\nduration = \"1m 30s\"", "").unwrap();
        assert_eq!(given.scenario.publish.duration, Some(Duration::from_secs(90)));
        let given = from("[publish]\nduration = \"2m\"", "[publish]\ndeliveries = 5").unwrap();
        assert_eq!((given.scenario.publish.duration, given.scenario.publish.deliveries), (None, 5));
    }

    #[test]
    fn what_is_wrong_is_named_in_one_line() {
        for (text, named) in [
            ("[sessions]\ncuont = 1", "cuont"),
            ("[sessions]\ncount = 0", "sessions.count must be 1 to 1000000"),
            ("[sessions]\naccounts = 201", "sessions.accounts"),
            ("[publish]\nhttp = 1.5", "publish.http must be 0 to 1"),
            ("[publish]\nbytes = [9, 3]", "publish.bytes"),
            ("[publish]\nbatch = 500\nbytes = [1, 20000]", "publish.batch times publish.bytes"),
            ("[mix]\nbroadcast = 0\naccount = 0\nuser = 0\nsession = 0", "mix must have"),
            ("[check]\ndrain = 9", "expected a string"),
            ("[check]\ndrain = \"soon\"", "such as \"90s\""),
            ("not toml", "line 1"),
        ] {
            let error = from(text, "").unwrap_err().to_string();
            assert!(error.contains(named) && !error.contains('\n'), "{text}: {error}");
        }
    }
}
