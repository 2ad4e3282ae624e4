//! What the process used: CPU time and peak memory.

use anyhow::{Context, Result};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use std::time::{Duration, Instant};

/// A moment from which CPU time and time are counted.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    cpu: Duration,
    at: Instant,
}

impl Mark {
    /// Now.
    pub fn now() -> Result<Self> {
        Ok(Self { cpu: cpu()?, at: Instant::now() })
    }

    /// CPU time of this process (user and system) since the mark.
    pub fn cpu(&self) -> Result<Duration> {
        Ok(cpu()?.saturating_sub(self.cpu))
    }

    /// Time since the mark.
    pub fn wall(&self) -> Duration {
        self.at.elapsed()
    }
}

/// The part of a CPU that a process is given now, beside whatever else runs.
pub fn share_of_cpu() -> Result<f64> {
    let mark = Mark::now()?;
    while mark.wall() < Duration::from_millis(500) {
        std::hint::spin_loop();
    }
    Ok((mark.cpu()?.as_secs_f64() / mark.wall().as_secs_f64()).min(1.0))
}

fn cpu() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(micros)?))
}

/// The most memory that the process has had resident, in KiB.
pub fn peak_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
