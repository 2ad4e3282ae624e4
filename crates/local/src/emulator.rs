//! The MiniStack process.

use crate::shell::program;
use anyhow::{Context, Result, bail};
use nix::{
    sys::{
        signal::{Signal, killpg},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};
use sbe_client::Keys;
use std::{
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    process::Child,
    time::{sleep, timeout},
};

const SCRIPT: &str = include_str!("../python/emulator.py");

/// MiniStack, in a process group of its own with everything that it starts.
pub struct Emulator {
    process: Child,
    group: Pid,
    log: PathBuf,
}

impl Emulator {
    /// Starts MiniStack on `port` of the loopback interface, with signatures verified and IAM
    /// enforced, and waits until it answers.
    pub async fn start(python: &Path, port: u16, root: &Keys, region: &str, dir: &Path) -> Result<Self> {
        let log = dir.join("logs/ministack.log");
        let files = dir.join("tmp");
        std::fs::create_dir_all(&files)?;
        let output = File::create(&log)?;
        adopt_orphans();
        let process = program(python)
            .args(["-c", SCRIPT])
            .env("STARTED_BY", std::process::id().to_string())
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("MINISTACK_HOST", "localhost")
            .env("MINISTACK_REGION", region)
            .env("AUTH", "true")
            .env("AWS_ACCESS_KEY_ID", &root.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &root.secret_key)
            .env("TMPDIR", files.canonicalize()?)
            // Two services that would open ports of their own.
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("starting MiniStack")?;
        let id = process.id().context("MiniStack has ended at once")?;
        let group = Pid::from_raw(id.try_into()?);
        let mut emulator = Self { process, group, log };
        emulator.wait_until_ready(port).await?;
        Ok(emulator)
    }

    async fn wait_until_ready(&mut self, port: u16) -> Result<()> {
        let url = format!("http://127.0.0.1:{port}/_ministack/health");
        for _ in 0..300 {
            if let Some(status) = self.process.try_wait()? {
                bail!("MiniStack has ended ({status}); see {}", self.log.display());
            }
            if reqwest::get(&url).await.is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
        bail!("MiniStack does not answer; see {}", self.log.display())
    }

    /// Waits until the process ends by itself.
    pub async fn ended(&mut self) -> Result<()> {
        let status = self.process.wait().await?;
        bail!("MiniStack has ended ({status}); see {}", self.log.display())
    }

    /// Ends MiniStack and all that it started.
    pub async fn stop(mut self) {
        // The group may be gone already: then there is nothing to end.
        let _ = killpg(self.group, Signal::SIGTERM);
        if timeout(Duration::from_secs(5), self.process.wait()).await.is_err() {
            let _ = self.process.start_kill();
        }
        let _ = killpg(self.group, Signal::SIGKILL);
        reap(self.group).await;
    }
}

/// Makes this process the parent of what MiniStack leaves behind, so that it can be waited for.
#[cfg(target_os = "linux")]
fn adopt_orphans() {
    // Without it the system's first process waits for them, as on other systems.
    let _ = nix::sys::prctl::set_child_subreaper(true);
}

#[cfg(not(target_os = "linux"))]
fn adopt_orphans() {}

/// Waits until no process of the group is left, for a second at most.
async fn reap(group: Pid) {
    let any_of_group = Pid::from_raw(-group.as_raw());
    for _ in 0..50 {
        match waitpid(any_of_group, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => sleep(Duration::from_millis(20)).await,
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// `port`, or a free one for 0.
pub fn choose_port(port: u16) -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", port)).with_context(|| {
        format!("port {port} is in use; choose another one with --port, or 0 for a free one")
    })?;
    Ok(listener.local_addr()?.port())
}
