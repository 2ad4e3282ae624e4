//! The sessions that a sink has and the faults that it makes, as options of the command line.

use crate::{
    events::Audience,
    population::Population,
    sink::{
        Latency, Plan,
        faults::{Class, Faults},
        handing_out::HandsOut,
    },
};
use clap::{Args, ValueEnum};
use std::time::Duration;

/// What a measurement meets.
#[derive(Debug, Clone, Copy, Args)]
pub struct Conditions {
    /// Sessions of each user; 0 for sessions without users.
    #[arg(long, default_value_t = 0)]
    pub sessions_per_user: usize,
    /// Accounts and users are UUIDs instead of integers.
    #[arg(long)]
    pub text_ids: bool,
    /// Accounts that share the sessions.
    #[arg(long, default_value_t = 100)]
    pub accounts: usize,
    /// Whom the messages of the dispatcher's first event are for.
    #[arg(long, value_enum, default_value_t = Audience::Everyone)]
    pub audience: Audience,
    /// Milliseconds that answers take: one number, or three of `DynamoDB`, Lambda and SQS (50,40,20).
    #[arg(long, default_value = "0")]
    pub latency: Latency,
    /// Environments that take events as they come, of the dispatcher and of the sender; 0 if the
    /// dispatcher's invocations are measured one after another, each in an environment of its own.
    #[arg(long, default_value_t = 0, hide = true)]
    pub takers: usize,
    /// The functions log nothing but what is wrong.
    #[arg(long)]
    pub without_stages: bool,
    /// How calls fail.
    #[arg(long)]
    pub fault: Option<Class>,
    /// How many of a hundred do.
    #[arg(long, default_value_t = 0)]
    pub percent: u32,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            sessions_per_user: 0,
            text_ids: false,
            accounts: 100,
            audience: Audience::Everyone,
            latency: Latency::default(),
            takers: 0,
            without_stages: false,
            fault: None,
            percent: 0,
        }
    }
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
            latency: self.latency,
            hands_out: if self.takers == 0 { HandsOut::Lookups } else { HandsOut::LookupsAndSends },
            takers: self.takers,
            ..Plan::instant(Population {
                sessions_per_user: self.sessions_per_user,
                text_ids: self.text_ids,
                accounts: self.accounts,
                ..Population::of(sessions)
            })
        }
    }

    /// The options that give these conditions.
    pub fn to_args(self) -> Vec<String> {
        let Latency { page, invoke, send } = self.latency;
        let mut args = vec![
            format!("--sessions-per-user={}", self.sessions_per_user),
            format!("--accounts={}", self.accounts),
            format!("--takers={}", self.takers),
            format!("--latency={},{},{}", page.as_millis(), invoke.as_millis(), send.as_millis()),
            format!("--percent={}", self.percent),
        ];
        if self.text_ids {
            args.push("--text-ids".into());
        }
        args.extend(self.audience.to_possible_value().map(|name| format!("--audience={}", name.get_name())));
        if let Some(fault) = self.fault.and_then(|fault| fault.to_possible_value()) {
            args.push(format!("--fault={}", fault.get_name()));
        }
        args
    }
}

/// Longer than the functions wait for an answer.
const STALL: Duration = Duration::from_secs(11);
