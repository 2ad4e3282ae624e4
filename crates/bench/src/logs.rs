//! What it costs to log the stages of every message: the same work with and without.

use crate::{
    conditions::Conditions,
    events::Audience,
    figures::Figure,
    harness::{Measured, least_of_each, measure},
    measure::{Size, Subject},
};
use anyhow::Result;

/// Turns of which the least counts.
const TURNS: usize = 7;

/// Measurements with the lines, and without.
type Pair = [Measured; 2];

/// What was measured.
#[derive(Debug)]
pub struct Logs {
    /// 20 broadcasts x 1 KB to 10,000 sessions, each of a user: the dispatcher, and the sender.
    broadcasts: [Pair; 2],
    /// 2,000 messages x 1 KB to a user each: the dispatcher, which has most to tell of them.
    singles: Pair,
    /// 10 messages x 1 KB for the histories of 1,000 users.
    histories: Pair,
}

impl Logs {
    /// Takes the measurements.
    pub fn measure() -> Result<Self> {
        let twenty = Size { sessions: 10_000, messages: 20, bytes: 1000 };
        let users = Conditions::with_users();
        let singles = Conditions { audience: Audience::Users, ..users };
        Ok(Self {
            broadcasts: [
                pair(Subject::Dispatcher, twenty, users)?,
                pair(Subject::Sender, twenty, Conditions::default())?,
            ],
            singles: pair(Subject::Dispatcher, Size { messages: 2000, ..twenty }, singles)?,
            histories: pair(
                Subject::HistoryAdder,
                Size { sessions: 1000, messages: 10, ..twenty },
                Conditions::default(),
            )?,
        })
    }

    /// CPU with the lines as a multiple of that without.
    pub fn figures(&self) -> Vec<Figure> {
        let figure = |name: &str, [with, without]: [f64; 2]| {
            Figure::new(format!("log of the stages, CPU with / without, {name}"), with / without, 1.03, "x")
        };
        let cpu = |pair: &Pair| [pair[0].used.cpu, pair[1].used.cpu];
        let [dispatcher, sender] = [0, 1].map(|function| cpu(&self.broadcasts[function]));
        vec![
            figure("broadcasts", [dispatcher[0] + sender[0], dispatcher[1] + sender[1]]),
            figure("messages to a user", cpu(&self.singles)),
            figure("histories", cpu(&self.histories)),
        ]
    }
}

fn pair(subject: Subject, size: Size, with: Conditions) -> Result<Pair> {
    let without = Conditions { without_stages: true, ..with };
    least_of_each(TURNS, [with, without], |conditions| measure(subject, size, conditions))
}
