//! Checks histories and read receipts, when everything is delivered.

use super::{ledger::Fate, plan::Message, population::Keys, work::Work};
use crate::{failure::Failure, progress::Progress};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sbe_client::api::in_path;
use serde::Serialize;
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Histories read at the same time.
const AT_ONCE: usize = 4;

/// A history that lacks something is read again after this.
const PAUSE: Duration = Duration::from_secs(1);

/// What histories have, against what they must have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Histories {
    /// Histories read.
    pub users: u64,
    /// Entries that must be there.
    pub expected: u64,
    /// Those that are not.
    pub missing: u64,
    /// Messages that are there more than once.
    pub twice: u64,
    /// Messages that must not be there.
    pub misplaced: u64,
}

/// What became of read receipts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Receipts {
    /// Messages marked read.
    pub marked: u64,
    /// Those that the API did not mark, or whose history does not say that they are read.
    pub unmarked: u64,
    /// Sessions' messages that they had to be told of.
    pub expected: u64,
    /// Those that they were not told of.
    pub lost: u64,
}

/// Whether a user's history keeps a message. docs/PROTOCOL.md: "Each distinct user reached keeps the message
/// once, however many sessions; a message addressed to a `userId` is kept even with no session."
fn keeps(work: &Work, user: u32, message: &Message) -> bool {
    let members = &work.plan.population.members;
    let reaches =
        || work.plan.population.sessions_of(user).any(|session| message.keys.are_for(members[session]));
    !message.sqs_only && (message.keys.user == Some(user) || (!elsewhere(message.keys, user) && reaches()))
}

/// Whether a message is for another user: most are, and need no look at sessions.
fn elsewhere(keys: Keys, user: u32) -> bool {
    keys.user.is_some_and(|other| other != user)
}

/// Reads the histories of all users, again while something is missing that may still come.
pub async fn check(work: &Work) -> Result<Histories, Failure> {
    let users = work.plan.population.users;
    let progress = Progress::new("reading histories", users.into());
    let end = Instant::now() + work.given.scenario.check.drain;
    let checks = (0..users).map(|user| {
        let progress = &progress;
        async move {
            let of_user = settled(work, user, end).await;
            progress.advance();
            of_user
        }
    });
    let sum = |sum: Histories, of_user: Histories| async move {
        Ok(Histories {
            users: sum.users + 1,
            expected: sum.expected + of_user.expected,
            missing: sum.missing + of_user.missing,
            twice: sum.twice + of_user.twice,
            misplaced: sum.misplaced + of_user.misplaced,
        })
    };
    stream::iter(checks).buffer_unordered(AT_ONCE).try_fold(Histories::default(), sum).await
}

async fn settled(work: &Work, user: u32, end: Instant) -> Result<Histories, Failure> {
    loop {
        let found = compared(work, user, &entries(work, user, "").await?);
        if found.missing == 0 || Instant::now() + PAUSE > end {
            return Ok(found);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A history's entries, how often each is there, against the messages that it must have.
fn compared(work: &Work, user: u32, entries: &BTreeMap<usize, u64>) -> Histories {
    let ledger = work.ledger();
    let mut found = Histories::default();
    for (n, message) in work.plan.messages.iter().enumerate() {
        let (kept, times) = (keeps(work, user, message), entries.get(&n).copied().unwrap_or_default());
        let must = kept && ledger.fate(n) == Fate::Accepted;
        found.expected += u64::from(must);
        found.missing += u64::from(must && times == 0);
        found.twice += u64::from(times > 1);
        found.misplaced += u64::from(times > 0 && !kept);
    }
    found
}

/// The messages of this run in a user's history: number, and how often it is there.
async fn entries(work: &Work, user: u32, filter: &str) -> Result<BTreeMap<usize, u64>, Failure> {
    let path = format!("/messages/user/{}?limit=1000{filter}", work.run.user(user));
    let (mut entries, mut next) = (BTreeMap::new(), String::new());
    loop {
        let page = work.call("GET", &format!("{path}{next}"), "").await?;
        let ids =
            page["messages"].as_array().into_iter().flatten().filter_map(|entry| entry["messageId"].as_str());
        for n in ids.filter_map(|id| work.run.number(id)) {
            *entries.entry(n).or_default() += 1;
        }
        match page["next"].as_str() {
            Some(token) => next = format!("&next={}", in_path(token)),
            None => return Ok(entries),
        }
    }
}

/// Marks up to three messages of some users read, and waits until all sessions of theirs are told.
pub async fn check_receipts(work: &Work) -> Result<Receipts, Failure> {
    let chosen = chosen(work);
    let mut receipts = Receipts::default();
    for (user, messages) in &chosen {
        receipts.marked += messages.len() as u64;
        receipts.unmarked += mark(work, *user, messages).await?;
    }
    let end = Instant::now() + work.given.scenario.check.drain;
    loop {
        (receipts.expected, receipts.lost) = told(work, &chosen);
        if receipts.lost == 0 || Instant::now() > end {
            return Ok(receipts);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Users with the most sessions, and messages of theirs: the first, one in the middle, the last.
fn chosen(work: &Work) -> Vec<(u32, Vec<usize>)> {
    let population = &work.plan.population;
    let mut users: Vec<u32> = (0..population.users).collect();
    users.sort_by_key(|user| std::cmp::Reverse(population.sessions_of(*user).count()));
    let with_messages = users.into_iter().filter_map(|user| {
        let ledger = work.ledger();
        let kept =
            |n: &usize| ledger.fate(*n) == Fate::Accepted && keeps(work, user, &work.plan.messages[*n]);
        let kept: Vec<usize> = (0..work.plan.messages.len()).filter(kept).collect();
        let mut some = vec![*kept.first()?, kept[kept.len() / 2], *kept.last()?];
        some.dedup();
        Some((user, some))
    });
    with_messages.take(work.given.scenario.check.receipts).collect()
}

/// Marks messages of a user read; answers how many are not.
async fn mark(work: &Work, user: u32, messages: &[usize]) -> Result<u64, Failure> {
    let ids: Vec<String> = messages.iter().map(|n| work.run.message_id(*n)).collect();
    let path = format!("/messages/set-read/user/{}", work.run.user(user));
    work.call("POST", &path, &json!(ids).to_string()).await?;
    let end = Instant::now() + work.given.scenario.check.drain;
    loop {
        let read = entries(work, user, "&is_read=1").await?;
        let unread = messages.iter().filter(|n| !read.contains_key(n)).count() as u64;
        if unread == 0 || Instant::now() + PAUSE > end {
            return Ok(unread);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// How many receipts the sessions of these users must be told of, and how many they were not.
fn told(work: &Work, chosen: &[(u32, Vec<usize>)]) -> (u64, u64) {
    let ledger = work.ledger();
    let (mut expected, mut lost) = (0, 0);
    for (user, messages) in chosen {
        for session in work.plan.population.sessions_of(*user) {
            expected += messages.len() as u64;
            lost += messages.iter().filter(|n| !ledger.told(session).contains(n)).count() as u64;
        }
    }
    (expected, lost)
}
