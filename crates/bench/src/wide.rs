//! Broadcasts and messages to an account of many sessions, carried to their end by all invocations.

use crate::{
    conditions::Conditions,
    events::Audience,
    figures::{Figure, Scaled, float, grouped},
    harness::{Extent, Measured, least, measure, measure_first, run_environments},
    measure::{Size, Subject},
    model::{Cost, Times, World, added_by_units, predict},
    sink::Latency,
    usage::share_of_cpu,
};
use anyhow::{Context as _, Result, ensure};
use std::{fmt::Write as _, thread, time::Duration};

/// Answers of AWS take so long.
const LATENCY: Latency = Latency {
    page: Duration::from_millis(50),
    invoke: Duration::from_millis(40),
    send: Duration::from_millis(20),
};

/// Environments of the run that the model is checked against: so few senders that this machine's CPUs
/// do not decide.
const DISPATCHERS: usize = 5;
const SENDERS: usize = 3;

/// A young on-demand table has so many read units a second.
const YOUNG_TABLE: f64 = 12_000.0;

/// Messages to a user each that are mixed with a broadcast.
const SINGLES: usize = 99;

/// Runs of which the least counts.
const REPEATS: usize = 3;

/// What was measured of wide audiences.
#[derive(Debug)]
pub struct Wide {
    /// Sessions of the large audiences.
    pub sessions: usize,
    /// The dispatcher, one message to everyone.
    pub everyone: Measured,
    /// The dispatcher, one message to an account that has all sessions.
    pub account: Measured,
    /// What the model knows.
    pub cost: Cost,
    /// A run of dispatchers and senders, and what the model says of it.
    pub run: (Measured, Times),
    /// The part of a CPU that a process was given beside other work while it ran.
    pub share: f64,
    /// Seconds until the messages to single users are handed on: alone, and beside a broadcast.
    pub singles: [f64; 2],
}

impl Wide {
    /// Takes the measurements that those by size do not hold.
    pub fn measure(extent: Extent, scaling: &[Scaled]) -> Result<Self> {
        let (check, largest) = (scaling.get(1), scaling.last());
        let (check, largest) = check.zip(largest).context("there are several sizes")?;
        let size = Size { sessions: largest.sessions, messages: 1, bytes: 1000 };
        let one_account = Conditions { accounts: 1, audience: Audience::Account, ..Conditions::with_users() };
        let cost = cost(check.sessions, &check.dispatcher, &check.sender);
        let (run, share) = run(check.sessions)?;
        let cores = float(thread::available_parallelism()?.get()) * share;
        let here =
            World { dispatcher_cpu: share, sender_cpu: share, senders: SENDERS, cores, ..World::LAMBDA };
        let repeats = if extent == Extent::Full { REPEATS } else { 1 };
        let wide = Self {
            sessions: size.sessions,
            everyone: largest.dispatcher.clone(),
            account: least(1, || measure(Subject::Dispatcher, size, one_account))?,
            cost,
            share,
            run: (run, predict(check.sessions, &here, &cost)),
            singles: singles(2 * repeats)?,
        };
        for measured in [&wide.everyone, &wide.account] {
            let handed = measured.reached.handed;
            ensure!(handed.once == size.sessions, "not everyone was reached once: {handed:?}");
        }
        Ok(wide)
    }

    /// Figures with targets.
    pub fn figures(&self) -> Vec<Figure> {
        let (everyone, run, predicted) = (&self.everyone, &self.run.0.reached, &self.run.1);
        let sessions = float(self.sessions);
        let of = |name: &str| format!("{name}, {} sessions", grouped(self.sessions));
        let handed = everyone.reached.handed;
        let mistakes = handed.never + handed.more;
        let lambda = |sessions| predict(sessions, &World::LAMBDA, &self.cost).sent;
        let ratio = |name: &str, measured: f64, predicted: f64| {
            Figure::between(format!("model, measured / predicted, {name}"), measured / predicted, 0.75, 1.25)
        };
        vec![
            Figure::new(of("broadcast, not reached exactly once"), float(mistakes), 0.0, ""),
            Figure::new(of("broadcast, read units"), units(everyone), sessions * 0.045, ""),
            Figure::new(of("broadcast, peak of any dispatcher"), everyone.used.peak_mib, 64.0, "MiB"),
            Figure::new(of("broadcast, CPU a session"), everyone.used.cpu * 1e6 / sessions, 3.5, "us"),
            Figure::new("last send, modelled, 1,000,000 sessions", lambda(1_000_000), 5.0, "s"),
            Figure::new("last send, modelled, 10,000,000 sessions", lambda(10_000_000), 30.0, "s"),
            ratio("last payload", run.last_handed, predicted.handed),
            ratio("last send", run.last_sent, predicted.sent),
            Figure::new(
                "99 messages beside a broadcast / alone",
                self.singles[1] / self.singles[0],
                1.2,
                "x",
            ),
        ]
    }

    /// What stands behind the figures.
    pub fn text(&self) -> Result<String> {
        let mut text =
            format!("\nOne message of 1 KB to {} sessions, all invocations\n", grouped(self.sessions));
        writeln!(
            text,
            "{:<12} {:>9} {:>12} {:>8} {:>9} {:>11} {:>9} {:>8}",
            "", "once", "never/more", "units", "CPU us", "invocations", "peak MiB", "deepest"
        )?;
        for (name, measured) in [("everyone", &self.everyone), ("one account", &self.account)] {
            let (handed, used) = (measured.reached.handed, measured.used);
            writeln!(
                text,
                "{name:<12} {:>9} {:>12} {:>8.0} {:>9.2} {:>11} {:>9.1} {:>8}",
                handed.once,
                handed.never + handed.more,
                units(measured),
                used.cpu * 1e6 / float(self.sessions),
                used.invocations,
                used.peak_mib,
                measured.reached.deepest
            )?;
        }
        self.model_text(&mut text)?;
        let [alone, beside] = self.singles;
        writeln!(
            text,
            "\n{SINGLES} messages to a user each, all handed on: {alone:.3} s alone, {beside:.3} s beside a broadcast"
        )?;
        Ok(text)
    }

    fn model_text(&self, text: &mut String) -> Result<()> {
        writeln!(text, "\nModel of a broadcast, seconds: DynamoDB 50 ms, Invoke 40 ms, SQS 20 ms")?;
        writeln!(
            text,
            "{:>12} {:>14} {:>10} {:>24}",
            "sessions", "last payload", "last send", "a young table adds"
        )?;
        for sessions in [100_000, 1_000_000, 10_000_000] {
            let Times { handed, sent } = predict(sessions, &World::LAMBDA, &self.cost);
            let added = added_by_units(sessions, YOUNG_TABLE, &World::LAMBDA, &self.cost);
            writeln!(text, "{:>12} {handed:>14.2} {sent:>10.2} {added:>24.2}", grouped(sessions))?;
        }
        let (run, predicted) = &self.run;
        let sent = run.reached.sent;
        writeln!(
            text,
            "A run of {} sessions by {DISPATCHERS} dispatchers and {SENDERS} senders on this machine: last payload \
             {:.2} s (model {:.2}), last send {:.2} s (model {:.2}); sent once {}, never {}, more often {}; CPU of \
             functions {:.2} s, of the sink {:.2} s; a process was given {:.2} CPUs beside other work",
            grouped(sent.never + sent.once + sent.more),
            run.reached.last_handed,
            predicted.handed,
            run.reached.last_sent,
            predicted.sent,
            sent.once,
            sent.never,
            sent.more,
            run.used.cpu,
            run.sink_cpu,
            self.share
        )?;
        Ok(())
    }
}

/// Read units of lookups.
fn units(measured: &Measured) -> f64 {
    measured.tally.of("Scan").units + measured.tally.of("Query").units
}

/// What the model needs to know, from the measurements of one audience.
fn cost(sessions: usize, dispatcher: &Measured, sender: &Measured) -> Cost {
    let each = |total: f64| total / float(sessions);
    let whole = |number: f64| format!("{number:.0}").parse().unwrap_or(1);
    // Most pages are full ones: 128 units are 1 MB.
    let page = 128.0 / each(units(dispatcher));
    let payloads = dispatcher.tally.of("Invoke bench-sqs-browser-sqs-sender").units;
    Cost {
        dispatcher: each(dispatcher.used.cpu),
        sender: each(sender.used.cpu),
        aws: each(dispatcher.sink_cpu + sender.sink_cpu),
        page: whole(page),
        payload: whole(float(sessions) / payloads),
        units: each(units(dispatcher)),
    }
}

/// The run whose last send was the earliest, with the earliest last payload of all runs, and the part of a
/// CPU that a process was given meanwhile.
fn run(sessions: usize) -> Result<(Measured, f64)> {
    let size = Size { sessions, messages: 1, bytes: 1000 };
    let conditions = Conditions { latency: LATENCY, ..Conditions::with_users() };
    let mut runs = Vec::new();
    for _ in 0..REPEATS {
        let before = share_of_cpu()?;
        let run = run_environments(size, conditions, DISPATCHERS, SENDERS)?;
        ensure!(run.reached.sent.once == sessions, "not everyone was sent to once: {:?}", run.reached.sent);
        runs.push((run, before.midpoint(share_of_cpu()?)));
    }
    let handed = runs.iter().map(|(run, _)| run.reached.last_handed).fold(f64::INFINITY, f64::min);
    runs.sort_by(|(one, _), (other, _)| one.reached.last_sent.total_cmp(&other.reached.last_sent));
    let (mut earliest, share) = runs.swap_remove(0);
    earliest.reached.last_handed = handed;
    Ok((earliest, share))
}

/// The least seconds of several batches, in a table of a million sessions, with and without a broadcast, which take turns.
fn singles(times: usize) -> Result<[f64; 2]> {
    let batches = [(Audience::Users, SINGLES), (Audience::EveryoneAndUsers, SINGLES + 1)];
    let mut least = [f64::INFINITY; 2];
    for _ in 0..times {
        for (least, (audience, messages)) in least.iter_mut().zip(batches) {
            let conditions = Conditions { latency: LATENCY, audience, ..Conditions::with_users() };
            let batch = measure_first(
                Subject::Dispatcher,
                Size { sessions: 1_000_000, messages, bytes: 1000 },
                conditions,
            )?;
            ensure!(batch.reached.last_single > 0.0, "no message to a user was handed on");
            *least = least.min(batch.reached.last_single);
        }
    }
    Ok(least)
}
