//! The order of steps that had the race: the tag first, then the table. Who loses has moved the tag
//! already, and when its tries are used up, nobody moves it back. It shows that the explorer finds what
//! it is there to find.

use crate::world::Machine;
use sbe_core::{
    life::{Answer, Ending, Step},
    session::{Identity, Session},
};

/// `/create` of a session that is there, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum TagFirst {
    Read,
    Mint(Box<Session>),
    Tag(Box<Session>, Identity),
    Put(Box<Session>, Identity),
    Keys(Box<Session>),
    Drop(Identity),
    End(Ending),
}

impl Machine for TagFirst {
    fn step(&self) -> Step {
        match self {
            Self::Read => Step::Read,
            Self::Mint(_) => Step::MintIdentity,
            Self::Tag(old, identity) => {
                Step::Tag { sqs_url: old.sqs_url.clone(), identity_id: identity.id.clone() }
            }
            Self::Put(old, identity) => {
                let session = Session { identity: identity.clone(), ttl: 3600, ..(**old).clone() };
                Step::Put { session: Box::new(session), replaced: Some(old.clone()) }
            }
            Self::Keys(session) => Step::Keys(session.identity.clone()),
            Self::Drop(identity) => Step::DropIdentity(identity.clone()),
            Self::End(ending) => Step::End(ending.clone()),
        }
    }

    fn on(&mut self, answer: Answer, _: i64) {
        *self = match (self.clone(), answer) {
            (Self::Read, Answer::Stored(Some(session))) => Self::Mint(Box::new(session)),
            (Self::Mint(old), Answer::Identity(identity)) => Self::Tag(old, identity),
            (Self::Tag(old, identity), Answer::Done) => Self::Put(old, identity),
            (Self::Put(old, identity), Answer::Done) => Self::Keys(Box::new(Session { identity, ..*old })),
            (Self::Put(_, identity), Answer::Conflict | Answer::Unknown) => Self::Drop(identity),
            (Self::Drop(_), Answer::Done) => Self::End(Ending::Overtaken),
            (Self::Keys(session), Answer::Keys(keys)) => Self::End(Ending::Session(session, keys)),
            (_, _) => Self::End(Ending::Abandoned),
        }
    }

    fn abandon(&mut self) {
        *self = Self::End(Ending::Abandoned);
    }
}
