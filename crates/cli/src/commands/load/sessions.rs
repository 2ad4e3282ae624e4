//! Makes, renews and removes the sessions of a run.

use super::{run::Run, work::Work};
use crate::{context::Context, failure::Failure, output::report, progress::Progress};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sbe_client::{Api, ApiError, Session, api::in_path};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Calls at the same time.
const AT_ONCE: usize = 8;

/// Makes sure that nobody has the accounts of the run.
pub async fn check_free(work: &Work) -> Result<(), Failure> {
    for account in work.run.accounts() {
        let present = work.call("GET", &format!("/presence/{account}?limit=1"), "").await?;
        if present["online"] == true {
            return Err(Failure::Refused(format!("account {account} has sessions already: start again")));
        }
    }
    Ok(())
}

/// Makes all sessions, at the scenario's rate.
pub async fn create(work: &Work) -> Result<Vec<Session>, Failure> {
    let sessions = &work.given.scenario.sessions;
    let progress = Progress::new("creating sessions", sessions.count as u64);
    let (start, between) = (Instant::now(), Duration::from_secs_f64(1.0 / sessions.create_rate));
    let made = (0..sessions.count).map(|session| {
        let (progress, due) = (&progress, start + between * super::population::number(session));
        async move {
            sleep_until(due).await;
            let member = work.plan.population.members[session];
            let user = member.user.map(|user| format!("/{}", work.run.user(user))).unwrap_or_default();
            let made = session_of(work, &format!("{}{user}", work.path("create", session))).await;
            progress.advance();
            work.tally.created.add(usize::from(made.is_ok()));
            made
        }
    });
    stream::iter(made).buffered(AT_ONCE).try_collect().await
}

/// A session with new keys.
pub async fn renewed(work: &Work, session: usize) -> Result<Session, Failure> {
    session_of(work, &work.path("renew", session)).await
}

async fn session_of(work: &Work, path: &str) -> Result<Session, Failure> {
    let mut reply = work.call("POST", path, "").await?;
    serde_json::from_value(reply["session"].take())
        .map_err(|error| Failure::Refused(format!("the API's session is not of this release: {error}")))
}

/// Removes the run's sessions until `stopped`; answers how many of those that were made are removed.
pub async fn destroy(work: &Work, stopped: impl Future<Output = ()>) -> u64 {
    let made = work.tally.created.get();
    let progress = Progress::new("removing sessions", made);
    // Those that were being made when the run ended may be there too.
    let perhaps = (made + AT_ONCE as u64).min(work.plan.population.members.len() as u64);
    let all = stream::iter(0..usize::try_from(perhaps).unwrap_or_default()).for_each_concurrent(
        AT_ONCE,
        |session| {
            let progress = &progress;
            async move {
                if gone(work.call("POST", &work.path("destroy", session), "").await) {
                    progress.advance();
                }
            }
        },
    );
    tokio::select! {
        () = all => {}
        () = stopped => {}
    }
    progress.done().min(made)
}

/// Whether a session is removed: one that is not there is.
fn gone(reply: Result<Value, ApiError>) -> bool {
    matches!(reply, Ok(_) | Err(ApiError::Refused { status: 404, .. }))
}

/// `--clean-up RUN`: removes the sessions that a run has left.
pub async fn clean_up(name: &str, context: &Context) -> Result<(), Failure> {
    let run = Run::parse(name)?;
    let api = context.system.api();
    let mut removed = 0;
    for account in run.accounts() {
        loop {
            let told = format!("{removed} sessions are removed; the rest: sbe load --clean-up {run}");
            let some = context.interrupt.or(remove_some(&api, &account), || told).await?;
            if some == 0 {
                break;
            }
            removed += some;
            report(format_args!("{removed} sessions removed so far"));
        }
    }
    let result = json!({"run": run.to_string(), "sessions_removed": removed});
    context.output.result(&result, |_| format!("{removed} sessions of run {run} removed"));
    Ok(())
}

/// Removes a page of an account's sessions; answers how many.
async fn remove_some(api: &Api, account: &str) -> Result<u64, Failure> {
    let page = api.call("GET", &format!("/presence/{account}?limit=100"), "").await?;
    let sessions = page["sessions"].as_array().cloned().unwrap_or_default();
    let removed = stream::iter(sessions).map(|session| async move {
        let id = in_path(session["sessionId"].as_str().unwrap_or_default());
        match api.call("POST", &format!("/destroy/{account}/{id}"), "").await {
            Err(ApiError::Refused { status: 404, .. }) => Ok(0),
            reply => reply.map(|_| 1),
        }
    });
    Ok(removed.buffer_unordered(AT_ONCE).try_fold(0, |sum, one| async move { Ok(sum + one) }).await?)
}
