//! Who receives how much, and with which settings.

use serde::{Deserialize, Serialize};

/// A scenario. Every message is for one user, who has one page open.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Scenario {
    /// Users, each with one page.
    pub users: f64,
    /// Hours a day that the page is open.
    pub hours: f64,
    /// Days a month.
    pub days: f64,
    /// Messages a minute that come to each user, at random times.
    pub messages: f64,
    /// Share of the open time in which the page is hidden, 0 to 1.
    pub hidden: f64,
    /// The application's JSON of a message, bytes.
    pub bytes: f64,
    /// Whether messages are kept in histories.
    pub history: bool,
    /// Whether users mark every message read, ten with one call; only with histories.
    pub receipts: bool,
    /// How messages are published, one with each call or record.
    pub publish: Publish,
    /// The settings of the browser client.
    pub client: Client,
}

/// How messages are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Publish {
    /// By the HTTP API.
    Http,
    /// By the Kinesis stream.
    Kinesis,
}

/// The settings of the browser client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Client {
    /// The client's defaults.
    Default,
    /// `economy({ hidden: "slow" })`
    Slow,
    /// `economy({ hidden: "pause" })`
    Pause,
}

impl Default for Scenario {
    /// The standard scenario: a message of 1 KB a minute.
    fn default() -> Self {
        Self {
            users: 1000.0,
            hours: 8.0,
            days: 30.0,
            messages: 1.0,
            hidden: 0.5,
            bytes: 1024.0,
            history: true,
            receipts: false,
            publish: Publish::Http,
            client: Client::Default,
        }
    }
}

impl Scenario {
    /// The rule that a number breaks, with its name, if any does.
    pub fn refusal(&self) -> Option<String> {
        let numbers = [
            ("users", self.users, 0.0, 1e9),
            ("hours", self.hours, 0.0, 24.0),
            ("days", self.days, 0.0, 31.0),
            ("messages", self.messages, 0.0, 6000.0),
            ("hidden", self.hidden, 0.0, 1.0),
            ("bytes", self.bytes, 1.0, 196_608.0),
        ];
        let broken = numbers.iter().find(|(_, number, least, most)| !(least..=most).contains(&number));
        let text = |(name, number, least, most): &(&str, f64, f64, f64)| {
            format!("{name} must be a number from {least} to {most}, not {number}")
        };
        broken.map(text).or_else(|| {
            let alone = self.receipts && !self.history;
            alone.then(|| {
                "receipts must be off without history: only messages of a history are marked read".into()
            })
        })
    }

    /// Sessions a month: each user has one a day.
    pub fn sessions(&self) -> f64 {
        self.users * self.days
    }

    /// Minutes a month that pages are open, hidden or not.
    pub fn minutes(&self) -> f64 {
        self.users * self.hours * 60.0 * self.days
    }

    /// Messages a month.
    pub fn published(&self) -> f64 {
        self.minutes() * self.messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_number_and_the_rule() {
        assert_eq!(Scenario::default().refusal(), None);
        let refusal = |scenario: Scenario| scenario.refusal().unwrap();
        let hours = refusal(Scenario { hours: 25.0, ..Scenario::default() });
        assert_eq!(hours, "hours must be a number from 0 to 24, not 25");
        assert!(refusal(Scenario { users: f64::NAN, ..Scenario::default() }).starts_with("users"));
        let receipts = refusal(Scenario { history: false, receipts: true, ..Scenario::default() });
        assert!(receipts.starts_with("receipts must be off"), "{receipts}");
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(serde_json::from_str::<Scenario>(r#"{"user": 5}"#).is_err());
    }
}
