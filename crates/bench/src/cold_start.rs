//! Time to the first request, and size, of the functions' binaries.
//!
//! A function is ready when it asks the Runtime API for its first event. The Runtime API here is a
//! socket: it notes when the request arrives and never answers.

use crate::harness::environment;
use anyhow::{Context, Result, ensure};
use flate2::{Compression, write::DeflateEncoder};
use sbe_client::FUNCTIONS;
use std::{
    env,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Starts of each function, of which the median counts.
const STARTS: usize = 21;

/// What is measured of a function.
#[derive(Debug, Clone)]
pub struct ColdStart {
    /// The name of its binary.
    pub function: &'static str,
    /// From the start of the process to its first request: the median.
    pub median: Duration,
    /// Bytes of the binary in a zip file, as Lambda is given it.
    pub zipped_bytes: usize,
}

/// Builds the functions in the release profile and measures them.
pub fn measure_all() -> Result<Vec<ColdStart>> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--quiet"]);
    cargo.args(FUNCTIONS.iter().flat_map(|name| ["--package", name]));
    ensure!(cargo.status()?.success(), "the functions do not build");
    let directory = env::current_exe()?.parent().context("a binary is in a directory")?.to_owned();
    FUNCTIONS.iter().map(|name| measure(name, &directory.join(name))).collect()
}

fn measure(function: &'static str, binary: &Path) -> Result<ColdStart> {
    eprintln!("starting {function} {STARTS} times");
    let mut times = (0..STARTS).map(|_| start(binary)).collect::<Result<Vec<_>>>()?;
    times.sort_unstable();
    Ok(ColdStart { function, median: times[STARTS / 2], zipped_bytes: zipped(&binary.to_path_buf())? })
}

/// Starts a function, waits for its request for an event, and ends it.
fn start(binary: &Path) -> Result<Duration> {
    let runtime_api = TcpListener::bind("127.0.0.1:0")?;
    let address = runtime_api.local_addr()?.to_string();
    let mut command = Command::new(binary);
    command
        .env_clear()
        .envs(environment("http://127.0.0.1:9", "bench"))
        .env("AWS_LAMBDA_RUNTIME_API", address);
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let (mut connection, _) = runtime_api.accept()?;
    let mut request = [0; 64];
    let read = connection.read(&mut request)?;
    let time = began.elapsed();
    child.kill()?;
    child.wait()?;
    ensure!(
        request[..read].starts_with(b"GET /2018-06-01/runtime/invocation/next"),
        "not a request for an event"
    );
    Ok(time)
}

/// The size of a zip file with the binary in it.
fn zipped(binary: &PathBuf) -> Result<usize> {
    /// The headers of a zip file with one short name.
    const HEADERS: usize = 150;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&std::fs::read(binary)?)?;
    Ok(encoder.finish()?.len() + HEADERS)
}
