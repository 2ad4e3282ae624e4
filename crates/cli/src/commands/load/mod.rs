//! `sbe load`: loads the system, and checks exactly what every session receives.
//!
//! The scenario and its seed decide a plan: sessions, and a sequence of messages with their times and
//! targets. The publisher carries it out, pollers poll as the sessions, and the ledger compares what
//! came with what the plan says must come.
//!
//! # Layout
//!
//! - [`options`]: the flags; [`scenario`]: the TOML file, its defaults and limits
//! - [`population`]: sessions, users and accounts, and who must receive what
//! - [`plan`]: what is published when, and to whom
//! - [`ledger`]: lost, duplicate, misrouted, out of order
//! - [`run`](mod@run): the run's name and its ids; [`work`]: what the parts of a run share
//! - [`sessions`], [`publisher`], [`poller`], [`histories`]: the parts that call the system
//! - [`measures`], [`tally`], [`bill`]: latencies, calls and what they cost
//! - [`outcome`]: all of it as plain data; [`table`], [`page`], [`chart`]: for people

pub mod bill;
pub mod chart;
pub mod histories;
pub mod ledger;
pub mod measures;
pub mod options;
pub mod outcome;
pub mod page;
pub mod plan;
pub mod poller;
pub mod population;
pub mod publisher;
pub mod run;
pub mod scenario;
pub mod sessions;
pub mod table;
pub mod tally;
pub mod work;

use crate::{
    context::Context,
    failure::Failure,
    output::{print, report},
    progress::Progress,
};
use aws_sdk_sqs::types::QueueAttributeName;
use ledger::{Counts, Fate};
use options::LoadArgs;
use outcome::{Outcome, Parked};
use plan::Plan;
use sbe_client::System;
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, sleep};
use work::Work;

/// docs/PROTOCOL.md: "Other lookups may miss it for about a second."
const SETTLE: Duration = Duration::from_secs(2);

/// What came too often, or to the wrong session, may come after the last that had to come.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// Ctrl-C ends the command within a second.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// `--print-scenario`: the defaults, with comments.
pub fn print_scenario() -> Result<(), Failure> {
    print(scenario::DEFAULTS.trim_end());
    Ok(())
}

/// Runs a load test, or removes what one has left.
pub async fn run(args: &LoadArgs, context: &Context) -> Result<(), Failure> {
    if let Some(run) = &args.clean_up {
        return sessions::clean_up(run, context).await;
    }
    let given = scenario::read(args.scenario.as_deref(), args.over_scenario())?;
    let plan = Plan::new(&given.scenario);
    if !context.system.is_local() && !args.yes_broadcast {
        refuse_broadcasts(&plan, &context.system.env)?;
    }
    let work = Work::new(context.system.clone(), given, plan, args.strict);
    announce(&work);
    let performed = tokio::select! {
        performed = perform(&work) => performed,
        () = context.interrupt.comes() => return Err(interrupted(&work).await),
    };
    remove(&work, context).await;
    conclude(&work, &performed?, args.report.clone(), context)
}

/// On a deployed system a message to everyone reaches people.
fn refuse_broadcasts(plan: &Plan, env: &str) -> Result<(), Failure> {
    if !plan.has_broadcasts() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "messages to everyone would reach every session of environment {env}: leave them out with \
         --mix account=15,user=40,session=40, or give --yes-broadcast"
    )))
}

fn announce(work: &Work) {
    let (plan, population) = (&work.plan, &work.plan.population);
    report(format_args!(
        "run {}: {} sessions in {} accounts; {} messages, {} deliveries in {:.0} s",
        work.run,
        population.members.len(),
        population.accounts,
        plan.messages.len(),
        plan.deliveries,
        plan.duration().as_secs_f64(),
    ));
}

/// Everything from the first session to the last check.
async fn perform(work: &Arc<Work>) -> Result<Outcome, Failure> {
    sessions::check_free(work).await?;
    let sessions = sessions::create(work).await?;
    sleep(SETTLE).await;
    let before = parked(&work.system).await;
    let (start, started) = (Instant::now(), humantime::format_rfc3339_seconds(SystemTime::now()).to_string());
    let pollers = poller::start(work, &sessions, start);
    deliver(work, start).await;
    let check = &work.given.scenario.check;
    let histories = if check.histories { Some(histories::check(work).await?) } else { None };
    let receipts = if check.receipts > 0 { Some(histories::check_receipts(work).await?) } else { None };
    drop(pollers);
    let added = before.zip(parked(&work.system).await).map(|(before, after)| Parked {
        failed: after.failed - before.failed,
        rejected: after.rejected - before.rejected,
    });
    Ok(Outcome::new(work, started, (histories, receipts), added))
}

/// Publishes everything and waits for what must come.
async fn deliver(work: &Arc<Work>, start: Instant) {
    let progress = Progress::new("deliveries", work.plan.deliveries);
    let watch = async {
        loop {
            show(work, &progress);
            sleep(Duration::from_millis(200)).await;
        }
    };
    let deliver = async {
        publisher::publish(work, start).await;
        drain(work).await;
    };
    tokio::select! {
        () = deliver => {}
        () = watch => {}
    }
}

fn show(work: &Work, progress: &Progress) {
    let ledger = work.ledger();
    let (Counts { delivered, lost, misrouted, .. }, accepted) =
        (ledger.counts, ledger.messages(Fate::Accepted));
    drop(ledger);
    let messages = work.plan.messages.len();
    let note =
        format!("({accepted} of {messages} messages published, {lost} under way, {misrouted} misrouted)");
    progress.set(delivered, &note);
}

/// Waits until everything came, or nothing for as long as the scenario says.
async fn drain(work: &Work) {
    let (mut before, mut since) = (work.ledger().counts.delivered, Instant::now());
    while work.ledger().counts.lost > 0 && since.elapsed() < work.given.scenario.check.drain {
        sleep(Duration::from_millis(100)).await;
        let delivered = work.ledger().counts.delivered;
        if delivered != before {
            (before, since) = (delivered, Instant::now());
        }
    }
    sleep(AFTERWARDS).await;
}

/// How many messages wait in the queues of failed and rejected work, if they can be asked.
async fn parked(system: &System) -> Option<Parked> {
    let sqs = system.sqs();
    let waiting = async |url: &str| {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let reply =
            sqs.get_queue_attributes().queue_url(url).attribute_names(name.clone()).send().await.ok()?;
        reply.attributes?.get(&name)?.parse().ok()
    };
    Some(Parked {
        failed: waiting(&system.failed_queue_url).await?,
        rejected: waiting(&system.rejected_queue_url).await?,
    })
}

/// Removes the sessions; says what remains.
async fn remove(work: &Work, context: &Context) {
    let removed = sessions::destroy(work, context.interrupt.comes()).await;
    let made = work.tally.created.get();
    if removed < made {
        report(format_args!("{}", remains(work, removed, made)));
    }
}

fn remains(work: &Work, removed: u64, made: u64) -> String {
    format!(
        "{removed} of {made} sessions are removed; the others end by themselves within their time to live, \
         or now: sbe load --clean-up {}",
        work.run
    )
}

/// After Ctrl-C: removes as many sessions as a moment allows, and says what was done and what was not.
async fn interrupted(work: &Work) -> Failure {
    let published = work.ledger().messages(Fate::Accepted);
    let removed = sessions::destroy(work, sleep(LAST_MOMENT)).await;
    let (messages, made) = (work.plan.messages.len(), work.tally.created.get());
    Failure::Interrupted(format!(
        "stopped: {published} of {messages} messages are published; {}",
        remains(work, removed, made)
    ))
}

/// Prints the outcome, writes the report, and fails where something is wrong.
fn conclude(work: &Work, outcome: &Outcome, file: Option<PathBuf>, context: &Context) -> Result<(), Failure> {
    let json = serde_json::to_value(outcome).expect("an outcome is plain data");
    context.output.result(&json, |_| table::text(outcome));
    let file = file.unwrap_or_else(|| format!("sbe-load-{}.html", work.run).into());
    let page = page::html(outcome, &work.given.text, &work.measures());
    std::fs::write(&file, page).map_err(|error| {
        Failure::Usage(format!("the report cannot be written to {}: {error}", file.display()))
    })?;
    report(format_args!("report: {}", file.display()));
    if outcome.faults.is_empty() {
        return Ok(());
    }
    Err(Failure::Found(outcome.faults.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plan_with_messages_to_everyone_is_refused() {
        let plan = |mix: &str| Plan::new(&scenario::read(None, mix.parse().unwrap()).unwrap().scenario);
        let refused = refuse_broadcasts(&plan(""), "prod").unwrap_err();
        assert_eq!(refused.exit_code(), 2);
        assert!(refused.to_string().contains("prod") && refused.to_string().contains("--yes-broadcast"));
        assert!(refuse_broadcasts(&plan("[mix]\nbroadcast = 0"), "prod").is_ok());
    }
}
