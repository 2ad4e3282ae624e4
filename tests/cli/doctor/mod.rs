//! `sbe doctor` on systems of its own, which these tests damage and mend.

mod access;
mod aliases;
mod faults;
mod identities;
mod patient;
mod rights;
mod settings;
mod trial;

use patient::{Patient, patient};
use sbe_tests::system::start;

/// What the template's alarms lack: nobody is told, and a deployment should see to it.
const WARNED: [&str; 1] = ["alarm-actions"];

#[tokio::test]
async fn a_healthy_system_is_a_go_with_developer_identities() {
    let patient = patient().await;
    let seen = patient.examine(&[]).await;
    assert_eq!((seen.code, seen.named("failed"), seen.named("skipped")), (Some(0), vec![], vec![]));
    assert_eq!(seen.named("warning"), WARNED);
    assert!(seen.detail("identity-pool").contains("developer"), "{seen:?}");
    assert!(seen.detail("shut-out").contains("s after /create"), "it says how long it took: {seen:?}");
    assert_eq!(patient.examine(&["--strict"]).await.code, Some(1), "a warning fails what is strict");
}

#[tokio::test]
async fn a_healthy_system_is_a_go_with_guests_and_a_lost_function_is_told() {
    let patient = Patient::new(start("doctor-guest", "guest"));
    let seen = patient.examine(&[]).await;
    assert_eq!((seen.code, seen.named("failed"), seen.named("skipped")), (Some(0), vec![], vec![]));
    assert!(seen.detail("identity-pool").contains("guest"), "{seen:?}");

    let lost = patient.system.function("messages-api");
    patient.system.lambda().delete_function().function_name(lost).send().await.expect("it can be deleted");
    let seen = patient.examine(&[]).await;
    seen.fails(&["functions", "functions-live", "history"]);
    assert!(seen.detail("functions").contains("messages-api"), "{seen:?}");
}

/// People read lines, each with a mark; a remedy stands below its fault.
#[tokio::test]
async fn people_read_a_line_for_each_check_and_a_verdict() {
    let patient = patient().await;
    let run = patient.run(&["doctor"]).await.success();
    let marks = run.lines().filter(|line| line.starts_with('✓')).count();
    assert!(
        marks > 30 && run.contains("! alarm-actions") && run.contains("→ give them enabled actions"),
        "{run}"
    );
    assert!(run.lines().last().is_some_and(|line| line.starts_with("go: ")), "{run}");
}
