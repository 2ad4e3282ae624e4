//! What was measured, beside its targets.

use crate::{
    cold_start::ColdStart,
    conditions::Conditions,
    harness::{Extent, Measured, least, least_of_each, measure},
    logs::Logs,
    measure::{Size, Subject},
    wide::Wide,
};
use anyhow::Result;

/// All that was measured.
#[derive(Debug)]
pub struct Figures {
    /// The functions' binaries.
    pub cold_starts: Vec<ColdStart>,
    /// What fan-out costs.
    pub fanout: Fanout,
    /// Wide audiences.
    pub wide: Wide,
    /// What the log of the stages costs.
    pub logs: Logs,
}

/// What fan-out costs.
#[derive(Debug)]
pub struct Fanout {
    /// The sender: 10,000 sessions x 10 messages x 1 KB.
    pub sender: Measured,
    /// What it does apart from calling SQS.
    pub payload_work: Measured,
    /// Its calls through the SDK.
    pub sdk_floor: Measured,
    /// Its calls through a bare HTTP client.
    pub http_floor: Measured,
    /// The dispatcher: 20 broadcasts x 1 KB to 10,000 sessions.
    pub dispatcher: Measured,
    /// The same with integers, and with UUIDs, as ids of accounts and users.
    pub ids: [Measured; 2],
    /// Ways to write 10,000 history entries: single conditional writes, batches, checked batches.
    pub histories: [Measured; 3],
    /// The dispatcher and the sender, one message of 1 KB, by the number of sessions.
    pub scaling: Vec<Scaled>,
}

/// Both functions at one number of sessions.
#[derive(Debug)]
pub struct Scaled {
    /// Sessions, each with one message.
    pub sessions: usize,
    /// The dispatcher, every session with a user of its own.
    pub dispatcher: Measured,
    /// The sender.
    pub sender: Measured,
}

/// Sessions that the ratios are measured with.
pub const SESSIONS: usize = 10_000;

/// Repeats of a short measurement, of which the least counts.
const REPEATS: usize = 5;

impl Fanout {
    /// Takes the measurements.
    pub fn measure(extent: Extent) -> Result<Self> {
        let size = Size { sessions: SESSIONS, messages: 10, bytes: 1000 };
        let fewer = Size { sessions: SESSIONS / 10, ..size };
        let history = |subject| least(REPEATS, || measure(subject, fewer, Conditions::default()));
        let twenty = Size { messages: 20, ..size };
        let ratios = [Subject::Sender, Subject::PayloadWork, Subject::SdkFloor, Subject::HttpFloor];
        let of = |subject| measure(subject, size, Conditions::default());
        let [sender, payload_work, sdk_floor, http_floor] = least_of_each(REPEATS, ratios, of)?;
        Ok(Self {
            sender,
            payload_work,
            sdk_floor,
            http_floor,
            dispatcher: least(REPEATS, || measure(Subject::Dispatcher, twenty, Conditions::with_users()))?,
            ids: least_of_each(REPEATS, [Conditions::with_users(), Conditions::with_text_ids()], |ids| {
                measure(Subject::Dispatcher, Size { sessions: 5 * SESSIONS, ..twenty }, ids)
            })?,
            histories: [
                history(Subject::HistoryAdder)?,
                history(Subject::HistoryBatch)?,
                history(Subject::HistoryCheckedBatch)?,
            ],
            scaling: scaling(extent)?,
        })
    }
}

/// Both functions at several sizes.
pub fn scaling(extent: Extent) -> Result<Vec<Scaled>> {
    let all = [10_000, 100_000, 1_000_000];
    let wanted = if extent == Extent::Full { &all[..] } else { &all[..2] };
    let scaled = |sessions: &usize| {
        let size = Size { sessions: *sessions, messages: 1, bytes: 1000 };
        let times = if *sessions > SESSIONS { 1 } else { REPEATS };
        Ok(Scaled {
            sessions: *sessions,
            dispatcher: least(times.max(2), || measure(Subject::Dispatcher, size, Conditions::with_users()))?,
            sender: least(times, || measure(Subject::Sender, size, Conditions::default()))?,
        })
    };
    wanted.iter().map(scaled).collect()
}

/// A figure beside its target.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// As measured.
    pub value: f64,
    /// At least this was to be reached: 0 nearly always.
    pub least: f64,
    /// At most this was to be reached.
    pub target: f64,
    /// The unit of both.
    pub unit: &'static str,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, value: f64, target: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, least: 0.0, target, unit }
    }

    /// A ratio that is to be between two others.
    pub(crate) fn between(name: impl Into<String>, value: f64, least: f64, target: f64) -> Self {
        Self { least, ..Self::new(name, value, target, "x") }
    }

    /// Whether the target was reached.
    pub fn is_reached(&self) -> bool {
        (self.least..=self.target).contains(&self.value)
    }
}

impl Figures {
    /// Every figure that has a target.
    pub fn with_targets(&self) -> Vec<Figure> {
        let fanout = &self.fanout;
        let mut figures = vec![
            Figure::new("sender, CPU against the SDK alone", fanout.ratio_to_sdk(), 1.3, "x"),
            Figure::new("sender, payload work for a delivery of 1 KB", fanout.payload_micros(), 3.0, "us"),
            Figure::new("dispatcher, sender invocations", fanout.sender_invocations(), 12.0, ""),
            Figure::new("dispatcher, reads of a session", fanout.reads_of_a_session(), 1.0, ""),
            Figure::new("dispatcher, CPU", fanout.dispatcher.used.cpu, 0.5, "s"),
            Figure::new("dispatcher, CPU with UUIDs against integers", fanout.ratio_of_ids(), 1.1, "x"),
        ];
        figures.extend(fanout.scaling_figures());
        figures.extend(self.wide.figures());
        figures.extend(self.logs.figures());
        for start in &self.cold_starts {
            let millis = start.median.as_secs_f64() * 1e3;
            figures.push(Figure::new(format!("{}, cold start", start.function), millis, 30.0, "ms"));
        }
        for start in &self.cold_starts {
            let megabytes = float(start.zipped_bytes) / 1e6;
            figures.push(Figure::new(format!("{}, zipped", start.function), megabytes, 5.0, "MB"));
        }
        figures
    }
}

impl Fanout {
    /// The sender's CPU time as a multiple of that of its calls through the SDK.
    pub fn ratio_to_sdk(&self) -> f64 {
        self.sender.used.cpu / self.sdk_floor.used.cpu
    }

    /// The dispatcher's CPU time with strings as ids as a multiple of that with integers.
    fn ratio_of_ids(&self) -> f64 {
        let [integers, texts] = &self.ids;
        texts.used.cpu / integers.used.cpu
    }

    fn payload_micros(&self) -> f64 {
        self.payload_work.used.cpu * 1e6 / float(SESSIONS * 10)
    }

    fn sender_invocations(&self) -> f64 {
        self.dispatcher.tally.of("Invoke bench-sqs-browser-sqs-sender").units
    }

    fn reads_of_a_session(&self) -> f64 {
        let scanned = self.dispatcher.tally.of("Scan").entries;
        f64::from(u32::try_from(scanned).unwrap_or(u32::MAX)) / float(SESSIONS)
    }

    fn scaling_figures(&self) -> Vec<Figure> {
        let (Some(few), Some(many)) = (self.scaling.first(), self.scaling.last()) else { return Vec::new() };
        let growth =
            |of: fn(&Scaled) -> &Measured| micros(of(many), many.sessions) / micros(of(few), few.sessions);
        let at = format!("at {} sessions", grouped(many.sessions));
        vec![
            Figure::new(format!("dispatcher, peak memory {at}"), many.dispatcher.used.peak_mib, 64.0, "MiB"),
            Figure::new(format!("sender, peak memory {at}"), many.sender.used.peak_mib, 64.0, "MiB"),
            Figure::new(format!("dispatcher, CPU for a delivery {at}"), growth(|s| &s.dispatcher), 1.2, "x"),
            Figure::new(format!("sender, CPU for a delivery {at}"), growth(|s| &s.sender), 1.2, "x"),
        ]
    }
}

/// CPU microseconds for one delivery.
pub fn micros(measured: &Measured, deliveries: usize) -> f64 {
    measured.used.cpu * 1e6 / float(deliveries)
}

/// A number with commas between thousands.
pub(crate) fn grouped(number: usize) -> String {
    let thousands = number / 1000;
    if thousands == 0 { number.to_string() } else { format!("{},{:03}", grouped(thousands), number % 1000) }
}

pub(crate) fn float(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}
