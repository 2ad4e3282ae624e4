//! The life of a session as a state machine: what `/create`, `/renew` and `/destroy` do, step by
//! step, whatever other calls do to the same session meanwhile.
//!
//! A [`Life`] is one call. It says what to do next ([`Life::step`]) and is told what came of it
//! ([`Life::on`]); it calls nothing itself. `tests/life.rs` explores every interleaving of three of
//! them, with calls that stop anywhere.
//!
//! Three rules make it safe:
//!
//! - *The table decides.* What a call wants is first put into the table, on the condition that the
//!   table still holds what the call has read. Who loses reads again.
//! - *Who has tagged reads again*, and tags what is stored until both agree. So the last tag names the
//!   stored identity, in whatever order the tags of several calls arrive.
//! - *Nothing is used twice.* An identity or a queue that was put once, with whatever result, is never
//!   put again: the table's stream may be about to delete it. What the table does not hold at the end
//!   is dropped by the call that made it; what it held once, the stream's processor removes.

use crate::{
    id::{AccountId, SessionId, UserId},
    session::{Identity, KEYS_LIFE, Keys, MessageRetention, NewKey, PreviousKey, Session},
};

/// What a call wants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wish {
    /// A session for a user (or for nobody in particular), new or refreshed.
    Create {
        /// The user of the session.
        user: Option<UserId>,
        /// How long its queue keeps messages, if the call says so.
        retention: Option<MessageRetention>,
    },
    /// A later end, and new access keys.
    Renew {
        /// A new AES key. It takes the place of the present one unless frames under one before that may
        /// still wait: at most two keys are needed at any time.
        rotation: Option<NewKey>,
    },
    /// No session.
    Destroy,
}

/// What a life needs to know of the deployment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Settings {
    /// The AWS region of new queues.
    pub region: String,
    /// Seconds from the end of a session's access keys to the end of the session.
    pub session_ttl: i64,
    /// Seconds that a new queue keeps messages, unless the call says otherwise.
    pub retention: MessageRetention,
    /// Whether identities are asked for under a developer user identifier, and not as guests.
    pub developer_identities: bool,
}

/// What to do next. Every step but [`Step::Put`] may be done again if its answer was lost.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// Read the session consistently: [`Answer::Stored`].
    Read,
    /// Ask for a new identity: [`Answer::Identity`].
    MintIdentity,
    /// Create a queue that is tagged with an identity: [`Answer::Queue`].
    MakeQueue {
        /// The identity.
        identity_id: String,
        /// How long the queue keeps messages.
        retention: MessageRetention,
    },
    /// Store a session if the table still holds what was read: [`Answer::Done`],
    /// [`Answer::Conflict`] or, if no answer came, [`Answer::Unknown`].
    Put {
        /// The session.
        session: Box<Session>,
        /// What the table must hold: this one, or nothing.
        replaced: Option<Box<Session>>,
    },
    /// Change how long a queue keeps messages: [`Answer::Done`] or [`Answer::Missing`].
    SetRetention {
        /// The queue.
        sqs_url: String,
        /// How long.
        retention: MessageRetention,
    },
    /// Tag a queue with an identity: [`Answer::Done`] or [`Answer::Missing`].
    Tag {
        /// The queue.
        sqs_url: String,
        /// The identity.
        identity_id: String,
    },
    /// Ask for access keys of an identity: [`Answer::Keys`] or [`Answer::Missing`].
    Keys(Identity),
    /// Remove a session if the table still holds one with its queue: [`Answer::Done`] or
    /// [`Answer::Conflict`].
    Remove(Box<Session>),
    /// Delete a queue: [`Answer::Done`], also if it cannot be deleted now.
    DropQueue(String),
    /// Delete an identity: [`Answer::Done`], also if it cannot be deleted now.
    DropIdentity(Identity),
    /// The call has ended.
    End(Ending),
}

/// What came of a step. Without `Debug`: it holds keys.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Answer {
    /// What the table holds.
    Stored(Option<Session>),
    /// The new identity.
    Identity(Identity),
    /// The new queue, and a new AES key for its frames.
    Queue {
        /// Where SQS answers for it.
        sqs_url: String,
        /// The base64 of the key.
        aes_key: String,
    },
    /// It is done.
    Done,
    /// The table holds something else.
    Conflict,
    /// It may or may not be done.
    Unknown,
    /// The queue or identity does not exist.
    Missing,
    /// Access keys.
    Keys(Keys),
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With a session and access keys of its identity.
    Session(Box<Session>, Keys),
    /// The session is no more.
    Destroyed,
    /// There is no such session.
    NotFound,
    /// Another call took the place of what this one had stored: to be tried again later.
    Overtaken,
    /// The call was given up.
    Abandoned,
}

/// One call on a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Life {
    account: AccountId,
    id: SessionId,
    wish: Wish,
    settings: Settings,
    phase: Phase,
    /// Whether the table was read.
    has_read: bool,
    /// What it held when it was read first.
    first: Option<Session>,
    /// Whether the table has held what this call has put.
    has_stored: bool,
    /// Whether the queue keeps messages for as long as the call says.
    retention_is_set: bool,
    /// What was made and is not known to have been stored.
    made: Vec<Made>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Phase {
    /// To find out what is stored; maybe because something of it was found missing.
    Read(Option<Missing>),
    MintIdentity(Base),
    MakeQueue(Option<Box<Session>>, Identity),
    Put(Box<Session>, Option<Box<Session>>),
    SetRetention(Box<Session>),
    Tag(Box<Session>),
    /// To find out whether what was tagged is what is stored.
    Verify(Box<Session>),
    Keys(Box<Session>),
    Remove(Box<Session>),
    DropQueue(String),
    /// To find out, after the call was given up, what of its own is stored.
    LookBack,
    /// To drop what was made and is not stored, then to go on.
    Drop(Vec<Made>, Box<Phase>),
    End(Ending),
}

/// What was found missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Missing {
    Queue(String),
    Identity(String),
}

/// What gets a new identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Base {
    /// A new session in place of what is stored, if anything is.
    New(Option<Box<Session>>),
    /// The stored session.
    Stored(Box<Session>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Made {
    Identity(Identity),
    Queue(String),
}

impl Life {
    /// A call that has done nothing yet.
    pub fn new(account: AccountId, id: SessionId, wish: Wish, settings: Settings) -> Self {
        Self {
            account,
            id,
            wish,
            settings,
            phase: Phase::Read(None),
            has_read: false,
            first: None,
            has_stored: false,
            retention_is_set: false,
            made: Vec::new(),
        }
    }

    /// The session that the call is about.
    pub fn key(&self) -> (&AccountId, &SessionId) {
        (&self.account, &self.id)
    }

    /// What to do next.
    pub fn step(&self) -> Step {
        match &self.phase {
            Phase::Read(_) | Phase::Verify(_) | Phase::LookBack => Step::Read,
            Phase::MintIdentity(_) => Step::MintIdentity,
            Phase::MakeQueue(_, identity) => {
                Step::MakeQueue { identity_id: identity.id.clone(), retention: self.retention() }
            }
            Phase::Put(session, replaced) => {
                Step::Put { session: session.clone(), replaced: replaced.clone() }
            }
            Phase::SetRetention(session) => {
                Step::SetRetention { sqs_url: session.sqs_url.clone(), retention: self.retention() }
            }
            Phase::Tag(session) => {
                Step::Tag { sqs_url: session.sqs_url.clone(), identity_id: session.identity.id.clone() }
            }
            Phase::Keys(session) => Step::Keys(session.identity.clone()),
            Phase::Remove(session) => Step::Remove(session.clone()),
            Phase::DropQueue(sqs_url) => Step::DropQueue(sqs_url.clone()),
            Phase::Drop(leftovers, _) => match &leftovers[0] {
                Made::Identity(identity) => Step::DropIdentity(identity.clone()),
                Made::Queue(sqs_url) => Step::DropQueue(sqs_url.clone()),
            },
            Phase::End(ending) => Step::End(ending.clone()),
        }
    }

    /// Takes the answer to the step, at `now` (epoch seconds).
    ///
    /// # Panics
    /// If the answer is none of those that the step has.
    pub fn on(&mut self, answer: Answer, now: i64) {
        let phase = std::mem::replace(&mut self.phase, Phase::LookBack);
        self.phase = match (phase, answer) {
            (Phase::Read(missing), Answer::Stored(stored)) => {
                let leftovers = self.leftovers(stored.as_ref());
                without(leftovers, self.plan(stored, missing.as_ref(), now))
            }
            (Phase::MintIdentity(base), Answer::Identity(identity)) => self.minted(base, identity, now),
            (Phase::MakeQueue(replaced, identity), Answer::Queue { sqs_url, aes_key }) => {
                self.made.push(Made::Queue(sqs_url.clone()));
                let session = self.new_session(sqs_url, identity, aes_key, now);
                Phase::Put(Box::new(session), replaced)
            }
            (Phase::Put(session, replaced), Answer::Done) => self.stored(session, replaced.as_deref()),
            // What won has to be looked at. What was put may be there, or may have been and be gone
            // again: then the stream deletes what it names.
            (Phase::Put(..), Answer::Conflict | Answer::Unknown) => Phase::Read(None),
            (Phase::SetRetention(session), Answer::Done) => {
                self.retention_is_set = true;
                Phase::Tag(session)
            }
            (Phase::Tag(session), Answer::Done) => Phase::Verify(session),
            (Phase::SetRetention(session) | Phase::Tag(session), Answer::Missing) => {
                Phase::Read(Some(Missing::Queue(session.sqs_url)))
            }
            (Phase::Verify(tagged), Answer::Stored(stored)) => self.verify(&tagged, stored, now),
            (Phase::Keys(session), Answer::Keys(keys)) => Phase::End(Ending::Session(session, keys)),
            (Phase::Keys(session), Answer::Missing) => {
                Phase::Read(Some(Missing::Identity(session.identity.id)))
            }
            // A conflict: gone, or made anew since. What was to be destroyed is no more.
            (Phase::Remove(session), Answer::Done | Answer::Conflict) => Phase::DropQueue(session.sqs_url),
            (Phase::DropQueue(_), Answer::Done) => Phase::End(Ending::Destroyed),
            (Phase::LookBack, Answer::Stored(stored)) => {
                without(self.leftovers(stored.as_ref()), Phase::End(Ending::Abandoned))
            }
            (Phase::Drop(mut leftovers, then), Answer::Done) => {
                leftovers.remove(0);
                without(leftovers, *then)
            }
            (phase, _) => panic!("the answer is none to {phase:?}"),
        };
    }

    /// Gives the call up: what is left to do is to drop what was made and is not stored.
    pub fn abandon(&mut self) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::LookBack) {
            Phase::Drop(leftovers, _) => Phase::Drop(leftovers, Box::new(Phase::End(Ending::Abandoned))),
            _ if self.made.is_empty() => Phase::End(Ending::Abandoned),
            _ => Phase::LookBack,
        };
    }

    /// Takes from what was made all that is not stored.
    fn leftovers(&mut self, stored: Option<&Session>) -> Vec<Made> {
        let mut made = std::mem::take(&mut self.made);
        made.retain(|made| !stored.is_some_and(|session| is_of(made, session)));
        made
    }

    /// What to do about what the table holds.
    fn plan(&mut self, stored: Option<Session>, missing: Option<&Missing>, now: i64) -> Phase {
        if !self.has_read {
            self.has_read = true;
            self.first.clone_from(&stored);
        }
        let Some(session) = stored else { return self.without_session(None, false) };
        let first = self.first.as_ref();
        let is_unchanged = first.is_some_and(|first| is_same_version(first, &session));
        let is_first_identity = first.is_some_and(|first| first.identity == session.identity);
        let lost_queue = missing == Some(&Missing::Queue(session.sqs_url.clone()));
        let lost_identity = missing == Some(&Missing::Identity(session.identity.id.clone()));
        let is_of_other_kind =
            session.identity.developer_user_identifier.is_some() != self.settings.developer_identities;
        match self.wish {
            Wish::Destroy => Phase::Remove(Box::new(session)),
            _ if lost_queue || !self.can_keep(&session, now) => {
                self.without_session(Some(session), lost_queue)
            }
            _ if lost_identity || is_of_other_kind => Phase::MintIdentity(Base::Stored(Box::new(session))),
            Wish::Create { .. } if is_first_identity => Phase::MintIdentity(Base::Stored(Box::new(session))),
            Wish::Renew { .. } if is_unchanged || self.rotation(&session, now).is_some() => {
                Phase::Put(Box::new(self.extended(&session, now)), Some(Box::new(session)))
            }
            // Another call has done already what this one is for; or this one, and its answer was lost.
            _ => self.confirm(Box::new(session)),
        }
    }

    /// Whether the call can go on with what is stored.
    fn can_keep(&self, session: &Session, now: i64) -> bool {
        let is_right_user = match &self.wish {
            // For another user it is made anew, so that the messages which wait for the former user
            // cannot be read by the next one.
            Wish::Create { user, .. } => session.user_id == *user,
            Wish::Renew { .. } | Wish::Destroy => true,
        };
        session.is_active(now) && is_right_user
    }

    /// What to do where there is no session that can be kept, or none with a queue.
    fn without_session(&self, stored: Option<Session>, lost_queue: bool) -> Phase {
        match self.wish {
            // Calls for different users would otherwise replace each other's sessions for ever.
            Wish::Create { .. } if self.has_stored && !lost_queue => Phase::End(Ending::Overtaken),
            Wish::Create { .. } => Phase::MintIdentity(Base::New(stored.map(Box::new))),
            Wish::Renew { .. } | Wish::Destroy => Phase::End(Ending::NotFound),
        }
    }

    fn minted(&mut self, base: Base, identity: Identity, now: i64) -> Phase {
        self.made.push(Made::Identity(identity.clone()));
        match base {
            Base::New(replaced) => Phase::MakeQueue(replaced, identity),
            Base::Stored(old) => {
                let session = Session { identity, ..self.extended(&old, now) };
                Phase::Put(Box::new(session), Some(old))
            }
        }
    }

    /// The table holds what was put.
    fn stored(&mut self, session: Box<Session>, replaced: Option<&Session>) -> Phase {
        self.has_stored = true;
        self.made.clear();
        if replaced.is_some_and(|old| old.sqs_url == session.sqs_url) {
            return self.confirm(session);
        }
        // The queue was tagged when it was made, before anybody else could know of it.
        Phase::Keys(session)
    }

    /// Makes the queue agree with what the table holds.
    fn confirm(&self, session: Box<Session>) -> Phase {
        match self.wish {
            Wish::Create { retention: Some(_), .. } if !self.retention_is_set => Phase::SetRetention(session),
            _ => Phase::Tag(session),
        }
    }

    fn verify(&mut self, tagged: &Session, stored: Option<Session>, now: i64) -> Phase {
        match stored {
            Some(session) if is_tagged(tagged, &session) && self.can_keep(&session, now) => {
                Phase::Keys(Box::new(session))
            }
            stored => self.plan(stored, None, now),
        }
    }

    fn retention(&self) -> MessageRetention {
        match self.wish {
            Wish::Create { retention: Some(retention), .. } => retention,
            _ => self.settings.retention,
        }
    }

    /// The session with a later end, never an earlier one, and with the key and retention that the call
    /// brings.
    fn extended(&self, session: &Session, now: i64) -> Session {
        let key = self.rotation(session, now);
        let retired = || PreviousKey { aes_key: session.aes_key.clone(), rotated: now };
        Session {
            previous: key.map(|_| retired()).or_else(|| session.previous_key(now).cloned()),
            aes_key: key.unwrap_or(&session.aes_key).clone(),
            message_retention: match self.wish {
                Wish::Create { retention: Some(retention), .. } => retention,
                _ => session.message_retention,
            },
            renewed: now,
            expires: session.expires.max(now + KEYS_LIFE),
            ttl: session.ttl.max(now + KEYS_LIFE + self.settings.session_ttl),
            ..session.clone()
        }
    }

    /// The key that the call still has to bring.
    fn rotation(&self, session: &Session, now: i64) -> Option<&String> {
        let Wish::Renew { rotation: Some(NewKey(key)) } = &self.wish else { return None };
        (session.aes_key != *key && session.previous_key(now).is_none()).then_some(key)
    }

    fn new_session(&self, sqs_url: String, identity: Identity, aes_key: String, now: i64) -> Session {
        let user_id = match &self.wish {
            Wish::Create { user, .. } => user.clone(),
            Wish::Renew { .. } | Wish::Destroy => None,
        };
        Session {
            account_id: self.account.clone(),
            session_id: self.id.clone(),
            user_id,
            sqs_url,
            region: self.settings.region.clone(),
            identity,
            aes_key,
            previous: None,
            message_retention: self.retention(),
            created: now,
            renewed: now,
            expires: now + KEYS_LIFE,
            ttl: now + KEYS_LIFE + self.settings.session_ttl,
        }
    }
}

fn without(leftovers: Vec<Made>, then: Phase) -> Phase {
    if leftovers.is_empty() { then } else { Phase::Drop(leftovers, Box::new(then)) }
}

fn is_of(made: &Made, session: &Session) -> bool {
    match made {
        Made::Identity(identity) => *identity == session.identity,
        Made::Queue(sqs_url) => *sqs_url == session.sqs_url,
    }
}

/// Whether the tag that `tagged` was given is right for `stored`.
fn is_tagged(tagged: &Session, stored: &Session) -> bool {
    (&tagged.sqs_url, &tagged.identity) == (&stored.sqs_url, &stored.identity)
}

/// Whether nothing was put between the two.
fn is_same_version(one: &Session, other: &Session) -> bool {
    is_tagged(one, other) && one.aes_key == other.aes_key && one.ttl == other.ttl
}

/// What a session owns: what its item names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Owned {
    /// Its queue.
    pub sqs_url: Option<String>,
    /// Its identity.
    pub identity_id: Option<String>,
}

impl Owned {
    /// What a change of the table leaves behind: what only the former item names. Nobody puts it
    /// again, so that it can be deleted at any time.
    #[must_use]
    pub fn left_behind(self, now: &Self) -> Self {
        Self {
            sqs_url: self.sqs_url.filter(|url| Some(url) != now.sqs_url.as_ref()),
            identity_id: self.identity_id.filter(|id| Some(id) != now.identity_id.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_former_item_names_is_left_behind() {
        let owned = |url: &str, id: &str| Owned { sqs_url: Some(url.into()), identity_id: Some(id.into()) };
        let left = |now: &Owned| owned("q1", "i1").left_behind(now);
        assert_eq!(left(&owned("q1", "i1")), Owned::default(), "renewed");
        assert_eq!(left(&owned("q1", "i2")), Owned { sqs_url: None, ..owned("", "i1") }, "refreshed");
        assert_eq!(left(&owned("q2", "i2")), owned("q1", "i1"), "made anew");
        assert_eq!(left(&Owned::default()), owned("q1", "i1"), "ended");
    }
}
