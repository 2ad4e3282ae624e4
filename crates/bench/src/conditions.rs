//! The sessions that a sink has and the faults that it makes, as options of the command line.

use crate::{
    population::Population,
    sink::{
        Plan,
        faults::{Class, Faults},
    },
};
use clap::{Args, ValueEnum};
use std::time::Duration;

/// What a measurement meets.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Conditions {
    /// Sessions of each user; 0 for sessions without users.
    #[arg(long, default_value_t = 0)]
    pub sessions_per_user: usize,
    /// Accounts and users are UUIDs instead of integers.
    #[arg(long)]
    pub text_ids: bool,
    /// Milliseconds that every answer takes.
    #[arg(long, default_value_t = 0)]
    pub latency: u64,
    /// How calls fail.
    #[arg(long)]
    pub fault: Option<Class>,
    /// How many of a hundred do.
    #[arg(long, default_value_t = 0)]
    pub percent: u32,
}

impl Conditions {
    /// Every session has a user of its own.
    pub fn with_users() -> Self {
        Self { sessions_per_user: 1, ..Self::default() }
    }

    /// The same, and ids are UUIDs.
    pub fn with_text_ids() -> Self {
        Self { text_ids: true, ..Self::with_users() }
    }

    /// A sink with so many sessions.
    pub fn plan(&self, sessions: usize) -> Plan {
        let none = Faults::none();
        let percent = if self.fault.is_some() { self.percent } else { 0 };
        Plan {
            faults: Faults { class: self.fault.unwrap_or(none.class), percent, stall: STALL, ..none },
            latency: Duration::from_millis(self.latency),
            ..Plan::instant(Population {
                sessions_per_user: self.sessions_per_user,
                text_ids: self.text_ids,
                ..Population::of(sessions)
            })
        }
    }

    /// The options that give these conditions.
    pub fn to_args(self) -> Vec<String> {
        let mut args = vec![
            format!("--sessions-per-user={}", self.sessions_per_user),
            format!("--latency={}", self.latency),
            format!("--percent={}", self.percent),
        ];
        if self.text_ids {
            args.push("--text-ids".into());
        }
        if let Some(fault) = self.fault.and_then(|fault| fault.to_possible_value()) {
            args.push(format!("--fault={}", fault.get_name()));
        }
        args
    }
}

/// Longer than the functions wait for an answer.
const STALL: Duration = Duration::from_secs(11);
