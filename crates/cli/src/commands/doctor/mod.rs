//! `sbe doctor`: checks a system and says what is wrong and how to mend it.
//!
//! # Layout
//!
//! - [`check`], [`report`]: what a check finds, and what all of them add up to
//! - [`access`], [`stream`], [`tables`], [`functions`], [`aliases`], [`alarms`], [`dashboard`], [`queues`],
//!   [`identities`] (with [`policy`]): what can be seen by looking
//! - [`stack`]: what it was deployed with; [`api_stage`], [`kept`], [`capacity`], [`concurrency`], [`stack_policy`]: whether it
//!   is so
//! - [`trial`] (with [`inbox`]): sessions of the doctor's own; [`isolation`], [`round_trip`], [`lines`]: what is
//!   tried with them

use crate::{context::Context, failure::Failure};
use check::{Check, Finding, Found};
use clap::Args;
use futures::{FutureExt, StreamExt, future::BoxFuture};
use report::Report;
use sbe_client::{Api, System};
use stack::Stack;
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;
use trial::Trial;

mod access;
mod alarms;
mod aliases;
mod api_stage;
mod capacity;
mod check;
mod concurrency;
mod dashboard;
mod functions;
mod identities;
mod inbox;
mod isolation;
mod kept;
mod lines;
mod policy;
mod queues;
mod report;
mod round_trip;
mod stack;
mod stack_policy;
mod stream;
mod tables;
mod trial;

/// Options of `sbe doctor`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Let warnings fail too.
    #[arg(long)]
    strict: bool,

    /// Seconds that each check waits for what it expects, such as the arrival of a message.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=600))]
    timeout: u16,
}

const EXAMPLES: &str = "\
Nothing of others is touched: it tries the system with sessions, messages and a user of its own, and removes them.
A check that these keys may not make is skipped, and names the permission that it needs.

Examples:
  sbe doctor                                         the local system
  sbe doctor --env prod --region eu-west-1           a deployed one: go or no go
  sbe doctor --json --strict | jq '.checks[] | select(.outcome != \"passed\")'";

/// Checks at the same time: Cognito and IAM take few calls a second.
const AT_ONCE: usize = 8;
/// What a check may take beside waiting.
const SPARE: Duration = Duration::from_secs(30);
/// How long the removal may take after Ctrl-C.
const LAST_WORDS: Duration = Duration::from_millis(800);

/// The system under examination, and what it is tried with.
#[derive(Debug)]
pub(crate) struct Doctor {
    system: System,
    api: Api,
    timeout: Duration,
    trial: Trial,
    stack: OnceCell<Result<Stack, Finding>>,
}

/// A check that is not made yet.
type Pending<'a> = (&'static str, BoxFuture<'a, Found>);

/// Checks the system; a failure says how many checks failed.
pub async fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let doctor = Doctor {
        system: context.system.clone(),
        api: context.system.api(),
        timeout: Duration::from_secs(arguments.timeout.into()),
        trial: Trial::new(),
        stack: OnceCell::new(),
    };
    let mut report = Report::new(context.output, arguments.strict);
    let is_done = tokio::select! {
        () = doctor.examine(&mut report) => true,
        () = context.interrupt.comes() => false,
    };
    if is_done { report.end() } else { Err(doctor.interrupted(&report).await) }
}

impl Doctor {
    async fn examine(&self, report: &mut Report) {
        self.make(report, vec![("credentials", access::credentials(self).boxed())]).await;
        if !report.has_passed("credentials") {
            let steps = [self.access(), self.looks(), self.beginning()].into_iter().chain(self.trials());
            return skip(report, steps.flatten(), "these keys are refused");
        }
        self.make(report, self.access()).await;
        self.make(report, self.looks()).await;
        if report.has_passed("api") {
            self.make(report, self.beginning()).await;
        } else {
            skip(report, self.beginning(), "the API does not answer");
        }
        for step in self.trials() {
            self.make(report, step).await;
        }
    }

    fn access(&self) -> Vec<Pending<'_>> {
        vec![("release", async { Ok(access::release(self)) }.boxed()), ("api", access::api(self).boxed())]
    }

    /// What needs the API alone.
    fn beginning(&self) -> Vec<Pending<'_>> {
        vec![
            ("api-unsigned", access::refuses_unsigned(self).boxed()),
            ("api-wrong-secret", access::refuses_wrong_secret(self).boxed()),
            ("sessions", trial::create_all(self).boxed()),
        ]
    }

    /// What can be seen by looking.
    fn looks(&self) -> Vec<Pending<'_>> {
        vec![
            ("api-stage", api_stage::api_stage(self).boxed()),
            ("functions", functions::functions(self).boxed()),
            ("functions-release", functions::release(self).boxed()),
            ("functions-tracing", functions::tracing(self).boxed()),
            ("functions-live", aliases::live(self).boxed()),
            ("functions-given-up", aliases::given_up(self).boxed()),
            ("concurrency", concurrency::concurrency(self).boxed()),
            ("stream", stream::stream(self).boxed()),
            ("stream-mapping", stream::stream_mapping(self).boxed()),
            ("sessions-mapping", stream::sessions_mapping(self).boxed()),
            ("iterator-age", stream::iterator_age(self).boxed()),
            ("sessions-table", tables::sessions(self).boxed()),
            ("sessions-ttl", tables::sessions_ttl(self).boxed()),
            ("history-table", tables::history(self).boxed()),
            ("history-ttl", tables::history_ttl(self).boxed()),
            ("deletion-protection", kept::deletion(self).boxed()),
            ("recovery", kept::recovery(self).boxed()),
            ("table-capacity", capacity::capacity(self).boxed()),
            ("stack-policy", stack_policy::stack_policy(self).boxed()),
            ("rejected-queue", queues::rejected(self).boxed()),
            ("failed-queue", queues::failed(self).boxed()),
            ("queue-tags", queues::tags(self).boxed()),
            ("alarms", alarms::alarms(self).boxed()),
            ("alarm-actions", alarms::actions(self).boxed()),
            ("dashboard", dashboard::dashboard(self).boxed()),
            ("identity-pool", identities::pool(self).boxed()),
            ("identity-roles", identities::roles(self).boxed()),
            ("role-trust", identities::trust(self).boxed()),
            ("role-policy", identities::permissions(self).boxed()),
        ]
    }

    /// What is tried with sessions: a step needs what the steps before it did. Whatever lacks its session is
    /// skipped.
    fn trials(&self) -> [Vec<Pending<'_>>; 5] {
        [
            vec![("own-queue", isolation::own_queue(self).boxed())],
            vec![
                ("other-queue", isolation::other_queue(self).boxed()),
                ("may-not-send", isolation::send(self).boxed()),
                ("may-not-purge", isolation::purge(self).boxed()),
                ("may-not-list", isolation::list(self).boxed()),
                ("may-not-tag", isolation::tag(self).boxed()),
                ("round-trip-http", round_trip::http(self).boxed()),
                ("round-trip-kinesis", round_trip::kinesis(self).boxed()),
            ],
            vec![
                ("decryption", round_trip::decryption(self).boxed()),
                ("history", round_trip::history(self).boxed()),
                ("log-lines", lines::lines(self).boxed()),
                ("may-not-delete", isolation::delete(self).boxed()),
                ("shut-out", isolation::shut_out(self).boxed()),
            ],
            vec![("receipt", round_trip::receipt(self).boxed())],
            vec![("removal", trial::remove(self).boxed())],
        ]
    }

    /// Makes checks at the same time and tells them in their order.
    async fn make(&self, report: &mut Report, checks: Vec<Pending<'_>>) {
        let limit = self.timeout + SPARE;
        let timed = checks.into_iter().map(async |(name, check)| {
            let start = Instant::now();
            let finding = match tokio::time::timeout(limit, check).await {
                Ok(Ok(finding) | Err(finding)) => finding,
                Err(_) => Finding::failed(format!("no answer within {} s", limit.as_secs()), "try again"),
            };
            Check { name, finding, seconds: start.elapsed().as_secs_f64() }
        });
        let mut made = futures::stream::iter(timed).buffered(AT_ONCE);
        while let Some(check) = made.next().await {
            report.add(check);
        }
    }

    /// Removes what it can, and says what remains.
    async fn interrupted(&self, report: &Report) -> Failure {
        // What it could not remove in time is told.
        let _ = tokio::time::timeout(LAST_WORDS, trial::remove(self)).await;
        report.print_json();
        Failure::Interrupted(match self.trial.remains() {
            None => "interrupted; nothing that it made remains".to_owned(),
            Some(remains) => format!(
                "interrupted; it may have left {remains}; sbe destroy ACCOUNT SESSION ends a session, and without it all of them end by themselves"
            ),
        })
    }
}

fn skip<'a>(report: &mut Report, checks: impl IntoIterator<Item = Pending<'a>>, why: &str) {
    for (name, _) in checks {
        report.add(Check { name, finding: Finding::skipped(why), seconds: 0.0 });
    }
}
