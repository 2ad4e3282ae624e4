//! One measurement in a process of its own.
//!
//! CPU time and peak memory are those of the process, so nothing but the code measured runs in it:
//! the sink is another process.
//!
//! # Layout
//!
//! - [`functions`]: the real sender and history adder, given payload after payload
//! - [`environment`]: an environment of a function that takes events from the sink
//! - [`floors`]: the same calls to SQS without the function around them
//! - [`history`]: the ways to write a history that were not chosen

pub mod environment;
pub mod floors;
pub mod functions;
pub mod history;

use crate::usage::{Mark, peak_kib};
use anyhow::Result;
use clap::{Args, ValueEnum};
use sbe_aws::{clients::Clients, config::Config};
use serde::{Deserialize, Serialize};
use std::{
    fmt::{Display, Formatter},
    time::Duration,
};
use tracing_subscriber::{
    Layer as _, filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// The sender: payloads of a broadcast.
    Sender,
    /// What the sender does with payloads apart from calling SQS.
    PayloadWork,
    /// The sender's calls, built before, through the SDK with the sender's settings.
    SdkFloor,
    /// The sender's calls, built before, through an HTTP client with SigV4.
    HttpFloor,
    /// The dispatcher: the next event that the sink hands out.
    Dispatcher,
    /// The dispatcher: events as the sink hands them out.
    DispatcherEnvironment,
    /// The sender: events as the sink hands them out.
    SenderEnvironment,
    /// The history adder: an entry for each session and message.
    HistoryAdder,
    /// The same entries by `BatchWriteItem`, which cannot tell a replay.
    HistoryBatch,
    /// The same entries by `BatchWriteItem` after a `BatchGetItem` of their keys.
    HistoryCheckedBatch,
}

/// The dispatcher's name.
pub const DISPATCHER: &str = "bench-sqs-browser-event-dispatcher";
/// The sender's name.
pub const SENDER: &str = "bench-sqs-browser-sqs-sender";

impl Subject {
    /// The name of the function that is measured: it invokes itself by it.
    pub fn function(self) -> &'static str {
        match self {
            Self::Dispatcher | Self::DispatcherEnvironment => DISPATCHER,
            _ => SENDER,
        }
    }
}

/// How much to do.
#[derive(Debug, Clone, Copy, Args)]
pub struct Size {
    /// Sessions to reach.
    #[arg(long)]
    pub sessions: usize,
    /// Messages for each session.
    #[arg(long, default_value_t = 10)]
    pub messages: usize,
    /// Bytes of each message.
    #[arg(long, default_value_t = 1000)]
    pub bytes: usize,
}

impl Size {
    /// The options that give this size.
    pub fn to_args(self) -> [String; 3] {
        [
            format!("--sessions={}", self.sessions),
            format!("--messages={}", self.messages),
            format!("--bytes={}", self.bytes),
        ]
    }

    /// Messages for sessions.
    pub fn deliveries(&self) -> usize {
        self.sessions * self.messages
    }
}

impl Display for Size {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} sessions x {} messages x {} bytes", self.sessions, self.messages, self.bytes)
    }
}

/// What a measurement used.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Used {
    /// CPU seconds, user and system.
    pub cpu: f64,
    /// Seconds.
    pub wall: f64,
    /// Peak resident memory of the process in MiB; of several, the largest.
    pub peak_mib: f64,
    /// Events that were handled, of those that the sink hands out.
    pub invocations: usize,
}

impl Used {
    /// Adds what was used since `mark`.
    fn add(&mut self, mark: Mark) -> Result<()> {
        self.cpu += mark.cpu()?.as_secs_f64();
        self.wall += mark.wall().as_secs_f64();
        Ok(())
    }

    /// Adds what another process used.
    pub fn and(&mut self, other: &Self) {
        self.cpu += other.cpu;
        self.wall += other.wall;
        self.peak_mib = self.peak_mib.max(other.peak_mib);
        self.invocations += other.invocations;
    }
}

/// Every invocation has this long, more than Lambda allows: nothing is to be handed back.
const TIME: Duration = Duration::from_hours(1);

/// Measures and prints one line of JSON.
pub fn print(subject: Subject, size: &Size) -> Result<()> {
    // As in the functions, down to the filter of the logs; but only the lines about messages go anywhere.
    let filter: Targets = Config::from_env()?.log_level.parse()?;
    let lines = fmt::layer().json().flatten_event(true).with_writer(std::io::sink);
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    // As in the functions: one thread.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut used = runtime.block_on(measure(subject, size))?;
    used.peak_mib = f64::from(u32::try_from(peak_kib()?)?) / 1024.0;
    println!("{}", serde_json::to_string(&used)?);
    Ok(())
}

async fn measure(subject: Subject, size: &Size) -> Result<Used> {
    let clients = Clients::from_env(Config::from_env()?).await;
    match subject {
        Subject::Sender => functions::sender(&clients, size).await,
        Subject::PayloadWork => functions::payload_work(size),
        Subject::SdkFloor => floors::sdk(&clients, size).await,
        Subject::HttpFloor => floors::http(&clients, size).await,
        Subject::Dispatcher => environment::dispatcher(&clients, 1).await,
        Subject::DispatcherEnvironment => environment::dispatcher(&clients, usize::MAX).await,
        Subject::SenderEnvironment => environment::sender(&clients).await,
        Subject::HistoryAdder => functions::history_adder(&clients, size).await,
        Subject::HistoryBatch => history::batch(&clients, size, false).await,
        Subject::HistoryCheckedBatch => history::batch(&clients, size, true).await,
    }
}
