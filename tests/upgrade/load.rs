//! A backend that publishes without a pause.

use crate::audience::Audience;
use sbe_tests::{Backend, eventually, unique};
use serde_json::json;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};
use tokio::task::JoinHandle;

/// A message that was published.
pub(crate) struct Message {
    /// Its label.
    pub(crate) label: String,
    /// The sessions that it is for.
    pub(crate) to: &'static [usize],
    /// The sessions whose users' histories keep it.
    pub(crate) kept_for: &'static [usize],
}

/// What was published.
#[derive(Default)]
pub(crate) struct Sent(Vec<Message>);

impl Sent {
    /// The labels for a session.
    pub(crate) fn to(&self, place: usize) -> impl Iterator<Item = &String> {
        self.0.iter().filter(move |message| message.to.contains(&place)).map(|message| &message.label)
    }

    /// The labels for the history of a session's user.
    pub(crate) fn kept_for(&self, place: usize) -> impl Iterator<Item = &String> {
        self.0.iter().filter(move |message| message.kept_for.contains(&place)).map(|message| &message.label)
    }

    /// Publishes one more for everyone, in nobody's history; its label.
    pub(crate) async fn publish_last(&self, audience: &Audience) -> String {
        let label = format!("last-{}", unique());
        for account in [audience.account, audience.other] {
            let message = json!({"label": label, "_sqs_only": 1});
            Backend::new().post(&format!("/notify/{account}"), message).await.success();
        }
        label
    }
}

/// The backend at work.
pub(crate) struct Load {
    sent: Arc<Mutex<Sent>>,
    is_over: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Load {
    /// Begins to publish.
    pub(crate) fn start(audience: &Audience) -> Self {
        let (sent, is_over) = (Arc::<Mutex<Sent>>::default(), Arc::new(AtomicBool::new(false)));
        let publisher = Publisher { account: audience.account, other: audience.other, users: audience.users };
        let task = tokio::spawn(publisher.publish(Arc::clone(&sent), Arc::clone(&is_over)));
        Self { sent, is_over, task }
    }

    /// Notes what somebody else has published.
    pub(crate) fn note(&self, message: Message) {
        self.sent.lock().unwrap().0.push(message);
    }

    /// Waits until each kind of message was published again.
    pub(crate) async fn goes_on(&self) {
        let count = || self.sent.lock().unwrap().0.len();
        let start = count();
        eventually("more messages", || async {
            assert!(!self.task.is_finished(), "the publisher has failed");
            (count() >= start + 2 * KINDS).then_some(())
        })
        .await;
    }

    /// Stops publishing.
    pub(crate) async fn stop(self) -> Sent {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await.expect("every call has succeeded");
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}

struct Publisher {
    account: i64,
    other: i64,
    users: [i64; 2],
}

/// By the stream and by HTTP; to an account, a user and a session; and a session that lives on.
const KINDS: usize = 6;

impl Publisher {
    async fn publish(self, sent: Arc<Mutex<Sent>>, is_over: Arc<AtomicBool>) {
        for n in 0.. {
            if is_over.load(Ordering::Relaxed) {
                return;
            }
            let label = format!("n-{n}");
            let to = self.publish_one(n, &label).await;
            sent.lock().unwrap().0.push(Message { label, to, kept_for: to });
        }
    }

    /// Publishes a message; whom it is for.
    async fn publish_one(&self, n: usize, label: &str) -> &'static [usize] {
        let backend = Backend::new();
        let Self { account, other, users: [first, second] } = self;
        let post = async |path: String| {
            backend.post(&path, json!({"label": label})).await.success();
        };
        match n % KINDS {
            0 => backend.put_record(json!({"accountId": account, "label": label}).to_string()).await,
            1 => post(format!("/notify/{account}/user/{first}")).await,
            2 => backend.put_record(json!({"userId": second, "label": label}).to_string()).await,
            3 => post(format!("/notify/{other}/session/c")).await,
            4 => post(format!("/notify/{account}")).await,
            _ => {
                backend.post(&format!("/renew/{account}/a"), "").await.success();
                post(format!("/notify/{account}/session/a")).await;
            }
        }
        match n % KINDS {
            0 | 4 => &[0, 1],
            2 => &[1],
            3 => &[2],
            _ => &[0],
        }
    }
}
