//! Ctrl-C: the first asks a command to stop and say what it did, the second ends the program.

use crate::failure::Failure;
use std::{process, time::Duration};
use tokio::{signal::unix, sync::watch};

const INTERRUPTED: i32 = 130;

/// Whether the program was asked to stop.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens for SIGINT and SIGTERM.
    pub fn listen() -> Self {
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            asked().await;
            // Nobody may wait for it any more.
            let _ = sender.send(true);
            asked().await;
            process::exit(INTERRUPTED);
        });
        Self(receiver)
    }

    /// Whether it has come.
    pub fn came(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it comes.
    pub async fn comes(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|came| *came).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The work's result, or a failure with what `told` says if Ctrl-C comes first: the work is dropped
    /// where it stands.
    pub async fn or<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
        told: impl FnOnce() -> String,
    ) -> Result<T, Failure> {
        tokio::select! {
            result = work => result,
            () = self.comes() => Err(Failure::Interrupted(told())),
        }
    }

    /// The work's result; `None` if Ctrl-C comes and the work does not end in the moment that it has then.
    pub async fn with_grace<T>(&self, grace: Duration, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            result = &mut work => Some(result),
            () = self.comes() => tokio::time::timeout(grace, work).await.ok(),
        }
    }
}

async fn asked() {
    let terminate = async {
        match unix::signal(unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate => {}
    }
}
