//! Each metric that an alarm or the dashboard names is written by a function, or is one of AWS's own.

use aws_sdk_cloudwatch::types::{Metric, MetricAlarm};
use sbe_tests::{
    Backend,
    backend::{invoke, logs, system},
    eventually,
    system::root,
    unique,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OWN: &str = "sqs-browser-events";

/// A metric with the names and values of its dimensions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    namespace: String,
    name: String,
    dimensions: Vec<(String, String)>,
}

/// Of a table without its global indexes, and of each of these.
const UNITS_AND_THROTTLES: [&str; 4] =
    ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"];

/// Namespace, names and dimensions, as AWS documents them.
const OF_AWS: [(&str, &[&str], &[&str]); 8] = [
    ("AWS/SQS", &["ApproximateNumberOfMessagesVisible"], &["QueueName"]),
    (
        "AWS/Lambda",
        &[
            "AsyncEventsDropped",
            "DestinationDeliveryFailures",
            "Duration",
            "Errors",
            "Invocations",
            "IteratorAge",
            "Throttles",
        ],
        &["FunctionName"],
    ),
    ("AWS/DynamoDB", &UNITS_AND_THROTTLES, &["TableName"]),
    ("AWS/DynamoDB", &UNITS_AND_THROTTLES, &["GlobalSecondaryIndexName", "TableName"]),
    ("AWS/DynamoDB", &["SystemErrors"], &["Operation", "TableName"]),
    ("AWS/Kinesis", &["IncomingBytes", "IncomingRecords"], &["StreamName"]),
    ("AWS/Logs", &["IncomingBytes"], &["LogGroupName"]),
    ("AWS/ApiGateway", &["4XXError", "5XXError", "Count", "Latency"], &["ApiName", "Stage"]),
];

/// Own metrics that are written only where these functions park something, which no flow makes them do. That their
/// sources count it is looked at by tests/deployment/alarms.test.mjs.
const WITH_FAULTS: [(&str, &str); 2] = [("Parked", "session-manager"), ("Parked", "messages-api")];

impl Named {
    fn new(namespace: &str, name: &str, dimensions: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut dimensions: Vec<_> = dimensions.into_iter().collect();
        dimensions.sort();
        Self { namespace: namespace.into(), name: name.into(), dimensions }
    }

    fn of_alarm(metric: &Metric) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let dimensions = metric.dimensions().iter().map(|of| (text(of.name()), text(of.value())));
        Self::new(&text(metric.namespace()), &text(metric.metric_name()), dimensions)
    }

    /// `["AWS/Lambda", "Errors", "FunctionName", "f", {…}]`
    fn of_widget(metric: &Value) -> Option<Self> {
        let texts: Vec<&str> = metric.as_array()?.iter().filter_map(Value::as_str).collect();
        let [namespace, name, dimensions @ ..] = &texts[..] else { return None };
        let pairs = dimensions.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
        Some(Self::new(namespace, name, pairs))
    }

    fn comes_with_faults(&self) -> bool {
        let function = self.dimensions.iter().find(|(name, _)| name == "Function");
        function.is_some_and(|(_, of)| {
            WITH_FAULTS.iter().any(|(name, function)| *name == self.name && of.ends_with(function))
        })
    }

    fn is_of_aws(&self) -> bool {
        let dimensions: Vec<&str> = self.dimensions.iter().map(|(name, _)| name.as_str()).collect();
        OF_AWS.iter().any(|(namespace, names, of)| {
            *namespace == self.namespace && names.contains(&self.name.as_str()) && *of == dimensions
        })
    }
}

fn of_alarm(alarm: &MetricAlarm) -> Named {
    let dimensions = Some(alarm.dimensions().to_vec());
    let metric = Metric::builder().set_namespace(alarm.namespace.clone());
    Named::of_alarm(&metric.set_metric_name(alarm.metric_name.clone()).set_dimensions(dimensions).build())
}

/// The metrics of alarms by metric math, which the local system does not know, from the template's text:
/// `Metric: { Namespace: N, MetricName: M, Dimensions: [{ Name: D, Value: !Ref R }] }`
fn of_template(env: &str) -> Vec<Named> {
    let template = std::fs::read_to_string(root().join("template.yaml")).expect("it is there");
    let template = template.replace(r#"!Sub "${Env}-sqs-browser""#, &format!("{env}-sqs-browser"));
    let field = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("{name}: "))?;
        Some(rest.split([',', ' ']).next()?.to_owned())
    };
    let value =
        |of: &str| match of.split_once("!Ref ").map(|(_, name)| name.split(' ').next().unwrap_or_default()) {
            Some("Env") => env.to_owned(),
            Some(name) => format!("{env}-sqs-browser{}", kebab(name)),
            None => field(of, "Value").unwrap_or_default(),
        };
    let of_line = |line: &str| {
        let (_, metric) = line.split_once("Metric: { ")?;
        let (head, dimensions) = metric.split_once("Dimensions: ")?;
        let dimensions =
            dimensions.split('{').skip(1).map(|of| (field(of, "Name").expect("a name"), value(of)));
        Some(Named::new(&field(head, "Namespace")?, &field(head, "MetricName")?, dimensions))
    };
    template.lines().filter_map(of_line).collect()
}

/// `SqsSender` as `-sqs-sender`
fn kebab(name: &str) -> String {
    let letter = |letter: char| {
        if letter.is_uppercase() { format!("-{}", letter.to_lowercase()) } else { letter.to_string() }
    };
    name.chars().map(letter).collect()
}

/// What the alarms and the dashboard name.
async fn named(env: &str) -> BTreeSet<Named> {
    let cloudwatch = system().cloudwatch();
    let prefix = format!("{env}-sqs-browser-");
    let alarms = cloudwatch.describe_alarms().alarm_name_prefix(prefix).send().await.expect("alarms");
    let dashboard = cloudwatch.get_dashboard().dashboard_name(format!("{env}-sqs-browser")).send().await;
    let body = dashboard.expect("a dashboard").dashboard_body.expect("its body");
    let body: Value = serde_json::from_str(&body).expect("the dashboard is JSON");
    let widgets = body["widgets"].as_array().expect("widgets");
    let of_widgets = widgets.iter().flat_map(|of| of["properties"]["metrics"].as_array().expect("metrics"));
    let of_alarms = alarms.metric_alarms().iter().map(of_alarm);
    of_alarms.chain(of_template(env)).chain(of_widgets.filter_map(Named::of_widget)).collect()
}

/// What functions have written, from their lines in the embedded metric format.
async fn written() -> BTreeSet<Named> {
    let lines = logs().await;
    let lines = lines.iter().filter_map(|(_, line)| serde_json::from_str::<Value>(line.trim()).ok());
    let of_line = |line: Value| {
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().cloned().unwrap_or_default();
        let of_directive = |of: &Value| {
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            let of_one = |name: &Value| (text(name), text(&line[text(name)]));
            let dimensions: Vec<_> =
                of["Dimensions"][0].as_array().expect("dimensions").iter().map(of_one).collect();
            let metrics = of["Metrics"].as_array().expect("metrics").iter();
            metrics
                .map(|metric| Named::new(&text(&of["Namespace"]), &text(&metric["Name"]), dimensions.clone()))
                .collect::<Vec<_>>()
        };
        directives.iter().flat_map(of_directive).collect::<Vec<_>>()
    };
    lines.flat_map(of_line).collect()
}

#[tokio::test]
async fn what_alarms_and_dashboard_name_is_written() {
    let backend = Backend::new();
    let named = named(&backend.stack.env).await;
    let (own, others): (Vec<_>, Vec<_>) = named.into_iter().partition(|of| of.namespace == OWN);
    let (rare, own): (Vec<_>, Vec<_>) = own.into_iter().partition(Named::comes_with_faults);
    assert_eq!(rare.len(), WITH_FAULTS.len(), "{rare:?}");
    let unknown: Vec<_> = others.iter().filter(|of| !of.is_of_aws()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");

    // Everything that writes metrics has something to do.
    let (account, user) = (unique(), unique());
    let browser = backend.create(account, "s", Some(user)).await;
    let published = backend.post("/notify", json!({"userId": user, "text": "x"})).await.success();
    browser.message(&published["messageId"]).await;
    backend.post(&format!("/messages/set-read/user/{user}"), json!([published["messageId"]])).await.success();
    backend.post(&format!("/destroy/{account}/s"), "").await.success();
    invoke("session-manager", json!({"version": 1, "action": "cleanup"})).await;
    eventually("every own metric in a log", || async {
        let written = written().await;
        let missing: Vec<_> = own.iter().filter(|of| !written.contains(of)).collect();
        if !missing.is_empty() {
            eprintln!("not yet: {missing:?}");
        }
        missing.is_empty().then_some(())
    })
    .await;
    assert!(own.len() >= 15, "only {own:?}");
}

#[tokio::test]
async fn operations_says_what_to_do_about_each_alarm() {
    let operations = std::fs::read_to_string(root().join("docs/OPERATIONS.md")).expect("it is there");
    let env = &Backend::new().stack.env;
    let prefix = format!("{env}-sqs-browser-");
    let alarms =
        system().cloudwatch().describe_alarms().alarm_name_prefix(&prefix).send().await.expect("alarms");
    let names: Vec<&str> =
        alarms.metric_alarms().iter().filter_map(|of| of.alarm_name()?.strip_prefix(&prefix)).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(operations.contains(&format!("| `{name}` |")), "{name} has a row in the table of alarms");
    }
}
