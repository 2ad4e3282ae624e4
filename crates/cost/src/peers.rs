//! The units of services that keep a connection to each page, in the same scenario.
//!
//! None of them keeps what comes while a page is away, and none has a history: no line here stands for these.

use crate::{
    estimate::{
        Line,
        Part::{Messages, Pages},
    },
    own::outbound,
    prices::Prices,
    scenario::Scenario,
};

/// API Gateway ends a WebSocket after two hours,
const WEB_SOCKET_HOURS: f64 = 2.0;
/// and after ten minutes without a message, which a page's own message prevents.
const WEB_SOCKET_IDLE: f64 = 10.0;

type Unit = (&'static str, &'static str, f64);

/// API Gateway `WebSocket` APIs, with a table of connections, and functions that write it.
pub fn web_sockets(scenario: &Scenario, prices: &Prices) -> Vec<Line> {
    let messages = scenario.published();
    let connections = scenario.sessions() * (scenario.hours / WEB_SOCKET_HOURS).ceil();
    let pings = scenario.minutes() / WEB_SOCKET_IDLE * (1.0 - scenario.messages * WEB_SOCKET_IDLE).max(0.0);
    let units = [
        ("connection minutes", "webSocketMinute", scenario.minutes()),
        ("messages delivered", "webSocketMessage", messages * (scenario.bytes / 32768.0).ceil()),
        ("messages that keep idle connections", "webSocketMessage", pings),
        ("connecting and disconnecting: functions", "lambdaRequest", 2.0 * connections),
        ("connecting and disconnecting: writes", "dynamodbWrite", 2.0 * connections),
        ("lookups of connections", "dynamodbRead", messages / 2.0),
    ];
    lines(&units, scenario, prices)
}

/// `AppSync` Events.
pub fn app_sync_events(scenario: &Scenario, prices: &Prices) -> Vec<Line> {
    let operations = scenario.published() * (scenario.bytes / 5120.0).ceil();
    let units = [
        ("connection minutes", "appSyncMinute", scenario.minutes()),
        ("messages published", "appSyncOperation", operations),
        ("messages delivered", "appSyncOperation", operations),
        ("connecting and subscribing", "appSyncOperation", 2.0 * scenario.sessions()),
    ];
    lines(&units, scenario, prices)
}

/// `IoT` Core by MQTT over WebSocket.
pub fn iot_core(scenario: &Scenario, prices: &Prices) -> Vec<Line> {
    let messages = scenario.published() * (scenario.bytes / 5120.0).ceil();
    let units = [
        ("connection minutes", "iotMinute", scenario.minutes()),
        ("messages published", "iotMessage", messages),
        ("messages delivered", "iotMessage", messages),
    ];
    lines(&units, scenario, prices)
}

fn lines(units: &[Unit], scenario: &Scenario, prices: &Prices) -> Vec<Line> {
    let bytes = scenario.published() * outbound(scenario.bytes, prices);
    let data = ("data to browsers", "transferOutGb", bytes / 1e9);
    let line = |&(name, price, units): &Unit| {
        let part = if name == "connection minutes" { Pages } else { Messages };
        Line { part, name, price, units, dollars: prices.dollars(price, units) }
    };
    units.iter().chain([&data]).filter(|unit| unit.2 > 0.0).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Scenario = Scenario {
        users: 1e6,
        hours: 1.0,
        days: 1.0,
        messages: 0.0,
        hidden: 0.0,
        bytes: 6000.0,
        history: false,
        receipts: false,
        publish: crate::scenario::Publish::Http,
        client: crate::scenario::Client::Default,
    };

    fn dollars(lines: &[Line], price: &str) -> f64 {
        lines.iter().filter(|line| line.price == price).map(|line| line.dollars).sum()
    }

    #[test]
    fn sixty_million_idle_minutes() {
        let close = |lines: Vec<Line>, price, expected: f64| {
            assert!((dollars(&lines, price) - expected).abs() < 1e-9, "{price}: {lines:?}");
        };
        let prices = Prices::current();
        close(web_sockets(&HOUR, prices), "webSocketMinute", 15.0);
        close(web_sockets(&HOUR, prices), "webSocketMessage", 6.0);
        close(app_sync_events(&HOUR, prices), "appSyncMinute", 4.8);
        close(iot_core(&HOUR, prices), "iotMinute", 4.8);
    }

    #[test]
    fn messages_count_once_or_twice_and_by_their_size() {
        let busy = Scenario { messages: 1.0, ..HOUR };
        let prices = Prices::current();
        assert!((dollars(&web_sockets(&busy, prices), "webSocketMessage") - 60.0).abs() < 1e-9);
        assert!((dollars(&app_sync_events(&busy, prices), "appSyncOperation") - 242.0).abs() < 1e-9);
        assert!((dollars(&iot_core(&busy, prices), "iotMessage") - 240.0).abs() < 1e-9);
    }
}
