//! The one way in which a function starts, logs and reports.

use crate::metrics;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use sbe_aws::{clients::Clients, config::Config};
use serde::{Serialize, de::DeserializeOwned};
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Starts a function: sets logs up, reads the configuration, builds the app once, and serves events.
///
/// An error of `handle` is logged with its cause and reported to Lambda, which retries or parks the
/// event as the event source says.
pub async fn start<A, E, R, F>(
    app: impl FnOnce(&Clients) -> A,
    handle: impl Fn(&'static A, LambdaEvent<E>) -> F,
) -> Result<(), Error>
where
    A: 'static,
    E: DeserializeOwned,
    R: Serialize,
    F: Future<Output = Result<R, Error>>,
{
    let config = Config::from_env()?;
    init_logs(&config.log_level);
    metrics::switch_on();
    let clients = Clients::from_env(config).await;
    // One app for the life of the process.
    let app: &'static A = Box::leak(Box::new(app(&clients)));
    let handle = &handle;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| async move {
        // Boxed: the handlers' futures are large, and so are their types.
        Box::pin(handle(app, event)).await.map_err(|error| Failure(causes(error.as_ref())))
    }))
    .await
}

/// Why an invocation failed, with all causes: the runtime logs its `Debug` form.
#[derive(thiserror::Error)]
#[error("{0}")]
struct Failure(String);

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: "Failure".into(), error_message: failure.0 }
    }
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Structured logs, one JSON object a line.
fn init_logs(level: &str) {
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_target(false);
    // A second subscriber can only come from a test that runs several functions in one process.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter(level))).try_init();
}

/// What to log: a level such as `debug`, or levels by module such as `info,sbe_aws=debug`.
fn filter(level: &str) -> Targets {
    level.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO))
}

/// An error with all its causes in one line.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
