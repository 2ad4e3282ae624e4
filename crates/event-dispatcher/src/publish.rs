//! Messages of one call, by HTTP or by invocation: a JSON object, or an array of them.
//!
//! Each message is accepted or refused by itself.

use crate::{
    App,
    dispatch::{Times, dispatch},
};
use sbe_aws::Error;
use sbe_core::{
    Invalid,
    broadcast::Broadcasts,
    envelope,
    history::Timestamp,
    id::MessageId,
    message::{MAX_MESSAGES_PER_CALL, Message, Published, derived_id, id_in},
    stages::{Accepted, Rejected, Source, Stage},
    target::Target,
};
use sbe_edge::Trail;
use serde::Serialize;
use serde_json::value::RawValue;

/// The JSON texts in a body.
pub(crate) enum Body<'a> {
    /// Anything but an array; whether it is a message is not said yet.
    One(&'a [u8]),
    /// The elements of an array.
    Many(Vec<&'a RawValue>),
}

impl<'a> Body<'a> {
    /// Tells an array from one message.
    pub(crate) fn parse(text: &'a [u8]) -> std::result::Result<Self, Invalid> {
        if !text.trim_ascii_start().starts_with(b"[") {
            return Ok(Self::One(text));
        }
        let elements = serde_json::from_slice(text).map_err(|_| {
            Invalid::new("body", "must be a JSON object, or a JSON array of objects, in UTF-8")
        })?;
        Self::many(elements)
    }

    /// The body of an invocation: also the list that callers of the original system hand over.
    pub(crate) fn of_invocation(text: &'a str) -> std::result::Result<Self, Invalid> {
        match envelope::records(text)? {
            Some(elements) => Self::many(elements),
            None => Self::parse(text.as_bytes()),
        }
    }

    fn many(elements: Vec<&'a RawValue>) -> std::result::Result<Self, Invalid> {
        if !(1..=MAX_MESSAGES_PER_CALL).contains(&elements.len()) {
            return Err(Invalid::new("body", "must hold 1 to 500 messages"));
        }
        Ok(Self::Many(elements))
    }

    /// The texts of the messages.
    pub(crate) fn texts(&self) -> Vec<&'a [u8]> {
        match self {
            Self::One(text) => vec![*text],
            Self::Many(elements) => elements.iter().map(|element| element.get().as_bytes()).collect(),
        }
    }
}

/// A message that was read, or why it is none.
pub(crate) type Read = std::result::Result<Published, Refused>;

/// A message that is malformed.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    /// The id that it brings or would have been given.
    pub(crate) id: MessageId,
    /// What is wrong with it.
    pub(crate) reason: Invalid,
    size: usize,
}

impl Refused {
    /// `default_id` is called when no id can be read in its text.
    pub(crate) fn new(text: &[u8], reason: Invalid, default_id: impl FnOnce() -> MessageId) -> Self {
        Self { id: id_in(text).unwrap_or_else(default_id), reason, size: text.len() }
    }

    /// What the log tells of it.
    pub(crate) fn told(&self, event_id: Option<&str>) -> Rejected {
        Rejected::new(self.id.clone(), &self.reason, self.size, event_id)
    }
}

/// Reads the messages of a call. `seed` makes the ids of those that bring none: it differs from
/// call to call, and is the same when a call is repeated by its source.
pub(crate) fn read(
    texts: &[&[u8]],
    path: &Target,
    broadcasts: Broadcasts,
    seed: &str,
    now: Timestamp,
) -> Vec<Read> {
    let read_one = |(index, text): (usize, &&[u8])| {
        let id = || derived_id([seed.as_bytes(), &index.to_be_bytes(), text]);
        let message = Message::parse(text, path, id).and_then(|message| broadcasts.admit(message));
        let message = message.map_err(|reason| Refused::new(text, reason, id))?;
        Ok(Published { message, created: Timestamp(now.0 + i64::try_from(index).unwrap_or_default()) })
    };
    texts.iter().enumerate().map(read_one).collect()
}

/// Tells the log what was read. A caller by HTTP has the reasons: nobody else has to do anything.
pub(crate) fn tell(trail: Trail<'_>, source: Source, read: &[Read]) {
    let accepted = read.iter().filter_map(|read| Some(Accepted::new(read.as_ref().ok()?, None)));
    trail.info(accepted, |messages| Stage::Accepted { source, messages });
    let rejected = read.iter().filter_map(|read| Some(read.as_ref().err()?.told(None)));
    let stage = |messages| Stage::Rejected { source, messages };
    if source == Source::Http {
        trail.info(rejected, stage);
    } else {
        trail.warn(rejected, stage);
    }
}

/// What became of one message.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Fate {
    /// It is on its way. Without `sessions` the rest of a wide audience is reached after the reply.
    #[serde(rename_all = "camelCase")]
    Accepted {
        success: bool,
        message_id: MessageId,
        #[serde(skip_serializing_if = "Option::is_none")]
        sessions: Option<u64>,
    },
    /// It is malformed.
    Refused { success: bool, message: String },
}

/// What a caller is told of a message that did not get through.
const TRY_AGAIN: &str = "not published; try again later, with the same messageId";

impl Fate {
    pub(crate) fn refused(reason: &Invalid) -> Self {
        Self::Refused { success: false, message: reason.to_string() }
    }
}

/// Dispatches the messages that were read, and gives the fate of all. An error comes with the fates
/// when messages did not get through.
pub(crate) async fn publish(
    app: &App,
    trail: Trail<'_>,
    read: Vec<Read>,
    times: Times,
) -> (Vec<Fate>, Option<Error>) {
    let mut batch = Vec::new();
    let mut fates: Vec<Fate> = Vec::new();
    for result in read {
        fates.push(match result {
            Ok(published) => {
                let message_id = published.message.id().clone();
                batch.push(published);
                Fate::Accepted { success: true, message_id, sessions: None }
            }
            Err(refused) => Fate::refused(&refused.reason),
        });
    }
    let messages = fates.len();
    let rejected = messages - batch.len();
    let dispatched = dispatch(app, batch, times).await;
    dispatched.record(app, trail, messages, rejected);
    let accepted = fates.iter_mut().filter(|fate| matches!(fate, Fate::Accepted { .. })).enumerate();
    for (index, fate) in accepted {
        if dispatched.failed.messages.contains(&index) {
            *fate = Fate::Refused { success: false, message: TRY_AGAIN.into() };
        } else if let Fate::Accepted { sessions, .. } = fate {
            *sessions = dispatched.sessions(index);
        }
    }
    (fates, dispatched.failed.error)
}

#[derive(Serialize)]
struct Indexed {
    index: usize,
    #[serde(flatten)]
    fate: Fate,
}

/// The JSON text about all messages of an array; `success` says whether all were accepted.
pub(crate) fn list_json(fates: Vec<Fate>) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct List {
        success: bool,
        messages: Vec<Indexed>,
    }
    let success = fates.iter().all(|fate| matches!(fate, Fate::Accepted { .. }));
    let messages = fates.into_iter().enumerate().map(|(index, fate)| Indexed { index, fate }).collect();
    serde_json::to_string(&List { success, messages })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_told_from_messages() {
        assert!(matches!(Body::parse(b" {}"), Ok(Body::One(_))));
        assert!(matches!(Body::parse(b""), Ok(Body::One(_))));
        let Ok(Body::Many(elements)) = Body::parse(b" [{}, 5]") else { panic!("no array") };
        assert_eq!(elements.len(), 2);
        for text in ["[", "[]", "[1,]"] {
            assert_eq!(Body::parse(text.as_bytes()).err().unwrap().field(), "body", "{text}");
        }
        let too_many = format!("[{}1]", "1,".repeat(MAX_MESSAGES_PER_CALL));
        assert!(Body::parse(too_many.as_bytes()).is_err());
    }

    #[test]
    fn equal_messages_of_a_call_have_different_ids_and_a_repeated_call_the_same() {
        let ids = |seed: &str| -> Vec<MessageId> {
            read(&[b"{}", b"{}"], &Target::EVERYONE, Broadcasts::Open, seed, Timestamp(0))
                .into_iter()
                .map(|published| published.unwrap().message.id().clone())
                .collect()
        };
        let first = ids("a");
        assert_ne!(first[0], first[1]);
        assert_eq!(first, ids("a"));
        assert_ne!(first, ids("b"));
    }
}
