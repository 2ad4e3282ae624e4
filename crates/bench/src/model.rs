//! The time that a broadcast of one message takes, from its batch to the last send.
//!
//! Everyone is shared out by the program's own rules ([`Part`]), so the model knows no more of them than
//! what one reader does: its lanes read page after page, and there is one CPU for all lanes. A sender has
//! so many calls in flight, round after round. What is not modelled: cold starts, throttling, and the payloads of histories,
//! which wait for environments of their own.

use sbe_core::part::{Part, Segments};

/// Pages of a segment that the dispatcher reads in place when there are few sessions.
const PAGES_IN_PLACE: usize = 4;
/// Invocations that a dispatcher has in flight.
const INVOCATIONS: usize = 16;
/// Calls that a sender has in flight.
const CALLS: usize = 64;

/// Where the functions run. Times are in seconds.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// What a page takes to come.
    pub page: f64,
    /// What an invocation takes to be accepted.
    pub invoke: f64,
    /// What a call of SQS takes.
    pub send: f64,
    /// The part of a CPU that an environment of the dispatcher has.
    pub dispatcher_cpu: f64,
    /// The part of a CPU that an environment of the sender has.
    pub sender_cpu: f64,
    /// Environments that there are for senders.
    pub senders: usize,
    /// CPUs for all environments and for AWS together.
    pub cores: f64,
}

impl World {
    /// Lambda with the memory that template.yaml gives: 1,769 MB are a CPU. Of a burst of 1,000
    /// environments a hundred are left to dispatchers and histories.
    pub const LAMBDA: Self = Self {
        page: 0.050,
        invoke: 0.040,
        send: 0.020,
        dispatcher_cpu: 512.0 / 1769.0,
        sender_cpu: 1024.0 / 1769.0,
        senders: 900,
        cores: f64::INFINITY,
    };
}

/// What was measured of one session: CPU seconds, and how many fit where.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// CPU of the dispatcher.
    pub dispatcher: f64,
    /// CPU of the sender.
    pub sender: f64,
    /// CPU of what stands for AWS.
    pub aws: f64,
    /// Sessions in a page.
    pub page: usize,
    /// Sessions in a payload of the sender.
    pub payload: usize,
    /// Read units.
    pub units: f64,
}

/// Seconds from a batch.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// To the last invocation of the sender.
    pub handed: f64,
    /// To the last send.
    pub sent: f64,
}

/// The times of a broadcast to so many sessions.
pub fn predict(sessions: usize, world: &World, cost: &Cost) -> Times {
    let reader = Reader { sessions, world, cost };
    let handed = reader.all() + world.invoke;
    let payload = sessions.min(cost.payload);
    let sender = calls(payload, world, cost);
    let first = reader.first() + world.invoke;
    let rounds = float(sessions.div_ceil(payload).div_ceil(world.senders));
    let all_cpu = float(sessions) * (cost.dispatcher + cost.sender + cost.aws) / world.cores;
    let sent = (handed + sender).max(first + rounds * sender).max(all_cpu);
    Times { handed, sent }
}

/// What reading takes longer when a table has so many read units a second.
pub fn added_by_units(sessions: usize, units_a_second: f64, world: &World, cost: &Cost) -> f64 {
    let reading = Reader { sessions, world, cost }.all();
    (float(sessions) * cost.units / units_a_second - reading).max(0.0)
}

/// One invocation of the sender: so many calls go out together, and their answers come together.
fn calls(payload: usize, world: &World, cost: &Cost) -> f64 {
    let cpu = cost.sender / world.sender_cpu;
    float(payload.div_ceil(CALLS)) * (world.send + float(payload.min(CALLS)) * cpu)
}

struct Reader<'a> {
    sessions: usize,
    world: &'a World,
    cost: &'a Cost,
}

impl Reader<'_> {
    /// From a batch to the first page.
    fn first(&self) -> f64 {
        let is_few = Segments::for_sessions(Some(self.sessions as u64)).are_few();
        2.0 * self.world.page + if is_few { 0.0 } else { self.world.invoke }
    }

    /// From a batch to the end of all reading.
    fn all(&self) -> f64 {
        let segments = Segments::for_sessions(Some(self.sessions as u64));
        let everyone = Part::everyone(segments);
        // DescribeTable takes as long as a page.
        let known = self.world.page;
        if !segments.are_few() {
            return known + self.world.invoke + self.read_by_others(&everyone);
        }
        let pages = self.pages(&everyone);
        let in_place = self.pages_of_lanes(pages.min(PAGES_IN_PLACE), everyone.lanes().len());
        let rest = self.pages_of_lanes(pages.saturating_sub(PAGES_IN_PLACE), 1);
        known + in_place + if rest > 0.0 { self.world.invoke + rest } else { 0.0 }
    }

    /// A part that was handed on.
    fn read_by_others(&self, part: &Part) -> f64 {
        let Some(shares) = part.shares() else {
            let lanes = part.lanes();
            let longest = lanes.iter().map(|lane| self.pages(lane)).max().unwrap_or_default();
            return self.pages_of_lanes(longest, lanes.len());
        };
        let longest = shares.iter().map(|share| self.read_by_others(share)).fold(0.0, f64::max);
        float(shares.len().div_ceil(INVOCATIONS)) * self.world.invoke + longest
    }

    /// The pages of a part that are read one after another: all of a lane's, one segment's of the whole.
    fn pages(&self, part: &Part) -> usize {
        let Some(Segments { from, to, total }) = part.segments else { return 0 };
        let of_segment = self.sessions.div_ceil(total as usize).div_ceil(self.cost.page);
        let segments = if to - from == total { 1 } else { to - from };
        of_segment * segments as usize
    }

    /// So many pages in each of some lanes. Lanes go in step: their pages come together, then one CPU
    /// goes through all of them, then the next ones are asked for.
    fn pages_of_lanes(&self, pages: usize, lanes: usize) -> f64 {
        let sessions = self.cost.page.min(self.sessions.div_ceil(lanes * pages.max(1)));
        let cpu = float(sessions) * self.cost.dispatcher / self.world.dispatcher_cpu;
        float(pages) * (self.world.page + float(lanes) * cpu)
    }
}

fn float(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: Cost =
        Cost { dispatcher: 0.0, sender: 0.0, aws: 0.0, page: 5000, payload: 1000, units: 0.03 };

    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
    }

    #[test]
    fn few_sessions_are_read_in_place_and_many_by_others() {
        // Four lanes of one page each, then the last payload: 16 rounds of calls.
        let few = predict(10_000, &World::LAMBDA, &COST);
        near(few.handed, 0.05 + 0.05 + 0.04);
        near(few.sent, few.handed + 16.0 * 0.02);
        // Five readers of eight segments; a lane has two segments of five pages each.
        let many = predict(1_000_000, &World::LAMBDA, &COST);
        near(many.handed, 0.05 + 0.04 + 0.04 + 10.0 * 0.05 + 0.04);
        assert!((added_by_units(1_000_000, 12_000.0, &World::LAMBDA, &COST) - (2.5 - 0.63)).abs() < 0.01);
    }

    #[test]
    fn whatever_there_is_least_of_decides() {
        let four = World { senders: 4, ..World::LAMBDA };
        near(predict(100_000, &four, &COST).sent, 0.14 + 25.0 * 16.0 * 0.02);
        let (slow, one) = (Cost { sender: 1e-3, ..COST }, World { cores: 1.0, ..four });
        near(predict(100_000, &one, &slow).sent, 100.0);
    }
}
