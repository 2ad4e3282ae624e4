//! The requests of a browser: polls and deletions by the minute.
//!
//! A poll waits for 20 seconds, or until a message comes. With messages at random times, `rate` a minute, a poll takes
//! `(1 - e^(-rate/3)) / rate` minutes on average: 3 polls a minute with no messages, 3.5 with one.

use crate::scenario::{Client, Scenario};

/// Minutes that a poll waits.
const WAIT: f64 = 20.0 / 60.0;
/// Messages in one answer or one deletion, at most.
const BATCH: f64 = 10.0;
/// Minutes that the client keeps a handled message, for others to be deleted with it: three seconds, since it takes
/// messages for four, and by economy ten minutes.
const DELETE_DELAY: f64 = 3.0 / 60.0;
const ECONOMY_DELETE_DELAY: f64 = 10.0;

/// Requests of one page in a minute, shown and hidden as the scenario has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Requests {
    /// `ReceiveMessage`.
    pub polls: f64,
    /// `DeleteMessageBatch`.
    pub deletes: f64,
}

/// The requests of one page in a minute, when so many messages come in a minute.
pub fn requests(scenario: &Scenario, rate: f64) -> Requests {
    let shown = polls(rate);
    let hidden = match scenario.client {
        Client::Default => shown,
        Client::Slow => (rate / BATCH).max(1.0),
        // What has come meanwhile is fetched when the page is shown.
        Client::Pause => rate / BATCH,
    };
    let delay = if scenario.client == Client::Default { DELETE_DELAY } else { ECONOMY_DELETE_DELAY };
    let polls = shown * (1.0 - scenario.hidden) + hidden * scenario.hidden;
    Requests { polls, deletes: deletes(rate, delay) }
}

fn polls(rate: f64) -> f64 {
    if rate > 0.0 { rate / (1.0 - (-rate * WAIT).exp()) } else { 1.0 / WAIT }
}

/// A deletion waits for others from its first message on: those of `delay` minutes go with it, up to ten.
fn deletes(rate: f64, delay: f64) -> f64 {
    (rate / (1.0 + rate * delay)).max(rate / BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_minute(client: Client, hidden: f64, rate: f64) -> String {
        let Requests { polls, deletes } = requests(&Scenario { hidden, client, ..Scenario::default() }, rate);
        format!("{polls:.2} {deletes:.2}")
    }

    #[test]
    fn polls_and_deletions_by_setting() {
        assert_eq!(a_minute(Client::Default, 0.0, 0.0), "3.00 0.00");
        assert_eq!(a_minute(Client::Default, 0.5, 1.0), "3.53 0.95");
        assert_eq!(a_minute(Client::Slow, 0.0, 1.0), "3.53 0.10");
        assert_eq!(a_minute(Client::Slow, 1.0, 1.0), "1.00 0.10");
        assert_eq!(a_minute(Client::Pause, 1.0, 0.0), "0.00 0.00");
        assert_eq!(a_minute(Client::Pause, 1.0, 1.0), "0.10 0.10");
    }

    #[test]
    fn many_messages_share_deletions_by_ten() {
        assert_eq!(a_minute(Client::Default, 0.0, 600.0), "600.00 60.00");
    }
}
