//! The alarms, and whether they tell somebody.

use super::{
    Doctor,
    check::{Finding, Found, answer},
};
use aws_sdk_cloudwatch::types::{MetricAlarm, StateValue};
use std::collections::BTreeSet;

const ALARMS: [&str; 17] = [
    "rejected",
    "failed",
    "slo-fast",
    "slo-slow",
    "stream-age",
    "sessions-age",
    "errors",
    "throttles",
    "duration",
    "lost",
    "table-throttles",
    "table-errors",
    "api-errors",
    "api-latency",
    "cognito",
    "handed-back",
    "not-done",
];
/// There where releases are shifted.
const OF_SHIFTS: [&str; 2] = ["release", "release-work"];

/// The environment whose failures nobody has to be told of, as its data need not be kept.
const FOR_TRIALS: &str = "dev";

/// They are there, and do not sound.
pub(super) async fn alarms(doctor: &Doctor) -> Found {
    Ok(judge(&read(doctor).await?))
}

/// They tell somebody.
pub(super) async fn actions(doctor: &Doctor) -> Found {
    let is_for_work = !doctor.system.is_local() && doctor.system.env != FOR_TRIALS;
    Ok(judge_actions(&read(doctor).await?, is_for_work))
}

/// What counts of an alarm.
#[derive(Debug)]
struct Alarm {
    name: String,
    is_there: bool,
    sounds: bool,
    tells: bool,
}

async fn read(doctor: &Doctor) -> Result<Vec<Alarm>, Finding> {
    let full = |name| format!("{}-sqs-browser-{name}", doctor.system.env);
    let names: Vec<String> = ALARMS.into_iter().chain(OF_SHIFTS).map(full).collect();
    let describe = doctor.system.cloudwatch().describe_alarms().set_alarm_names(Some(names.clone()));
    let found = answer("cloudwatch:DescribeAlarms", describe.send().await)?.metric_alarms.unwrap_or_default();
    Ok(due(names.into_iter().map(|name| alarm(name, &found)).collect()))
}

/// Without those of shifts, if none of them is there.
fn due(mut alarms: Vec<Alarm>) -> Vec<Alarm> {
    let of_shifts = alarms.split_off(ALARMS.len());
    if of_shifts.iter().any(|alarm| alarm.is_there) {
        alarms.extend(of_shifts);
    }
    alarms
}

fn alarm(name: String, found: &[MetricAlarm]) -> Alarm {
    let alarm = found.iter().find(|alarm| alarm.alarm_name() == Some(&name));
    Alarm {
        is_there: alarm.is_some(),
        sounds: alarm.is_some_and(|alarm| alarm.state_value() == Some(&StateValue::Alarm)),
        tells: alarm
            .is_some_and(|alarm| alarm.actions_enabled() == Some(true) && !alarm.alarm_actions().is_empty()),
        name,
    }
}

fn judge(alarms: &[Alarm]) -> Finding {
    let missing: Vec<String> = alarms
        .iter()
        .filter(|alarm| !alarm.is_there)
        .map(|alarm| format!("there is no alarm {}", alarm.name))
        .collect();
    if !missing.is_empty() {
        return Finding::failed(missing.join("; "), "deploy the template again");
    }
    let names =
        |alarms: Vec<&Alarm>| alarms.iter().map(|alarm| alarm.name.as_str()).collect::<Vec<_>>().join(", ");
    let sounding: Vec<&Alarm> = alarms.iter().filter(|alarm| alarm.sounds).collect();
    if !sounding.is_empty() {
        let remedies = sounding.iter().map(|alarm| remedy(&alarm.name)).collect::<BTreeSet<_>>();
        let remedies = remedies.into_iter().collect::<Vec<_>>().join("; ");
        return Finding::warning(format!("{} sounds", names(sounding)), remedies);
    }
    Finding::passed(names(alarms.iter().collect()))
}

/// What shows why an alarm sounds.
fn remedy(name: &str) -> &'static str {
    match name.rsplit_once("-sqs-browser-") {
        Some((_, "rejected")) => "sbe rejected list --summary",
        Some((_, "failed")) => "sbe failed list --summary",
        _ => "the section Watch of docs/OPERATIONS.md says what each alarm asks for",
    }
}

/// Where users are served, alarms that all tell nobody are no alarms. A single one may have been silenced for a while.
fn judge_actions(alarms: &[Alarm], is_for_work: bool) -> Finding {
    const REMEDY: &str = "give them enabled actions: put AlarmTopicArn or AlarmEmail into parameter_overrides of \
                          samconfig.toml, and make deploy";
    let there: Vec<&Alarm> = alarms.iter().filter(|alarm| alarm.is_there).collect();
    let silent: Vec<&str> =
        there.iter().filter(|alarm| !alarm.tells).map(|alarm| alarm.name.as_str()).collect();
    match (there.len(), silent.len()) {
        (0, _) => Finding::skipped("there are no alarms"),
        (_, 0) => Finding::passed("every alarm has an action; whether somebody reads it is not looked at"),
        (all, silent) if all == silent && is_for_work => {
            Finding::failed("nobody is told when an alarm sounds, whichever it is", REMEDY)
        }
        _ => Finding::warning(format!("nobody is told when {} sounds", silent.join(", ")), REMEDY),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};

    fn alarm(name: &str, sounds: bool, tells: bool) -> Alarm {
        Alarm { name: name.into(), is_there: true, sounds, tells }
    }

    #[test]
    fn an_alarm_that_tells_nobody_is_a_warning() {
        for is_for_work in [false, true] {
            let judged = |alarms: &[Alarm]| judge_actions(alarms, is_for_work);
            let finding = judged(&[alarm("a", false, true), alarm("b", false, false)]);
            assert_eq!(
                (finding.outcome, finding.detail.as_str()),
                (Outcome::Warning, "nobody is told when b sounds")
            );
            assert_eq!(judged(&[alarm("a", false, true)]).outcome, Outcome::Passed);
        }
    }

    #[test]
    fn alarms_that_all_tell_nobody_fail_where_users_are_served() {
        let silent = [alarm("a", false, false), alarm("b", false, false)];
        let outcome = |is_for_work| judge_actions(&silent, is_for_work).outcome;
        assert_eq!([outcome(false), outcome(true)], [Outcome::Warning, Outcome::Failed]);
        assert_eq!(judge_actions(&[], true).outcome, Outcome::Skipped, "what is not there is told elsewhere");
    }

    #[test]
    fn an_alarm_that_is_gone_is_a_failure_and_one_that_sounds_a_warning() {
        assert_eq!(judge(&[alarm("a", false, false)]).outcome, Outcome::Passed);
        assert_eq!(judge(&[alarm("a", true, false)]).outcome, Outcome::Warning);
        let gone = Alarm { is_there: false, ..alarm("a", false, false) };
        assert_eq!(judge(&[gone]).outcome, Outcome::Failed);
    }

    #[test]
    fn the_alarms_of_shifts_are_there_together_or_not_at_all() {
        let there = |of_shifts: &[bool]| {
            let of_shifts = OF_SHIFTS.into_iter().zip(of_shifts).map(|(name, is_there)| (name, *is_there));
            let named = ALARMS.into_iter().map(|name| (name, true)).chain(of_shifts);
            let alarms = named.map(|(name, is_there)| Alarm { is_there, ..alarm(name, false, false) });
            judge(&due(alarms.collect())).outcome
        };
        assert_eq!(there(&[false, false]), Outcome::Passed, "releases are not shifted");
        assert_eq!(there(&[true, true]), Outcome::Passed);
        assert_eq!(there(&[true, false]), Outcome::Failed);
    }

    #[test]
    fn each_alarm_that_sounds_says_what_to_do() {
        let remedy =
            |name: &str| judge(&[alarm(&format!("dev-sqs-browser-{name}"), true, true)]).remedy.unwrap();
        assert_eq!(remedy("rejected"), "sbe rejected list --summary");
        assert_eq!(remedy("failed"), "sbe failed list --summary");
        let watch = include_str!("../../../../../docs/OPERATIONS.md").split("\n## Watch\n").nth(1).unwrap();
        for name in ALARMS.into_iter().chain(OF_SHIFTS) {
            assert!(watch.contains(&format!("\n| `{name}` | ")), "Watch has no row of {name}");
        }
        assert!(remedy("stream-age").contains("Watch"));
    }
}
