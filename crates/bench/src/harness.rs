//! Runs measurements beside a sink and collects what both say.
//!
//! A measurement and its sink are processes of their own: the CPU time of one is not that of the
//! other, and a peak of memory is the peak of one measurement.

use crate::{
    cold_start,
    conditions::Conditions,
    figures::{Fanout, Figures},
    measure::{Size, Subject, Used},
    report,
    sink::tally::Tally,
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
    /// What the process used.
    pub used: Used,
    /// What it asked of AWS.
    pub tally: Tally,
}

/// Takes all measurements, writes the report, and prints it.
pub fn run(extent: Extent) -> Result<()> {
    let figures = Figures { cold_starts: cold_start::measure_all()?, fanout: Fanout::measure(extent)? };
    let text = report::write(&figures, &env::current_dir()?.join("target/bench-report"))?;
    println!("{text}");
    Ok(())
}

/// Measures and prints one fan-out, and, if nothing fails, its floors.
pub fn run_one(size: Size, conditions: Conditions) -> Result<()> {
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

/// One measurement beside a sink of its own.
pub fn measure(subject: Subject, size: Size, conditions: Conditions) -> Result<Measured> {
    let name = subject.to_possible_value().context("every subject has a name")?.get_name().to_owned();
    eprintln!(
        "measuring {name}: {} sessions x {} messages x {} bytes",
        size.sessions, size.messages, size.bytes
    );
    let mut sink = Beside::start(&size, conditions)?;
    let output = Command::new(env::current_exe()?)
        .args(["measure", &name, "--sessions", &size.sessions.to_string()])
        .args(["--messages", &size.messages.to_string(), "--bytes", &size.bytes.to_string()])
        .envs(environment(&sink.endpoint))
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "measuring {name} failed");
    // The functions' metrics come before the measurement's own line.
    let output = String::from_utf8(output.stdout)?;
    let used = output.lines().last().context("nothing was measured")?;
    Ok(Measured { used: serde_json::from_str(used)?, tally: sink.finish()? })
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
pub fn environment(endpoint: &str) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_REGION", "eu-west-1".into()),
        ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE".into()),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
        ("AWS_SESSION_TOKEN", crate::population::text(900, 1)),
        ("ENV", "bench".into()),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench-sqs-browser-sqs-sender".into()),
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
}

impl Beside {
    fn start(size: &Size, conditions: Conditions) -> Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(["sink", "--sessions", &size.sessions.to_string()])
            .args(conditions.to_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut output = BufReader::new(child.stdout.take().context("the sink has no output")?);
        let mut endpoint = String::new();
        output.read_line(&mut endpoint)?;
        Ok(Self { child, endpoint: endpoint.trim().to_owned(), output })
    }

    fn finish(&mut self) -> Result<Tally> {
        drop(self.child.stdin.take());
        let mut text = String::new();
        self.output.read_to_string(&mut text)?;
        self.child.wait()?;
        Ok(serde_json::from_str(&text)?)
    }
}
