//! Whether both tables are kept, or go with the stack, as it was told to.

use super::{
    Doctor,
    check::{Finding, Found, answer_if_any},
    stack::{Stack, stack},
    tables::described,
};
use aws_sdk_dynamodb::types::PointInTimeRecoveryStatus;

/// Something that keeps a table's data.
struct Guard {
    /// What is said of a table that has it, and of one that has not.
    has: &'static str,
    lacks: &'static str,
    /// Why it should not be there where data are not kept.
    hinders: &'static str,
    /// The command that switches it on or off.
    command: fn(&str, bool) -> String,
}

const DELETION: Guard = Guard {
    has: "cannot be deleted",
    lacks: "can be deleted",
    hinders: "the stack cannot be deleted",
    command: |table, on| {
        let no = if on { "" } else { "no-" };
        format!("aws dynamodb update-table --table-name {table} --{no}deletion-protection-enabled")
    },
};
const RECOVERY: Guard = Guard {
    has: "can be restored to any second of the last 35 days",
    lacks: "cannot be restored",
    hinders: "which is billed",
    command: |table, on| {
        format!(
            "aws dynamodb update-continuous-backups --table-name {table} \
             --point-in-time-recovery-specification PointInTimeRecoveryEnabled={on}"
        )
    },
};

/// A table, and whether it has the guard; `None` where the table is not there.
type Seen<'a> = (&'a str, Option<bool>);

/// The tables cannot be deleted, if the stack keeps them.
pub(super) async fn deletion(doctor: &Doctor) -> Found {
    let stack = stack(doctor).await?;
    let mut seen = Vec::new();
    for table in tables(doctor) {
        let found = described(doctor, table).await?;
        seen.push((table, found.map(|table| table.deletion_protection_enabled == Some(true))));
    }
    judge(&DELETION, stack, &seen)
}

/// The tables can be restored to a point in time, if the stack keeps them.
pub(super) async fn recovery(doctor: &Doctor) -> Found {
    let stack = stack(doctor).await?;
    let mut seen = Vec::new();
    for table in tables(doctor) {
        let reply = doctor.system.dynamodb().describe_continuous_backups().table_name(table).send().await;
        let found = answer_if_any("dynamodb:DescribeContinuousBackups", reply)?;
        seen.push((table, found.map(|reply| is_on(reply.continuous_backups_description.as_ref()))));
    }
    judge(&RECOVERY, stack, &seen)
}

fn tables(doctor: &Doctor) -> [&str; 2] {
    [&doctor.system.session_table, &doctor.system.history_table]
}

fn is_on(description: Option<&aws_sdk_dynamodb::types::ContinuousBackupsDescription>) -> bool {
    let recovery = description.and_then(|of| of.point_in_time_recovery_description());
    recovery.and_then(|of| of.point_in_time_recovery_status()) == Some(&PointInTimeRecoveryStatus::Enabled)
}

fn judge(guard: &Guard, stack: &Stack, seen: &[Seen<'_>]) -> Found {
    let (keeps, why) = (stack.keeps_data()?, stack.why());
    let there: Vec<(&str, bool)> = seen.iter().filter_map(|(table, has)| Some((*table, (*has)?))).collect();
    if there.is_empty() {
        return Ok(Finding::skipped("there are no tables"));
    }
    let others: Vec<&str> = there.iter().filter(|(_, has)| *has != keeps).map(|(table, _)| *table).collect();
    let names = |tables: &[&str]| tables.join(" and ");
    if others.is_empty() {
        let all: Vec<&str> = there.iter().map(|(table, _)| *table).collect();
        let says = if keeps { guard.has } else { guard.lacks };
        return Ok(Finding::passed(format!("{} {says}, by {why}", names(&all))));
    }
    let remedies: Vec<String> = others.iter().map(|table| (guard.command)(table, keeps)).collect();
    let (others, remedy) = (names(&others), remedies.join("; "));
    Ok(if keeps {
        Finding::failed(format!("{others} {}, against {why}", guard.lacks), remedy)
    } else {
        Finding::warning(format!("{others} {} ({}), against {why}", guard.has, guard.hinders), remedy)
    })
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};

    fn judged(keep: &str, seen: &[Seen<'_>]) -> Finding {
        judge(&DELETION, &Stack::with(&[("KeepData", keep), ("Env", "prod")]), seen).unwrap()
    }

    #[test]
    fn a_table_that_should_be_kept_and_is_not_fails() {
        assert_eq!(judged("auto", &[("s", Some(true)), ("m", Some(true))]).outcome, Outcome::Passed);
        let finding = judged("auto", &[("s", Some(true)), ("m", Some(false))]);
        assert_eq!(finding.outcome, Outcome::Failed);
        assert_eq!(finding.detail, "m can be deleted, against KeepData=auto and Env=prod");
        let command = "aws dynamodb update-table --table-name m --deletion-protection-enabled";
        assert_eq!(finding.remedy.as_deref(), Some(command));
    }

    #[test]
    fn a_table_that_is_kept_and_should_not_be_is_a_warning() {
        assert_eq!(judged("never", &[("s", Some(false)), ("m", Some(false))]).outcome, Outcome::Passed);
        let finding = judged("never", &[("s", Some(true)), ("m", Some(true))]);
        assert_eq!(finding.outcome, Outcome::Warning);
        assert!(finding.remedy.unwrap().contains("--table-name s --no-deletion-protection-enabled; "));
    }

    #[test]
    fn a_table_that_is_gone_is_told_elsewhere() {
        assert_eq!(judged("auto", &[("s", None), ("m", Some(true))]).outcome, Outcome::Passed);
        assert_eq!(judged("auto", &[("s", None), ("m", None)]).outcome, Outcome::Skipped);
    }
}
