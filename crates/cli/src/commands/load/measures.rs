//! Latencies, and what happened when.

use super::plan::{Call, Kind, Message, Plan, Way};
use hdrhistogram::Histogram;
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// A timeline has about so many slices.
const SLICES: u32 = 90;

/// Everything that is measured while a run goes on.
#[derive(Debug)]
pub struct Measures {
    latencies: BTreeMap<(Way, Kind), Histogram<u64>>,
    /// Between the end of a session's poll and the beginning of its next.
    pub gaps: Histogram<u64>,
    /// The time of a slice.
    pub slice: Duration,
    /// What happened, by time.
    pub slices: Vec<Slice>,
    /// When the last delivery came, after the start.
    pub last: Duration,
}

/// A part of the time.
#[derive(Debug)]
pub struct Slice {
    /// Messages that the system accepted in it.
    pub published: u64,
    /// Deliveries that came in it.
    pub delivered: u64,
    /// Latencies of the messages that were due in it.
    pub latencies: Histogram<u64>,
}

/// What a histogram says, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Summary {
    /// How many values there are.
    pub count: u64,
    /// Half are at most this.
    pub p50_ms: f64,
    /// 95 % are at most this.
    pub p95_ms: f64,
    /// 99 % are at most this.
    pub p99_ms: f64,
    /// The largest.
    pub max_ms: f64,
}

impl From<&Histogram<u64>> for Summary {
    fn from(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| millis(histogram.value_at_quantile(quantile));
        Self {
            count: histogram.len(),
            p50_ms: at(0.5),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            max_ms: millis(histogram.max()),
        }
    }
}

impl Measures {
    /// Nothing is measured yet.
    pub fn new(plan: &Plan) -> Self {
        let slice = Duration::from_secs(1 + plan.duration().as_secs() / u64::from(SLICES));
        Self {
            latencies: BTreeMap::new(),
            gaps: histogram(),
            slice,
            slices: Vec::new(),
            last: Duration::ZERO,
        }
    }

    /// A delivery came at `at` after the start.
    pub fn delivered(&mut self, call: &Call, message: &Message, at: Duration) {
        let micros = micros(at.saturating_sub(call.due));
        self.latencies.entry((call.way, message.kind())).or_insert_with(histogram).saturating_record(micros);
        self.slice_at(call.due).latencies.saturating_record(micros);
        self.slice_at(at).delivered += 1;
        self.last = self.last.max(at);
    }

    /// A message was accepted at `at` after the start.
    pub fn published(&mut self, at: Duration) {
        self.slice_at(at).published += 1;
    }

    fn slice_at(&mut self, at: Duration) -> &mut Slice {
        let index = usize::try_from(at.as_secs() / self.slice.as_secs()).unwrap_or_default();
        let empty = || Slice { published: 0, delivered: 0, latencies: histogram() };
        self.slices.resize_with(self.slices.len().max(index + 1), empty);
        &mut self.slices[index]
    }

    /// The latencies of the messages that `of` chooses.
    pub fn latencies(&self, of: impl Fn(Way, Kind) -> bool) -> Histogram<u64> {
        let mut sum = histogram();
        for ((way, kind), each) in &self.latencies {
            if of(*way, *kind) {
                sum += each;
            }
        }
        sum
    }
}

/// From a microsecond to a day, exact to 1 %.
fn histogram() -> Histogram<u64> {
    const DAY: u64 = 86_400_000_000;
    Histogram::new_with_bounds(1, DAY, 2).expect("the bounds are apart, and the digits few")
}

/// Whole microseconds.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn millis(micros: u64) -> f64 {
    // Tenths: more digits than the histogram has say nothing.
    (micros as f64 / 100.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::{super::scenario, *};

    #[test]
    fn latency_counts_from_the_moment_a_message_was_due() {
        let flags = "[publish]\nduration = \"20s\"\nbatch = 5\nhttp = 1.0".parse().unwrap();
        let plan = Plan::new(&scenario::read(None, flags).unwrap().scenario);
        let mut measures = Measures::new(&plan);
        for (call, late) in plan.calls.iter().zip([100_u64, 100, 100, 900].into_iter().cycle()) {
            let at = call.due + Duration::from_millis(late);
            measures.delivered(call, &plan.messages[call.first], at);
        }
        let all = Summary::from(&measures.latencies(|_, _| true));
        assert!((all.p50_ms - 100.0).abs() < 2.0, "{all:?}");
        assert_eq!(measures.latencies(|way, _| way == Way::Kinesis).len(), 0);
        assert_eq!(measures.slices.iter().map(|slice| slice.delivered).sum::<u64>(), all.count);
    }

    #[test]
    fn a_long_run_has_few_slices() {
        let flags = "[publish]\nduration = \"2h\"\nrate = 1".parse().unwrap();
        let plan = Plan::new(&scenario::read(None, flags).unwrap().scenario);
        let mut measures = Measures::new(&plan);
        measures.published(plan.duration());
        assert!((80..=100).contains(&measures.slices.len()), "{}", measures.slices.len());
    }
}
