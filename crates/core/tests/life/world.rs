//! AWS as far as sessions need it, with several calls on one session at the same time.

use sbe_core::{
    id::{AccountId, SessionId, UserId},
    life::{Answer, Ending, Life, Owned, Settings, Step, Wish},
    session::{Identity, Keys, MessageRetention, NewKey, Session},
};
use std::collections::{BTreeMap, BTreeSet};

/// The initial session ends between these two moments; what the calls store does not.
pub(crate) const EARLY: i64 = 0;
pub(crate) const LATE: i64 = 100;

/// The queue of the initial session.
pub(crate) const OLD_QUEUE: &str = "q";

/// What carries a call out: the machine that runs, or an older one.
pub(crate) trait Machine: Clone + std::fmt::Debug + Eq + std::hash::Hash {
    fn step(&self) -> Step;
    fn on(&mut self, answer: Answer, now: i64);
    fn abandon(&mut self);
}

impl Machine for Life {
    fn step(&self) -> Step {
        Life::step(self)
    }

    fn on(&mut self, answer: Answer, now: i64) {
        Life::on(self, answer, now);
    }

    fn abandon(&mut self) {
        Life::abandon(self);
    }
}

/// A call. What has ended remembers nothing, so that worlds which differ in no way that matters are
/// explored once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Caller<M> {
    Running(Running<M>),
    Ended,
}

/// What has happened to a call so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    None,
    LostAnswer,
    GivenUp,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Running<M> {
    machine: M,
    pub(crate) fault: Fault,
    pub(crate) has_begun: bool,
    /// How many identities and queues it has made, which names the next one.
    made: i8,
}

impl<M: Machine> Running<M> {
    pub(crate) fn step(&self) -> Step {
        self.machine.step()
    }

    /// Whether the call has anything to do when it is given up; else that is as good as to die.
    pub(crate) fn has_leftovers(&self) -> bool {
        let mut machine = self.machine.clone();
        machine.abandon();
        !matches!(machine.step(), Step::End(_))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World<M> {
    pub(crate) now: i64,
    pub(crate) table: Option<Session>,
    /// Queues by their URL, with the identity that their tag names.
    pub(crate) queues: BTreeMap<String, String>,
    pub(crate) identities: BTreeSet<String>,
    /// What the table's stream has not brought yet.
    pub(crate) stream: Vec<Owned>,
    pub(crate) callers: Vec<Caller<M>>,
    /// How many faults may still happen.
    pub(crate) faults_left: u8,
    /// Whether a call died or was given up.
    pub(crate) any_was_cut_short: bool,
    /// The identities whose keys were handed out.
    pub(crate) handed: BTreeSet<String>,
    /// The AES keys under which the stored session's queue may hold frames.
    pub(crate) frame_keys: BTreeSet<String>,
}

impl<M: Machine> World<M> {
    pub(crate) fn new(machines: Vec<M>) -> Self {
        let running = |machine| Running { machine, fault: Fault::None, has_begun: false, made: 0 };
        Self {
            now: EARLY,
            table: None,
            queues: BTreeMap::new(),
            identities: BTreeSet::new(),
            stream: Vec::new(),
            callers: machines.into_iter().map(|machine| Caller::Running(running(machine))).collect(),
            faults_left: 0,
            any_was_cut_short: false,
            handed: BTreeSet::new(),
            frame_keys: BTreeSet::new(),
        }
    }

    /// This world with other calls, of which so many may have a fault.
    pub(crate) fn with(self, machines: Vec<M>, faults_left: u8) -> Self {
        Self { callers: Self::new(machines).callers, faults_left, ..self }
    }

    pub(crate) fn is_running(&self, caller: usize) -> bool {
        matches!(self.callers[caller], Caller::Running(_))
    }

    /// Carries out the next step of a caller, and those that follow and concern nobody else.
    pub(crate) fn act(&mut self, caller: usize) {
        self.act_once(caller);
        while self.running(caller).is_some_and(|running| concerns_nobody_else(&running.step())) {
            self.act_once(caller);
        }
    }

    /// Carries out one step of a caller.
    pub(crate) fn act_once(&mut self, caller: usize) {
        let Some(running) = self.running(caller) else { return };
        let step = running.step();
        let made = match step {
            Step::MintIdentity | Step::MakeQueue { .. } => 1,
            // What was certainly never stored is known to nobody: its name can be used again.
            Step::DropQueue(_) | Step::DropIdentity(_)
                if running.fault == Fault::None && running.made > 0 =>
            {
                -1
            }
            _ => 0,
        };
        let (name, now) = (format!("{caller}{}", running.made), self.now);
        let answer = self.answer(&name, step);
        if let Caller::Running(running) = &mut self.callers[caller] {
            running.has_begun = true;
            running.machine.on(answer, now);
            running.made += made;
        }
        self.note_end(caller);
    }

    /// The next step is done, or is not, and the caller does not learn which.
    pub(crate) fn lose_answer(&mut self, caller: usize, is_done: bool) {
        let Some(running) = self.running(caller) else { return };
        let (name, step) = (format!("{caller}{}", running.made), running.step());
        let is_put = matches!(step, Step::Put { .. });
        if is_done {
            self.answer(&name, step);
        }
        let Caller::Running(running) = &mut self.callers[caller] else { return };
        self.faults_left -= 1;
        running.fault = Fault::LostAnswer;
        if is_put {
            running.machine.on(Answer::Unknown, self.now);
        }
    }

    /// The process of a caller dies. What it made and never stored is known to nobody: the cleanup
    /// takes the queue, and an identity without a queue opens nothing.
    pub(crate) fn die(&mut self, caller: usize) {
        self.callers[caller] = Caller::Ended;
        self.faults_left -= 1;
        self.any_was_cut_short = true;
        let stored = [owned(self.table.as_ref())];
        let known: Vec<&Owned> = stored.iter().chain(&self.stream).collect();
        let is_unknown = |name: &String| {
            maker(name) == Some(caller)
                && !known.iter().any(|one| [&one.sqs_url, &one.identity_id].contains(&&Some(name.clone())))
        };
        self.queues.retain(|url, _| !is_unknown(url));
        self.identities.retain(|id| !is_unknown(id));
    }

    pub(crate) fn give_up(&mut self, caller: usize) {
        let Caller::Running(running) = &mut self.callers[caller] else { return };
        running.machine.abandon();
        self.faults_left -= 1;
        running.fault = Fault::GivenUp;
        self.any_was_cut_short = true;
        self.note_end(caller);
    }

    /// Whether there is a queue for the cleanup, which spares all that the calls have made just now.
    pub(crate) fn has_unowned_old_queue(&self) -> bool {
        let is_owned = self.table.as_ref().is_some_and(|session| session.sqs_url == OLD_QUEUE);
        self.queues.contains_key(OLD_QUEUE) && !is_owned
    }

    fn running(&self, caller: usize) -> Option<&Running<M>> {
        match &self.callers[caller] {
            Caller::Running(running) => Some(running),
            Caller::Ended => None,
        }
    }

    fn note_end(&mut self, caller: usize) {
        let Some(Step::End(ending)) = self.running(caller).map(Running::step) else { return };
        if let Ending::Session(session, _) = ending {
            self.handed.insert(session.identity.id);
        }
        // Keys of what is gone tell nothing more.
        self.handed.retain(|id| self.identities.contains(id));
        self.callers[caller] = Caller::Ended;
    }

    fn answer(&mut self, name: &str, step: Step) -> Answer {
        match step {
            Step::Read => Answer::Stored(self.table.clone()),
            Step::MintIdentity => {
                let id = format!("i{name}");
                self.identities.insert(id.clone());
                Answer::Identity(Identity { id, developer_user_identifier: Some(String::new()) })
            }
            Step::MakeQueue { identity_id, .. } => {
                let sqs_url = format!("q{name}");
                self.queues.insert(sqs_url.clone(), identity_id);
                Answer::Queue { sqs_url, aes_key: String::new() }
            }
            Step::Put { session, replaced } => self.put(*session, replaced.map(|old| *old)),
            Step::SetRetention { sqs_url, .. } => done_or_missing(self.queues.contains_key(&sqs_url)),
            Step::Tag { sqs_url, identity_id } => match self.queues.get_mut(&sqs_url) {
                Some(tag) => {
                    *tag = identity_id;
                    Answer::Done
                }
                None => Answer::Missing,
            },
            Step::Keys(identity) if self.identities.contains(&identity.id) => Answer::Keys(keys()),
            Step::Keys(_) => Answer::Missing,
            Step::Remove(session) => {
                if self.table.as_ref().is_none_or(|stored| stored.sqs_url != session.sqs_url) {
                    return Answer::Conflict;
                }
                self.change(None);
                Answer::Done
            }
            Step::DropQueue(sqs_url) => {
                self.queues.remove(&sqs_url);
                Answer::Done
            }
            Step::DropIdentity(identity) => {
                self.identities.remove(&identity.id);
                Answer::Done
            }
            Step::End(_) => panic!("nothing follows the end"),
        }
    }

    /// The condition of `sbe_aws::sessions::Sessions::put`.
    fn put(&mut self, session: Session, replaced: Option<Session>) -> Answer {
        let version = |session: &Session| {
            (session.sqs_url.clone(), session.identity.clone(), session.aes_key.clone(), session.ttl)
        };
        if self.table.as_ref().map(version) != replaced.as_ref().map(version) {
            return Answer::Conflict;
        }
        self.change(Some(session));
        Answer::Done
    }

    /// Changes the table; the stream learns of it.
    pub(crate) fn change(&mut self, session: Option<Session>) {
        let now = owned(session.as_ref());
        if now.sqs_url != owned(self.table.as_ref()).sqs_url {
            self.frame_keys.clear();
        }
        self.frame_keys.extend(session.as_ref().map(|session| session.aes_key.clone()));
        let left = owned(std::mem::replace(&mut self.table, session).as_ref()).left_behind(&now);
        if left != Owned::default() {
            self.stream.push(left);
        }
    }

    /// The stream's processor handles the next record.
    pub(crate) fn process(&mut self) {
        let left = self.stream.remove(0);
        left.sqs_url.map(|url| self.queues.remove(&url));
        left.identity_id.map(|id| self.identities.remove(&id));
    }
}

/// Which call made a queue or an identity: its name says it.
pub(crate) fn maker(name: &str) -> Option<usize> {
    Some(name.chars().nth(1)?.to_digit(10)? as usize)
}

/// Whether other calls cannot tell when the step is done, and it does not depend on what they do:
/// what is made is not known to others yet, and what is dropped is not known any more.
pub(crate) fn concerns_nobody_else(step: &Step) -> bool {
    matches!(step, Step::MintIdentity | Step::MakeQueue { .. } | Step::DropQueue(_) | Step::DropIdentity(_))
}

/// Whether it matters that the step is done a second time later.
pub(crate) fn changes_what_others_see(step: &Step) -> bool {
    matches!(step, Step::Put { .. } | Step::Tag { .. } | Step::Remove(_))
}

fn done_or_missing(is_there: bool) -> Answer {
    if is_there { Answer::Done } else { Answer::Missing }
}

fn owned(session: Option<&Session>) -> Owned {
    Owned {
        sqs_url: session.map(|session| session.sqs_url.clone()),
        identity_id: session.map(|session| session.identity.id.clone()),
    }
}

pub(crate) fn life(wish: &Wish) -> Life {
    let settings = Settings {
        region: String::new(),
        session_ttl: 0,
        retention: MessageRetention::parse("60").expect("60 is a valid retention"),
        developer_identities: true,
    };
    Life::new(AccountId::from(1), session_id(), wish.clone(), settings)
}

pub(crate) fn create(user: i64) -> Wish {
    Wish::Create { user: Some(UserId::from(user)), retention: None }
}

/// A renewal, with a new key of this name or without.
pub(crate) fn renew(key: Option<&str>) -> Wish {
    Wish::Renew { rotation: key.map(|key| NewKey(key.into())) }
}

fn session_id() -> SessionId {
    SessionId::parse("s").expect("a valid id")
}

fn keys() -> Keys {
    let nothing = String::new;
    Keys { access_key: nothing(), secret_key: nothing(), session_token: nothing(), expires: 0 }
}

/// The session that is there when the calls begin.
pub(crate) fn initial_session() -> Session {
    Session {
        account_id: AccountId::from(1),
        session_id: session_id(),
        user_id: Some(UserId::from(1)),
        sqs_url: OLD_QUEUE.into(),
        region: String::new(),
        identity: Identity { id: "i".into(), developer_user_identifier: Some(String::new()) },
        aes_key: String::new(),
        previous: None,
        message_retention: MessageRetention::parse("60").expect("60 is a valid retention"),
        created: 0,
        renewed: 0,
        expires: 0,
        ttl: LATE / 2,
    }
}
