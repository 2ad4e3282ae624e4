//! Messages for users who are not there: which of them are handed over, and for whom nobody was found.
//!
//! `docs/PROTOCOL.md`: "A message is *unreached* when no active session matches its routing keys at the
//! moment of the lookup."

use crate::{
    Invalid,
    message::Message,
    route::Lookup,
    target::{SessionKeys, Target},
};
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashMap};

/// Present (with any value): the message is handed over when nobody is there.
pub const OFFLINE: &str = "_offline";

/// The most characters of a type that a list may name, as of the field `_type` itself.
const MAX_TYPE_CHARS: usize = 256;

/// What is handed over of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handover {
    /// All of it.
    Message,
    /// Its ids and type, without the message itself: `"_offline":"ids"`.
    Ids,
}

impl Handover {
    /// What the field `_offline` asks for.
    pub(crate) fn of(value: &RawValue) -> Self {
        let is_ids = serde_json::from_str::<String>(value.get()).is_ok_and(|text| text == "ids");
        if is_ids { Self::Ids } else { Self::Message }
    }
}

/// The values of `_type` that are handed over without being asked to.
///
/// ```
/// use sbe_core::offline::OfflineTypes;
/// assert_eq!(OfflineTypes::parse(" invoice, reminder,"), OfflineTypes::parse("reminder,invoice"));
/// assert_eq!(OfflineTypes::parse(""), Ok(OfflineTypes::default()));
/// assert!(OfflineTypes::parse(&"x".repeat(257)).is_err());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfflineTypes(BTreeSet<String>);

impl OfflineTypes {
    /// Reads a list with commas; blanks around a type and empty types are ignored.
    pub fn parse(list: &str) -> Result<Self, Invalid> {
        let types: BTreeSet<String> =
            list.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect();
        if types.iter().any(|text| text.chars().count() > MAX_TYPE_CHARS) {
            return Err(Invalid::new("OfflineTypes", "must be types of at most 256 characters, with commas"));
        }
        Ok(Self(types))
    }

    /// What is handed over of a message when nobody is there; nothing unless it is addressed to a user.
    pub fn handover(&self, message: &Message) -> Option<Handover> {
        message.target().user.as_ref()?;
        let listed = || message.kind().filter(|kind| self.0.contains(*kind)).map(|_| Handover::Message);
        message.offline().or_else(listed)
    }
}

/// Messages of a batch for which nobody has been found so far.
///
/// A message's own lookup finds every session that the message is for, also those to which another lookup
/// of the batch delivers. So that one lookup alone says whether somebody was there.
#[derive(Debug, Default)]
pub struct Waiting(HashMap<Lookup, Vec<(usize, Target)>>);

impl Waiting {
    /// Messages with the indexes by which they are spoken of.
    pub fn new<'a>(messages: impl IntoIterator<Item = (usize, &'a Message)>) -> Self {
        let mut waiting = HashMap::<_, Vec<_>>::new();
        for (index, message) in messages {
            let target = message.target().clone();
            waiting.entry(Lookup::of(&target)).or_default().push((index, target));
        }
        Self(waiting)
    }

    /// A lookup has found an active session with these keys.
    pub fn found(&mut self, lookup: &Lookup, keys: SessionKeys<'_>) {
        if let Some(messages) = self.0.get_mut(lookup) {
            messages.retain(|(_, target)| !target.matches(keys));
        }
    }

    /// A lookup ends here before it has come to its end: whoever goes on with it decides on these messages.
    pub fn leave(&mut self, lookup: &Lookup) -> Vec<usize> {
        let messages = self.0.remove(lookup).unwrap_or_default();
        messages.into_iter().map(|(index, _)| index).collect()
    }

    /// All lookups but those that were left have come to their end: these messages have reached nobody.
    pub fn unreached(self) -> Vec<usize> {
        let mut indexes: Vec<usize> = self.0.into_values().flatten().map(|(index, _)| index).collect();
        indexes.sort_unstable();
        indexes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AccountId, MessageId, SessionId, UserId};
    use proptest::prelude::*;

    fn message(json: &str) -> Message {
        let id = || MessageId::parse("m").unwrap();
        Message::parse(json.as_bytes(), &Target::EVERYONE, id).unwrap()
    }

    /// docs/PROTOCOL.md: "| `_offline` | present, with any value:"
    #[test]
    fn what_is_handed_over_is_what_the_message_or_the_list_says() {
        let types = OfflineTypes::parse("invoice, 7").unwrap();
        for (fields, handover) in [
            (r#""_offline":1"#, Some(Handover::Message)),
            (r#""_offline":false"#, Some(Handover::Message)),
            (r#""_offline":null"#, Some(Handover::Message)),
            (r#""_offline":"IDS""#, Some(Handover::Message)),
            (r#""_offline":["ids"]"#, Some(Handover::Message)),
            (r#""_offline":"\u0069ds""#, Some(Handover::Ids)),
            (r#""_type":"invoice""#, Some(Handover::Message)),
            (r#""_type":"invoice","_offline":"ids""#, Some(Handover::Ids)),
            (r#""_type":"Invoice""#, None),
            (r#""_type":7"#, None),
            (r#""text":"_offline""#, None),
        ] {
            for (user, is_addressed) in [(r#""userId":"auth0|5f7c""#, true), (r#""accountId":1"#, false)] {
                let message = message(&format!("{{{user},{fields}}}"));
                assert_eq!(types.handover(&message), handover.filter(|_| is_addressed), "{fields}");
            }
        }
    }

    fn id_of(number: usize) -> &'static str {
        ["7", "\"07\"", "\"a\""][number]
    }

    fn user(number: usize) -> UserId {
        serde_json::from_str(id_of(number)).unwrap()
    }

    fn session(number: usize) -> SessionId {
        SessionId::parse(["s", "t"][number % 2]).unwrap()
    }

    type Session = (usize, usize, Option<usize>, bool);

    proptest! {
        /// Whatever else is in the batch, whoever delivers, and wherever a lookup is handed on.
        #[test]
        fn a_message_is_unreached_if_no_active_session_matches_it(
            targets in prop::collection::vec((prop::option::of(0usize..3), 0usize..3, prop::option::of(0usize..2)), 0..8),
            sessions in prop::collection::vec((0usize..3, 0usize..2, prop::option::of(0usize..3), any::<bool>()), 0..8),
            breaks in prop::collection::vec(0usize..8, 0..3),
        ) {
            let messages: Vec<Message> = targets.iter().map(|(account, user_id, session_id)| {
                let target = Target {
                    account: account.map(|n| serde_json::from_str::<AccountId>(id_of(n)).unwrap()),
                    user: Some(user(*user_id)),
                    session: session_id.map(session),
                };
                Message::parse(b"{}", &target, || MessageId::parse("m").unwrap()).unwrap()
            }).collect();
            let stored: Vec<(AccountId, SessionId, Option<UserId>, bool)> = sessions.iter().map(|(account, id, owner, active): &Session| {
                (serde_json::from_str(id_of(*account)).unwrap(), session(*id), owner.map(user), *active)
            }).collect();
            let mut waiting = Waiting::new(messages.iter().enumerate());
            let mut unreached = Vec::new();
            let lookups: BTreeSet<Lookup> = messages.iter().map(|message| Lookup::of(message.target())).collect();
            for lookup in &lookups {
                for (place, (account, id, owner, is_active)) in stored.iter().enumerate() {
                    if breaks.contains(&place) {
                        // Another invocation goes on with the messages that still wait.
                        let left = waiting.leave(lookup);
                        let others = std::mem::take(&mut waiting);
                        unreached.extend(others.unreached().into_iter().filter(|index| Lookup::of(messages[*index].target()) < *lookup));
                        let still = (0..messages.len()).filter(|index| {
                            left.contains(index) || Lookup::of(messages[*index].target()) > *lookup
                        });
                        waiting = Waiting::new(still.map(|index| (index, &messages[index])));
                    }
                    let keys = SessionKeys { account, session: id, user: owner.as_ref() };
                    let is_found = match lookup {
                        Lookup::Key(of, with) => of == account && with == id,
                        Lookup::User(of) => Some(of) == owner.as_ref(),
                        Lookup::Session(with) => with == id,
                        Lookup::Account(_) | Lookup::All => unreachable!("every message names a user"),
                    };
                    if is_found && *is_active {
                        waiting.found(lookup, keys);
                    }
                }
            }
            unreached.extend(waiting.unreached());
            unreached.sort_unstable();
            let expected: Vec<usize> = (0..messages.len()).filter(|index| {
                !stored.iter().any(|(account, id, owner, is_active)| {
                    *is_active && messages[*index].target().matches(SessionKeys { account, session: id, user: owner.as_ref() })
                })
            }).collect();
            prop_assert_eq!(unreached, expected);
        }
    }
}
