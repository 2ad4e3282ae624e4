//! The units of this system. `docs/COST.md` has the rules in words.

use crate::{
    estimate::{
        Line,
        Part::{self, Fixed, History, Messages, Pages, Sessions},
    },
    polling::{Requests, requests},
    prices::Prices,
    scenario::{Client, Publish, Scenario},
};

/// Hours of a month, for what is billed whether or not it is used.
const MONTH: f64 = 730.0;
/// Hours that a stream keeps records for the price of its shards.
const DAY: f64 = 24.0;
/// Minutes from one `/renew` to the next: keys work for an hour, and are renewed 2.5 to 5 minutes earlier.
const RENEWAL: f64 = 56.25;
/// Read units of the lookup of a user's session: up to 4 KB, eventually consistent.
const LOOKUP: f64 = 0.5;
/// Ids in one call that marks messages read.
const IDS: f64 = 10.0;
/// What an entry of a history has beside the application's JSON, bytes.
const ENTRY: f64 = 170.0;
/// What DynamoDB stores of an entry beside that: its place in the index, and 100 bytes for each of the two.
const STORED: f64 = 350.0;
/// Records of a stream's shard that one invocation takes.
const RECORDS: f64 = 100.0;

/// What happens in a month.
struct Month<'a> {
    scenario: &'a Scenario,
    prices: &'a Prices,
    lines: Vec<Line>,
    sessions: f64,
    renewals: f64,
    messages: f64,
    /// Calls that mark messages read: each sends a receipt to the user's session.
    receipts: f64,
    /// Invocations of the dispatcher for messages.
    batches: f64,
}

/// The lines of this system's bill.
pub fn lines(scenario: &Scenario, prices: &Prices) -> Vec<Line> {
    let messages = scenario.published();
    let mut month = Month {
        scenario,
        prices,
        lines: Vec::new(),
        sessions: scenario.sessions(),
        renewals: scenario.sessions() * (scenario.hours * 60.0 / RENEWAL).floor(),
        messages,
        receipts: if scenario.receipts { messages / IDS } else { 0.0 },
        batches: batches(scenario),
    };
    let browsers = month.browsers();
    month.sending();
    month.history();
    month.sessions();
    month.functions();
    month.outbound(browsers);
    month.fixed();
    month.lines
}

/// Lambda looks at a shard about once a second, and takes what is there, up to 100 records.
fn batches(scenario: &Scenario) -> f64 {
    let messages = scenario.published();
    if scenario.publish == Publish::Http {
        return messages;
    }
    let seconds = scenario.hours * 3600.0 * scenario.days;
    let a_second = scenario.users * scenario.messages / 60.0;
    (seconds * (1.0 - (-a_second).exp())).max(messages / RECORDS)
}

impl Month<'_> {
    fn add(&mut self, part: Part, name: &'static str, price: &'static str, units: f64) {
        if units > 0.0 {
            self.lines.push(Line { part, name, price, units, dollars: self.prices.dollars(price, units) });
        }
    }

    /// The requests of the browsers.
    fn browsers(&mut self) -> f64 {
        let of_receipts = if self.scenario.receipts { self.scenario.messages / IDS } else { 0.0 };
        let Requests { polls, deletes } = requests(self.scenario, self.scenario.messages + of_receipts);
        let minutes = self.scenario.minutes();
        // The first poll does not wait: it shows that the session works. The last one is cut short, on average by half.
        let polls = minutes * polls + 1.5 * self.sessions;
        self.add(Pages, "polls", "sqsRequest", polls);
        self.add(Pages, "deletions of handled messages", "sqsRequest", minutes * deletes);
        polls + minutes * deletes
    }

    fn sending(&mut self) {
        let Self { messages, receipts, .. } = *self;
        // Base64 of the message and of what identifies it.
        let frame = (self.scenario.bytes + ENTRY) * 4.0 / 3.0;
        self.add(Messages, "sends", "sqsRequest", messages * (frame / 65536.0).ceil() + receipts);
        self.add(Messages, "lookups of sessions", "dynamodbRead", LOOKUP * (messages + receipts));
        match self.scenario.publish {
            Publish::Http => self.add(Messages, "publishing calls", "apiRequest", messages),
            Publish::Kinesis => {
                let units = (self.scenario.bytes / 25600.0).ceil();
                self.add(Messages, "puts", "kinesisPutUnit", messages * units);
            }
        }
    }

    fn history(&mut self) {
        if !self.scenario.history {
            return;
        }
        // The entry, and its place in the index by time.
        let units = ((self.scenario.bytes + ENTRY) / 1024.0).ceil() + 1.0;
        self.add(History, "entries", "dynamodbWrite", self.messages * units);
        let day = if self.scenario.days > 0.0 { self.messages / self.scenario.days } else { 0.0 };
        let stored = day * (self.scenario.bytes + STORED) / 1e9;
        self.add(History, "storage for a day (UserMessageTtl)", "dynamodbStorageGb", stored);
        self.add(History, "its point-in-time recovery", "dynamodbPitrGb", stored);
        if self.scenario.receipts {
            self.add(History, "marking read: calls", "apiRequest", self.receipts);
            self.add(History, "marking read: writes", "dynamodbWrite", self.messages * units);
        }
    }

    fn sessions(&mut self) {
        let Self { sessions, renewals, .. } = *self;
        self.add(Sessions, "creating and renewing: calls", "apiRequest", sessions + renewals);
        self.add(Sessions, "creating and renewing: writes", "dynamodbWrite", 3.0 * (sessions + renewals));
        self.add(Sessions, "creating and renewing: reads", "dynamodbRead", sessions + 2.0 * renewals);
        self.add(Sessions, "queues: create, tag, delete", "sqsRequest", 2.0 * sessions + renewals);
    }

    /// Invocations, with their duration and their logs.
    fn functions(&mut self) {
        let Self { sessions, renewals, receipts, batches, .. } = *self;
        let dispatches = batches + receipts;
        let (messages, kept) = (self.messages + receipts, if self.scenario.history { batches } else { 0.0 });
        let all = [
            (Messages, "event-dispatcher", dispatches, messages),
            (Messages, "sqs-sender", dispatches, messages),
            (History, "user-history-adder", kept, self.messages),
            (History, "messages-api", receipts, receipts),
            (Sessions, "session-manager", sessions + renewals, 0.0),
            (Sessions, "session-update-processor", sessions + renewals, 0.0),
        ];
        for (part, name, invocations, messages) in all.into_iter().filter(|all| all.2 > 0.0) {
            let function = self.prices.assumed.functions[name];
            let more = (messages - invocations).max(0.0);
            let seconds = (invocations * function.ms + more * function.more_ms) / 1000.0 * function.gb;
            let lines = function.log_bytes + self.prices.assumed.platform_log_bytes;
            let log = invocations * lines + more * function.more_log_bytes;
            self.add(part, name, "lambdaRequest", invocations);
            self.add(part, name, "lambdaGbSecond", seconds);
            self.add(part, name, "logsGb", log / 1e9);
        }
    }

    fn outbound(&mut self, requests: f64) {
        let of_messages = self.messages * outbound(self.scenario.bytes * 4.0 / 3.0, self.prices);
        let bytes = requests * self.prices.assumed.answer_bytes + of_messages;
        self.add(Pages, "data to browsers", "transferOutGb", bytes / 1e9);
    }

    fn fixed(&mut self) {
        let fixed = &self.prices.fixed;
        let shards = if self.scenario.publish == Publish::Kinesis {
            let a_second = self.scenario.users * self.scenario.messages / 60.0;
            let needed = (a_second / 1000.0).max(a_second * self.scenario.bytes / 1e6);
            fixed.shards.max(needed.ceil())
        } else {
            fixed.shards
        };
        let (alarms, dashboards, metrics) = (fixed.alarms, fixed.dashboards, fixed.metrics);
        self.add(Fixed, "shards of the stream", "kinesisShardHour", shards * MONTH);
        if fixed.retention_hours > DAY {
            self.add(Fixed, "what they keep beyond a day", "kinesisExtendedRetention", shards * MONTH);
        }
        self.add(Fixed, "alarms", "alarmMonth", alarms);
        self.add(Fixed, "dashboards", "dashboardMonth", dashboards);
        self.add(Fixed, "custom metrics", "metricMonth", metrics);
    }
}

/// Bytes that a message of so many bytes has on its way to a browser.
pub(crate) fn outbound(bytes: f64, prices: &Prices) -> f64 {
    bytes + prices.assumed.wrapping_bytes
}

/// The settings of the client, for comparison.
pub const CLIENTS: [Client; 3] = [Client::Default, Client::Slow, Client::Pause];

#[cfg(test)]
mod tests {
    use super::*;

    /// Units of a price for ten users who get a message a minute for an hour a day, for one day.
    fn units(change: Scenario, price: &str, part: Part) -> f64 {
        let scenario = Scenario { users: 10.0, hours: 0.5, days: 1.0, ..change };
        let lines = lines(&scenario, Prices::current());
        lines.iter().filter(|line| line.price == price && line.part == part).map(|line| line.units).sum()
    }

    #[test]
    fn units_of_300_messages_by_http() {
        let standard = Scenario::default();
        assert!((units(standard, "sqsRequest", Messages) - 300.0).abs() < 1e-9);
        assert!((units(standard, "apiRequest", Messages) - 300.0).abs() < 1e-9);
        assert!((units(standard, "dynamodbRead", Messages) - 150.0).abs() < 1e-9);
        // 1 KB and what identifies it are 2 units, and the index is one.
        assert!((units(standard, "dynamodbWrite", History) - 900.0).abs() < 1e-9);
        assert!((units(standard, "lambdaRequest", Messages) - 600.0).abs() < 1e-9);
        assert!((units(standard, "lambdaRequest", History) - 300.0).abs() < 1e-9);
        assert!((units(standard, "sqsRequest", Sessions) - 20.0).abs() < 1e-9);
        // 300 minutes of 3.53 polls and 0.95 deletions, and 1.5 polls for the beginning and end of each session.
        assert!((units(standard, "sqsRequest", Pages) - 1359.1).abs() < 0.1);
    }

    #[test]
    fn a_stream_that_keeps_a_week_costs_more_than_one_that_keeps_a_day() {
        let units_of = |retention_hours: f64| {
            let mut prices = Prices::current().clone();
            prices.fixed.retention_hours = retention_hours;
            let lines = lines(&Scenario::default(), &prices);
            lines.iter().find(|line| line.price == "kinesisExtendedRetention").map(|line| line.units)
        };
        assert_eq!((units_of(168.0), units_of(24.0)), (Some(MONTH), None));
    }

    #[test]
    fn what_is_off_is_not_billed() {
        let none = Scenario { history: false, publish: Publish::Kinesis, ..Scenario::default() };
        assert!(units(none, "dynamodbWrite", History) < 1e-9);
        assert!(units(none, "apiRequest", Messages) < 1e-9);
        assert!((units(none, "kinesisPutUnit", Messages) - 300.0).abs() < 1e-9);
        // Few messages come in the same second.
        let invocations = units(none, "lambdaRequest", Messages);
        assert!(invocations > 500.0 && invocations < 600.0, "{invocations}");
    }

    #[test]
    fn receipts_are_called_by_ten_and_come_to_the_page() {
        let marked = Scenario { receipts: true, ..Scenario::default() };
        assert!((units(marked, "apiRequest", History) - 30.0).abs() < 1e-9);
        assert!((units(marked, "dynamodbWrite", History) - 1800.0).abs() < 1e-9);
        assert!((units(marked, "sqsRequest", Messages) - 330.0).abs() < 1e-9);
        assert!(units(marked, "sqsRequest", Pages) > units(Scenario::default(), "sqsRequest", Pages));
    }
}
