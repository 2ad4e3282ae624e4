//! Runs measurements beside a sink and collects what both say.
//!
//! A measurement and its sink are processes of their own: the CPU time of one is not that of the
//! other, and a peak of memory is the peak of one measurement.

use crate::{
    cold_start,
    conditions::Conditions,
    figures::{Fanout, Figures, scaling},
    logs::Logs,
    measure::{Size, Subject, Used},
    report,
    sink::{Account, reached::Reached, tally::Tally},
    wide::Wide,
};
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use std::{
    env,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

/// How much to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it: some minutes.
    Full,
    /// Without the measurements of a million sessions.
    Quick,
}

/// A measurement, and what its sink counted.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// What the process used, or all processes together.
    pub used: Used,
    /// What it asked of AWS.
    pub tally: Tally,
    /// Who was reached.
    pub reached: Reached,
    /// CPU seconds of the sink itself.
    pub sink_cpu: f64,
}

/// Takes all measurements, writes the report, and prints it.
pub fn run(extent: Extent) -> Result<()> {
    let (cold_starts, fanout) = (cold_start::measure_all()?, Fanout::measure(extent)?);
    let wide = Wide::measure(extent, &fanout.scaling)?;
    let figures = Figures { cold_starts, fanout, wide, logs: Logs::measure()? };
    let text = report::write(&figures, &env::current_dir()?.join("target/bench-report"))?;
    println!("{text}");
    Ok(())
}

/// Takes and prints the measurements of wide audiences alone.
pub fn run_wide(extent: Extent) -> Result<()> {
    let wide = Wide::measure(extent, &scaling(extent)?)?;
    print!("{}{}", report::table(&wide.figures())?, wide.text()?);
    Ok(())
}

/// Takes and prints the measurements of what the log costs alone.
pub fn run_logs() -> Result<()> {
    print!("{}", report::table(&Logs::measure()?.figures())?);
    Ok(())
}

/// Measures and prints one fan-out, and, if nothing fails, its floors.
pub fn run_one(size: Size, conditions: Conditions) -> Result<()> {
    let conditions = Conditions { takers: 0, ..conditions };
    let mut subjects = vec![Subject::Dispatcher, Subject::Sender];
    if conditions.fault.is_none() {
        subjects.extend([Subject::SdkFloor, Subject::HttpFloor]);
    }
    for subject in subjects {
        let measured = measure(subject, size, conditions)?;
        print!("{}", report::calls(&format!("{subject:?}"), &measured)?);
    }
    Ok(())
}

/// One measurement beside a sink of its own. Of the dispatcher every invocation is measured, each in a
/// process of its own: what is handed on is carried out as well.
pub fn measure(subject: Subject, size: Size, conditions: Conditions) -> Result<Measured> {
    eprintln!("measuring {subject:?}: {size}");
    let sink = Beside::start(&size, conditions)?;
    let mut used = sink.run(subject, &size)?.used()?;
    let mut is_over = subject != Subject::Dispatcher;
    while !is_over {
        let next = sink.run(subject, &size)?.used()?;
        is_over = next.invocations == 0;
        used.and(&next);
    }
    sink.finish(used)
}

/// The same, but of the dispatcher only the first invocation.
pub fn measure_first(subject: Subject, size: Size, conditions: Conditions) -> Result<Measured> {
    eprintln!("measuring the first {subject:?}: {size}");
    let sink = Beside::start(&size, conditions)?;
    let used = sink.run(subject, &size)?.used()?;
    sink.finish(used)
}

/// A fan-out by environments that take events as they come: so many of the dispatcher, and of the sender.
pub fn run_environments(
    size: Size,
    conditions: Conditions,
    dispatchers: usize,
    senders: usize,
) -> Result<Measured> {
    eprintln!("running {dispatchers} dispatchers and {senders} senders: {size}");
    let sink = Beside::start(&size, Conditions { takers: dispatchers + senders, ..conditions })?;
    let subjects = std::iter::repeat_n(Subject::DispatcherEnvironment, dispatchers)
        .chain(std::iter::repeat_n(Subject::SenderEnvironment, senders));
    let running = subjects.map(|subject| sink.run(subject, &size)).collect::<Result<Vec<_>>>()?;
    let mut used = Used::default();
    for process in running {
        used.and(&process.used()?);
    }
    sink.finish(used)
}

/// A measurement that runs.
struct Running(Child);

impl Running {
    /// Waits for its end.
    fn used(self) -> Result<Used> {
        let output = self.0.wait_with_output()?;
        ensure!(output.status.success(), "a measurement failed");
        // The functions' logs come before the measurement's own line.
        let output = String::from_utf8(output.stdout)?;
        Ok(serde_json::from_str(output.lines().last().context("nothing was measured")?)?)
    }
}

/// The measurement with the least CPU time of several: other work on the machine only adds to it.
pub fn least(times: usize, measure: impl Fn() -> Result<Measured>) -> Result<Measured> {
    let [least] = least_of_each(times, [()], |()| measure())?;
    Ok(least)
}

/// The same for several subjects that are compared: they take turns, so that a slow while of the
/// machine meets all of them.
pub fn least_of_each<S: Copy, const N: usize>(
    times: usize,
    subjects: [S; N],
    measure: impl Fn(S) -> Result<Measured>,
) -> Result<[Measured; N]> {
    let mut least: [Option<Measured>; N] = [const { None }; N];
    for _ in 0..times {
        for (least, subject) in least.iter_mut().zip(subjects) {
            let measured = measure(subject)?;
            if least.as_ref().is_none_or(|known| measured.used.cpu < known.used.cpu) {
                *least = Some(measured);
            }
        }
    }
    Ok(least.map(|least| least.expect("it was measured at least once")))
}

/// The environment of a function, with keys as long as real ones.
pub fn environment(endpoint: &str, function: &str) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_REGION", "eu-west-1".into()),
        ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE".into()),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
        ("AWS_SESSION_TOKEN", crate::population::text(900, 1)),
        ("ENV", "bench".into()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".into()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1".into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "bench".into()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".into()),
        ("IDENTITY_POOL_ID", "eu-west-1:00000000-0000-0000-0000-000000000000".into()),
    ]
}

/// A sink in another process. It ends when its standard input does.
struct Beside {
    child: Child,
    endpoint: String,
    output: BufReader<std::process::ChildStdout>,
    without_stages: bool,
}

impl Beside {
    fn start(size: &Size, conditions: Conditions) -> Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .arg("sink")
            .args(size.to_args())
            .args(conditions.to_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut output = BufReader::new(child.stdout.take().context("the sink has no output")?);
        let mut endpoint = String::new();
        output.read_line(&mut endpoint)?;
        let endpoint = endpoint.trim().to_owned();
        Ok(Self { child, endpoint, output, without_stages: conditions.without_stages })
    }

    /// Starts a measurement against it.
    fn run(&self, subject: Subject, size: &Size) -> Result<Running> {
        let name = subject.to_possible_value().context("every subject has a name")?;
        let child = Command::new(env::current_exe()?)
            .args(["measure", name.get_name()])
            .args(size.to_args())
            .envs(environment(&self.endpoint, subject.function()))
            .env("RUST_LOG", if self.without_stages { "warn" } else { "info" })
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        Ok(Running(child))
    }

    fn finish(mut self, used: Used) -> Result<Measured> {
        drop(self.child.stdin.take());
        let mut text = String::new();
        self.output.read_to_string(&mut text)?;
        self.child.wait()?;
        let Account { tally, reached, cpu } = serde_json::from_str(&text)?;
        Ok(Measured { used, tally, reached, sink_cpu: cpu })
    }
}
