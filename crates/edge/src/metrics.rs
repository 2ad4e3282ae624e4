//! Counts as CloudWatch metrics, by lines in the embedded metric format.
//!
//! A line of it is a log entry from which CloudWatch takes metrics without any call: one namespace,
//! with the environment and the function as dimensions.

use sbe_aws::{config::Config, time};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

const NAMESPACE: &str = "sqs-browser-events";

/// A metric has at most so many values in a line; more go into further lines.
const MAX_VALUES: usize = 100;

/// Set by a function that has started: libraries under test or measurement print nothing.
static ON: AtomicBool = AtomicBool::new(false);

/// From now on metrics are written.
pub(crate) fn switch_on() {
    ON.store(true, Ordering::Relaxed);
}

/// Writes the counts of one invocation. Names are in Pascal case, as CloudWatch's own are.
pub fn record(config: &Config, counts: &[(&str, u64)]) {
    let metrics: Vec<Metric<'_>> =
        counts.iter().map(|(name, count)| (*name, "Count", json!(count))).collect();
    write(config, &metrics);
}

/// Writes measured times, in milliseconds, of which CloudWatch makes percentiles.
pub fn record_millis(config: &Config, name: &str, values: &[i64]) {
    for values in values.chunks(MAX_VALUES) {
        write(config, &[(name, "Milliseconds", json!(values))]);
    }
}

/// Its name, its unit and its value or values.
type Metric<'a> = (&'a str, &'static str, Value);

fn write(config: &Config, metrics: &[Metric<'_>]) {
    if ON.load(Ordering::Relaxed) {
        println!("{}", line(config, time::now().0 / 1000, metrics));
    }
}

fn line(config: &Config, millis: i64, metrics: &[Metric<'_>]) -> String {
    let mut line: Map<String, Value> =
        metrics.iter().map(|(name, _, value)| ((*name).into(), value.clone())).collect();
    let metrics: Vec<Value> =
        metrics.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    line.insert("Environment".into(), json!(config.env));
    line.insert("Function".into(), json!(config.function_name));
    let directive =
        json!({"Namespace": NAMESPACE, "Dimensions": [["Environment", "Function"]], "Metrics": metrics});
    line.insert("_aws".into(), json!({"Timestamp": millis, "CloudWatchMetrics": [directive]}));
    Value::Object(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_embedded_metric_format() {
        let config = Config::read(|name| (name == "ENV").then(|| "prod".into())).unwrap();
        let line: Value = serde_json::from_str(&line(&config, 5, &[("Sent", "Count", json!(7))])).unwrap();
        assert_eq!((&line["Sent"], &line["Environment"]), (&json!(7), &json!("prod")));
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Metrics"], json!([{"Name": "Sent", "Unit": "Count"}]));
        for dimension in directive["Dimensions"][0].as_array().unwrap() {
            assert!(line[dimension.as_str().unwrap()].is_string(), "{dimension} has a value");
        }
    }
}
