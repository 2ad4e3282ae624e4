//! The stream, and what reads it and the changes of the sessions.

use super::{
    Doctor,
    check::{Finding, Found, answer, answer_if_any},
};
use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{Dimension, Statistic},
};
use aws_sdk_kinesis::types::StreamStatus;
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use std::time::{Duration, SystemTime};

/// Records older than this are not being kept up with.
const BEHIND: f64 = 60.0;
const WINDOW: Duration = Duration::from_mins(10);
const READERS: [&str; 2] = ["event-dispatcher", "session-update-processor"];

/// The stream is there and takes records.
pub(super) async fn stream(doctor: &Doctor) -> Found {
    let name = &doctor.system.stream;
    let reply = doctor.system.kinesis().describe_stream_summary().stream_name(name).send().await;
    let Some(reply) = answer_if_any("kinesis:DescribeStreamSummary", reply)? else {
        return Err(Finding::failed(format!("there is no stream {name}"), "deploy the template again"));
    };
    let summary =
        reply.stream_description_summary.ok_or_else(|| Finding::skipped("Kinesis says nothing of it"))?;
    let status = summary.stream_status;
    if !matches!(status, StreamStatus::Active | StreamStatus::Updating) {
        return Err(Finding::failed(
            format!("stream {name} is {status}"),
            "wait until it is active, or deploy again",
        ));
    }
    Ok(Finding::passed(format!("{name} is {status}, {} shards", summary.open_shard_count)))
}

/// The dispatcher reads the stream.
pub(super) async fn stream_mapping(doctor: &Doctor) -> Found {
    mapping(doctor, READERS[0], &format!("stream/{}", doctor.system.stream)).await
}

/// The processor reads the changes of the sessions.
pub(super) async fn sessions_mapping(doctor: &Doctor) -> Found {
    mapping(doctor, READERS[1], &format!("table/{}/stream/", doctor.system.session_table)).await
}

async fn mapping(doctor: &Doctor, function: &str, source: &str) -> Found {
    let (name, live) = (doctor.system.function(function), doctor.system.live(function));
    let list = doctor.system.lambda().list_event_source_mappings().function_name(&live).send().await;
    let list = answer_if_any("lambda:ListEventSourceMappings", list)?;
    let mappings = list.and_then(|list| list.event_source_mappings).unwrap_or_default();
    let of_source = |mapping: &EventSourceMappingConfiguration| {
        mapping.event_source_arn().is_some_and(|arn| arn.contains(source))
            && mapping.function_arn().is_some_and(|arn| arn.ends_with(&live))
    };
    let mapping = mappings.into_iter().find(of_source);
    Ok(judge_mapping(&name, mapping.as_ref().map(Mapping::from).as_ref()))
}

/// What counts of an event source mapping.
struct Mapping<'a> {
    id: &'a str,
    state: &'a str,
    last_result: &'a str,
    has_destination: bool,
    /// Whether it reads by enhanced fan-out.
    fans_out: bool,
}

impl<'a> From<&'a EventSourceMappingConfiguration> for Mapping<'a> {
    fn from(mapping: &'a EventSourceMappingConfiguration) -> Self {
        let on_failure = mapping.destination_config().and_then(|config| config.on_failure());
        Self {
            id: mapping.uuid().unwrap_or_default(),
            state: mapping.state().unwrap_or_default(),
            last_result: mapping.last_processing_result().unwrap_or_default(),
            has_destination: on_failure.is_some_and(|to| to.destination().is_some()),
            fans_out: mapping.event_source_arn().is_some_and(|arn| arn.contains("/consumer/")),
        }
    }
}

fn judge_mapping(function: &str, mapping: Option<&Mapping<'_>>) -> Finding {
    let Some(mapping) = mapping else {
        let detail = format!("nothing hands the records to {function}: it has no event source mapping");
        return Finding::failed(detail, "deploy the template again");
    };
    let Mapping { id, state, last_result, has_destination, fans_out } = mapping;
    let enable = format!("aws lambda update-event-source-mapping --uuid {id} --enabled");
    match *state {
        "Enabled" => {}
        "Creating" | "Enabling" | "Updating" => {
            return Finding::warning(format!("the mapping to {function} is {state}"), "wait, and look again");
        }
        _ => return Finding::failed(format!("the mapping to {function} is {state}"), enable),
    }
    if last_result.contains("PROBLEM") || last_result.to_uppercase().contains("FAILED") {
        let remedy = format!("look at the logs of {function}, and at the failed queue (sbe failed list)");
        return Finding::failed(format!("the mapping to {function} says {last_result}"), remedy);
    }
    if !has_destination {
        let detail = format!("the mapping to {function} has no destination for records that are given up");
        return Finding::failed(detail, "deploy the template again: they go to the failed queue");
    }
    let how = if *fans_out { "enabled, by enhanced fan-out" } else { "enabled" };
    Finding::passed(format!("the mapping to {function} is {how}: {last_result}"))
}

/// Both keep up with what comes.
pub(super) async fn iterator_age(doctor: &Doctor) -> Found {
    let mut ages = Vec::new();
    for reader in READERS {
        ages.push((reader, age(doctor, &doctor.system.function(reader)).await?));
    }
    Ok(judge_ages(&ages))
}

/// The age in seconds of the oldest record that a function was handed in the last ten minutes.
async fn age(doctor: &Doctor, function: &str) -> Result<Option<f64>, Finding> {
    let now = SystemTime::now();
    let dimension = Dimension::builder().name("FunctionName").value(function).build();
    let statistics = doctor.system.cloudwatch().get_metric_statistics();
    let statistics = statistics
        .namespace("AWS/Lambda")
        .metric_name("IteratorAge")
        .dimensions(dimension)
        .start_time(DateTime::from(now - WINDOW))
        .end_time(DateTime::from(now))
        .period(60)
        .statistics(Statistic::Maximum);
    let points =
        answer("cloudwatch:GetMetricStatistics", statistics.send().await)?.datapoints.unwrap_or_default();
    // What was behind ten minutes ago may have caught up: the last minute counts.
    let last = points.iter().max_by_key(|point| point.timestamp().map(DateTime::secs));
    Ok(last.and_then(|point| point.maximum).map(|milliseconds| milliseconds / 1000.0))
}

fn judge_ages(ages: &[(&str, Option<f64>)]) -> Finding {
    let told = |(reader, age): &(&str, Option<f64>)| match age {
        Some(age) => format!("{reader} is handed records {age:.1} s old"),
        None => format!("{reader} was handed nothing in ten minutes that is measured"),
    };
    let behind = |(_, age): &&(&str, Option<f64>)| age.is_some_and(|age| age > BEHIND);
    let late: Vec<String> = ages.iter().filter(behind).map(told).collect();
    let remedy = "look at the function's logs for errors; if there are none, raise ShardCount";
    Finding::of_faults(&late, ages.iter().map(told).collect::<Vec<_>>().join(", "), remedy)
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};

    fn mapping(state: &'static str, last_result: &'static str) -> Mapping<'static> {
        Mapping { id: "7", state, last_result, has_destination: true, fans_out: false }
    }

    #[test]
    fn a_mapping_is_enabled_and_its_last_records_went_through() {
        let judged = |state, result| judge_mapping("f", Some(&mapping(state, result)));
        assert_eq!(judged("Enabled", "OK").outcome, Outcome::Passed);
        assert_eq!(judged("Enabled", "PROBLEM: Function call failed").outcome, Outcome::Failed);
        assert_eq!(judged("Enabling", "").outcome, Outcome::Warning);
        assert!(judged("Disabled", "OK").remedy.unwrap().contains("--uuid 7 --enabled"));
        assert_eq!(judge_mapping("f", None).outcome, Outcome::Failed);
        let lossy = Mapping { has_destination: false, ..mapping("Enabled", "OK") };
        assert_eq!(judge_mapping("f", Some(&lossy)).outcome, Outcome::Failed);
        let alone = Mapping { fans_out: true, ..mapping("Enabled", "OK") };
        assert!(judge_mapping("f", Some(&alone)).detail.contains("by enhanced fan-out"));
    }

    #[test]
    fn a_minute_is_behind() {
        assert_eq!(judge_ages(&[("a", Some(3.0)), ("b", None)]).outcome, Outcome::Passed);
        let late = judge_ages(&[("a", Some(61.0)), ("b", None)]);
        assert_eq!((late.outcome, late.detail.as_str()), (Outcome::Failed, "a is handed records 61.0 s old"));
    }
}
