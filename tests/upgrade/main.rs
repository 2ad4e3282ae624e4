//! The whole system goes to another release and back, one function after the other, while messages are on their way:
//! nothing is lost, and nothing comes twice.
//!
//! The other release is the one whose binaries `SBE_PREVIOUS` names (`make upgrade FROM=…` builds them). Without it the same
//! binaries are both releases, and what releases before have written is in `tests/payloads`.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

mod audience;
mod earlier;
mod load;
mod rollout;

use audience::Audience;
use load::Load;
use rollout::{FUNCTIONS, Release};
use sbe_tests::eventually;
use tokio::sync::Mutex;

/// The functions are of one release at a time.
static FUNCTIONS_IN_USE: Mutex<()> = Mutex::const_new(());

/// docs/decisions/0019-payloads-of-two-releases.md: "a release must read what the one before writes, and must write what the one before reads"
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_repeated_by_an_upgrade_and_its_rollback() {
    let _alone = FUNCTIONS_IN_USE.lock().await;
    let (previous, this) = (Release::previous(), Release::this());
    previous.roll_out(&FUNCTIONS).await;
    let audience = Audience::create().await;
    let load = Load::start(&audience);
    // Callers first, there and back: each release hands over to the other.
    for release in [this, previous] {
        for function in FUNCTIONS {
            let version = release.roll_out(&[function]).await;
            load.goes_on().await;
            audience.reads().await;
            audience.comes_and_goes().await;
            let works =
                || async { rollout::versions_that_ran(function).await.contains(&version).then_some(()) };
            eventually("the work of the release", works).await;
        }
        earlier::inject(&audience, &load).await;
    }
    let sent = load.stop().await;
    audience.has_all_once(&sent).await;
    audience.remembers_all_once(&sent).await;
    audience.has_read_all().await;
}

/// docs/decisions/0019-payloads-of-two-releases.md: "What a later release has written waits in the failed queue"
#[tokio::test(flavor = "multi_thread")]
async fn what_a_later_release_wrote_waits_in_the_failed_queue() {
    let _alone = FUNCTIONS_IN_USE.lock().await;
    Release::this().roll_out(&FUNCTIONS).await;
    let later = earlier::of_a_later_release();
    for (function, payload) in &later {
        rollout::invoke(function, payload).await;
    }
    for (function, payload) in later {
        let parked = || rollout::is_parked(function, &payload);
        eventually("the payload in the failed queue", || async { parked().await.then_some(()) }).await;
    }
}
