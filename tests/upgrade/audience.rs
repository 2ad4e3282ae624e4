//! Sessions that receive all the time, and what each of them must have in the end.

use crate::load::Sent;
use sbe_tests::{Backend, Browser, backend::sqs, eventually, now, unique};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// A session, which messages it has received, and the poll that receives them.
pub(crate) struct Member {
    /// Its browser.
    pub(crate) browser: Browser,
    received: Arc<Mutex<Vec<String>>>,
}

/// Two sessions of one account, of two users, and one of another account without a user.
pub(crate) struct Audience {
    /// The account of the first two.
    pub(crate) account: i64,
    /// The account of the third.
    pub(crate) other: i64,
    /// The users of the first two.
    pub(crate) users: [i64; 2],
    /// The sessions.
    pub(crate) members: [Member; 3],
    is_over: Arc<AtomicBool>,
}

impl Audience {
    /// Creates the sessions, which begin to receive.
    pub(crate) async fn create() -> Self {
        let backend = Backend::new();
        let [account, other, first, second] = std::array::from_fn(|_| unique());
        let browsers = [
            backend.create(account, "a", Some(first)).await,
            backend.create(account, "b", Some(second)).await,
            backend.create(other, "c", None).await,
        ];
        let is_over = Arc::new(AtomicBool::new(false));
        let members = browsers.map(|browser| {
            let received = Arc::default();
            tokio::spawn(receive(browser.clone(), Arc::clone(&received), Arc::clone(&is_over)));
            Member { browser, received }
        });
        Self { account, other, users: [first, second], members, is_over }
    }

    /// Each session has received what was sent to it, once.
    pub(crate) async fn has_all_once(&self, sent: &Sent) {
        for (place, member) in self.members.iter().enumerate() {
            let has = || member.received.lock().unwrap().iter().cloned().collect::<HashSet<_>>();
            let missing =
                || sent.to(place).filter(|label| !has().contains(*label)).cloned().collect::<Vec<_>>();
            eventually("all messages", || async { missing().is_empty().then_some(()) }).await;
        }
        // What would come twice has come by now, or comes with what is published last.
        let last = sent.publish_last(self).await;
        for (place, member) in self.members.iter().enumerate() {
            let ended = || member.received.lock().unwrap().contains(&last);
            eventually("the last message", || async { ended().then_some(()) }).await;
            let mut received = member.received.lock().unwrap().clone();
            received.retain(|label| *label != last);
            received.sort();
            let mut expected: Vec<String> = sent.to(place).cloned().collect();
            expected.sort();
            assert_eq!(received, expected, "session {place}");
        }
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Each user's history has what was sent to the user, once.
    pub(crate) async fn remembers_all_once(&self, sent: &Sent) {
        for (place, user) in self.users.into_iter().enumerate() {
            let expected = count(sent.kept_for(place).cloned());
            let same = || async { (history(user).await == expected).then_some(()) };
            eventually("the history", same).await;
        }
    }

    /// The users have read what came until now.
    pub(crate) async fn reads(&self) {
        for user in self.users {
            let read = format!("/messages/set-read/user/{user}/asof/{}?async", now());
            Backend::new().post(&read, "").await.success();
        }
    }

    /// A session is created and ended, and its queue removed.
    pub(crate) async fn comes_and_goes(&self) {
        let (backend, account) = (Backend::new(), unique());
        let queue = backend.create(account, "d", None).await.queue();
        backend.post(&format!("/destroy/{account}/d"), "").await.success();
        let is_gone = || async {
            let get = sqs().get_queue_attributes().queue_url(&queue).send().await;
            get.is_err().then_some(())
        };
        eventually("the end of a queue", is_gone).await;
    }

    /// What was read before and after is read.
    pub(crate) async fn has_read_all(&self) {
        let backend = Backend::new();
        for user in self.users {
            let read = format!("/messages/set-read/user/{user}/asof/{}?async", now() + 1);
            backend.post(&read, "").await.success();
            let unread = || async {
                backend.get(&format!("/messages/user/{user}/unread")).await.success()["unread"].as_i64()
            };
            eventually("nothing unread", || async { (unread().await == Some(0)).then_some(()) }).await;
        }
    }
}

async fn receive(browser: Browser, received: Arc<Mutex<Vec<String>>>, is_over: Arc<AtomicBool>) {
    while !is_over.load(Ordering::Relaxed) {
        for text in browser.poll(2).await {
            let message: Value = serde_json::from_str(&text).unwrap();
            // Read receipts have no label.
            received.lock().unwrap().extend(message["label"].as_str().map(str::to_owned));
        }
    }
}

/// How often a user's history has each label.
async fn history(user: i64) -> BTreeMap<String, usize> {
    let backend = Backend::new();
    let (mut labels, mut next) = (Vec::new(), String::new());
    loop {
        let page = backend.get(&format!("/messages/user/{user}?limit=100{next}")).await.success();
        let messages = page["messages"].as_array().unwrap();
        labels.extend(messages.iter().filter_map(|message| message["label"].as_str().map(str::to_owned)));
        match page["next"].as_str() {
            Some(token) => next = format!("&next={}", sbe_tests::backend::in_path(token)),
            None => return count(labels),
        }
    }
}

fn count(labels: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    labels.into_iter().for_each(|label| *counts.entry(label).or_default() += 1);
    counts
}
