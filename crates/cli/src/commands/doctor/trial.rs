//! What the doctor makes to try the system with: sessions of an account and a user of its own, and their
//! messages. All of it is removed in the end.

use super::{
    Doctor,
    check::{Finding, Found, answer},
    inbox::Inbox,
};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use futures::{StreamExt, stream};
use sbe_client::{ApiError, Consumer, causes};
use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

const AT_ONCE: usize = 5;

/// Ids that nobody else has, and what was made under them.
#[derive(Debug)]
pub(super) struct Trial {
    /// The account of the sessions.
    pub account: String,
    /// The user of the sessions.
    pub user: String,
    /// What came to the reader.
    pub inbox: Inbox,
    sessions: OnceLock<Sessions>,
    is_open: OnceLock<()>,
    /// What was asked for and is not known to be gone: kept before the call, which may be cut off.
    made: Mutex<BTreeSet<Made>>,
}

/// A session for each part in the trial.
#[derive(Debug)]
struct Sessions {
    reader: Consumer,
    neighbour: Consumer,
    probe: Consumer,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Made {
    /// By its id.
    Session(&'static str),
    /// A session whose `/create` has not been answered: it may come at any time.
    Asked(&'static str),
    /// An entry of the user's history, by its messageId.
    Entry(String),
}

/// The session that messages are sent to.
pub(super) const READER: &str = "reader";
/// The session whose queue others must not read.
pub(super) const NEIGHBOUR: &str = "neighbour";
/// The session whose keys try what they may not.
const PROBE: &str = "probe";

impl Trial {
    /// Random ids; nothing is made yet.
    pub(super) fn new() -> Self {
        let name = format!("sbe-doctor-{}", uuid::Uuid::new_v4());
        Self {
            user: format!("{name}-user"),
            account: name,
            inbox: Inbox::default(),
            sessions: OnceLock::new(),
            is_open: OnceLock::new(),
            made: Mutex::default(),
        }
    }

    /// The session that messages are sent to.
    pub(super) fn reader(&self) -> Result<&Consumer, Finding> {
        self.sessions().map(|sessions| &sessions.reader)
    }

    /// The session whose queue others must not read.
    pub(super) fn neighbour(&self) -> Result<&Consumer, Finding> {
        self.sessions().map(|sessions| &sessions.neighbour)
    }

    /// The session whose keys try what they may not.
    pub(super) fn probe(&self) -> Result<&Consumer, Finding> {
        self.sessions().map(|sessions| &sessions.probe)
    }

    fn sessions(&self) -> Result<&Sessions, Finding> {
        self.sessions.get().ok_or_else(|| Finding::skipped("there is no session to try it with"))
    }

    /// Keeps that sessions' keys open their queues.
    pub(super) fn open(&self) {
        self.is_open.get_or_init(|| ());
    }

    /// Skips what proves nothing while the keys do not even open their own queue.
    pub(super) fn check_open(&self) -> Result<(), Finding> {
        let closed = || Finding::skipped("a session's keys do not open its own queue");
        self.sessions().and_then(|_| self.is_open.get().copied().ok_or_else(closed))
    }

    /// Keeps that the history may get an entry.
    pub(super) fn expect_entry(&self, message_id: &str) {
        self.made().insert(Made::Entry(message_id.to_owned()));
    }

    /// Keeps that it will not.
    pub(super) fn expect_no_entry(&self, message_id: &str) {
        self.made().remove(&Made::Entry(message_id.to_owned()));
    }

    /// What is not known to be gone; `None` if everything is.
    pub(super) fn remains(&self) -> Option<String> {
        let made = self.made();
        let told = |made: &Made| match made {
            Made::Session(id) | Made::Asked(id) => format!("session {id} of account {}", self.account),
            Made::Entry(id) => format!("message {id} in the history of user {}", self.user),
        };
        (!made.is_empty()).then(|| made.iter().map(told).collect::<Vec<_>>().join(", "))
    }

    fn made(&self) -> MutexGuard<'_, BTreeSet<Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the sessions.
pub(super) async fn create_all(doctor: &Doctor) -> Found {
    let made = [READER, NEIGHBOUR, PROBE].map(|id| create(doctor, id));
    let [reader, neighbour, probe] = made;
    let (reader, neighbour, probe) = futures::try_join!(reader, neighbour, probe)?;
    doctor.trial.sessions.get_or_init(|| Sessions { reader, neighbour, probe });
    Ok(Finding::passed(format!("three are made, of account {}", doctor.trial.account)))
}

/// Makes or refreshes a session; what the API puts off is tried again.
pub(super) async fn create(doctor: &Doctor, id: &'static str) -> Result<Consumer, Finding> {
    doctor.trial.made().insert(Made::Asked(id));
    let path = format!("/create/{}/{id}/{}", doctor.trial.account, doctor.trial.user);
    let end = Instant::now() + doctor.timeout;
    loop {
        let reply = doctor.api.call("POST", &path, "").await;
        if !matches!(reply, Err(ApiError::Unreachable(..))) {
            let mut made = doctor.trial.made();
            made.remove(&Made::Asked(id));
            made.insert(Made::Session(id));
        }
        match reply {
            Ok(reply) => {
                let session = serde_json::from_value(reply["session"].clone());
                let session =
                    session.map_err(|error| no_session(&format!("the reply is no session: {error}")))?;
                return Ok(Consumer::new(session, doctor.system.sdk().endpoint_url()));
            }
            Err(ApiError::Refused { retry_after: Some(seconds), .. }) if Instant::now() < end => {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            Err(error) => return Err(no_session(&causes(&error))),
        }
    }
}

fn no_session(why: &str) -> Finding {
    let remedy = "look at the logs of session-manager, at its role, and at the identity pool";
    Finding::failed(format!("a session cannot be created: {why}"), remedy)
}

/// Removes what was made.
pub(super) async fn remove(doctor: &Doctor) -> Found {
    let made: Vec<Made> = doctor.trial.made().iter().cloned().collect();
    if made.is_empty() {
        return Ok(Finding::skipped("nothing was made"));
    }
    let removals = stream::iter(made).map(|made| async move {
        let removed = remove_one(doctor, &made).await;
        (made, removed)
    });
    let (mut stays, mut sessions_stay) = (Vec::new(), false);
    let mut removals = removals.buffer_unordered(AT_ONCE);
    while let Some((made, removed)) = removals.next().await {
        if let Err(why) = removed {
            sessions_stay |= !matches!(made, Made::Entry(_));
            stays.push(why);
        } else {
            doctor.trial.made().remove(&made);
        }
    }
    let Some(remains) = doctor.trial.remains() else {
        return Ok(Finding::passed("sessions, queues and history entries of this run are gone"));
    };
    let detail = format!("{remains} could not be removed ({})", stays.join("; "));
    Ok(if sessions_stay {
        Finding::failed(
            detail,
            "sbe destroy ACCOUNT SESSION; sessions end by themselves a while after their keys",
        )
    } else {
        Finding::warning(detail, "nothing needs to be done: the history forgets it by itself")
    })
}

async fn remove_one(doctor: &Doctor, made: &Made) -> Result<(), String> {
    match made {
        Made::Session(id) => destroy(doctor, id).await,
        Made::Asked(id) => {
            destroy(doctor, id).await?;
            Err("its /create was cut off, and may still make it".to_owned())
        }
        Made::Entry(id) => {
            let delete = doctor.system.dynamodb().delete_item().table_name(&doctor.system.history_table);
            let delete = delete
                .key("userId", AttributeValue::S(doctor.trial.user.clone()))
                .key("messageId", AttributeValue::S(id.clone()));
            let delete = delete.return_values(ReturnValue::AllOld).send().await;
            let deleted = answer("dynamodb:DeleteItem", delete).map_err(|finding| finding.detail)?;
            let was_there = deleted.attributes.is_some_and(|attributes| !attributes.is_empty());
            was_there.then_some(()).ok_or_else(|| "it is not there yet, and may still come".to_owned())
        }
    }
}

async fn destroy(doctor: &Doctor, id: &str) -> Result<(), String> {
    let path = format!("/destroy/{}/{id}", doctor.trial.account);
    match doctor.api.call("POST", &path, "").await {
        Ok(_) | Err(ApiError::Refused { status: 404, .. }) => Ok(()),
        Err(error) => Err(causes(&error)),
    }
}
