//! The log's lines about one message.

use sbe_core::{
    id::MessageId,
    stages::{Accepted, Dispatched, Kept, Line, Rejected, Sent, Source, Stage},
};

/// What one invocation did with the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it said so: RFC 3339, UTC.
    pub at: String,
    /// Lambda's id of the invocation.
    pub request_id: String,
    /// What it did.
    pub what: What,
}

/// What was done with the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It was taken.
    Accepted(Source, Accepted),
    /// It was refused.
    Rejected(Source, Rejected),
    /// It was handed to the functions behind.
    Dispatched {
        /// How many invocations had handed it on before.
        depth: u32,
        /// Why messages have failed, if any have.
        error: Option<String>,
        /// What became of it.
        of: Dispatched,
    },
    /// It was sent to queues.
    Sent(Sent),
    /// It was sent to one queue.
    SentTo {
        /// The digest of the queue's URL.
        queue: String,
        /// What became of it.
        of: Sent,
    },
    /// It was written to histories.
    Kept(Kept),
    /// Work of it was put into the failed queue.
    Parked {
        /// The function that is to be invoked again.
        function: String,
        /// Why.
        reason: String,
    },
}

/// What the lines tell of the message, in order of time.
pub fn events(lines: impl IntoIterator<Item = Line>, id: &MessageId) -> Vec<Event> {
    let mut events: Vec<Event> = lines.into_iter().flat_map(|line| about(line, id)).collect();
    // Stable: of equal times, in the order in which the log has them.
    events.sort_by(|one, other| one.at.cmp(&other.at));
    events
}

fn about(line: Line, id: &MessageId) -> Vec<Event> {
    let Line { timestamp, request_id, stage, .. } = line;
    let all = of_stage(stage, id).into_iter();
    all.map(|what| Event { at: timestamp.clone(), request_id: request_id.clone(), what }).collect()
}

fn of_stage(stage: Stage, id: &MessageId) -> Vec<What> {
    macro_rules! those {
        ($messages:ident, $what:expr) => {
            $messages.into_iter().filter(|message| message.message_id == *id).map($what).collect()
        };
    }
    match stage {
        Stage::Accepted { source, messages } => those!(messages, |of| What::Accepted(source, of)),
        Stage::Rejected { source, messages } => those!(messages, |of| What::Rejected(source, of)),
        Stage::Dispatched { depth, error, messages, .. } => {
            those!(messages, |of| What::Dispatched { depth, error: error.clone(), of })
        }
        Stage::Sent { messages } => those!(messages, What::Sent),
        Stage::SentTo { queue, messages } => {
            those!(messages, |of| What::SentTo { queue: queue.clone(), of })
        }
        Stage::Kept { messages } => those!(messages, What::Kept),
        Stage::Parked { function, reason, messages } => {
            let named = messages.contains(id);
            named.then_some(What::Parked { function, reason }).into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_message_is_told_of_in_order_of_time() {
        let line = |at: &str, rest: &str| {
            let text = format!(r#"{{"timestamp":"{at}","level":"INFO","requestId":"r",{rest}}}"#);
            Line::parse(&text).expect("a line")
        };
        let lines = [
            line("3", r#""stage":"kept","messages":[{"messageId":"m","kept":1},{"messageId":"n","kept":2}]"#),
            line("2", r#""stage":"sent","messages":[{"messageId":"n","sent":1}]"#),
            line("1", r#""stage":"accepted","source":"http","messages":[{"messageId":"m"}]"#),
            line("4", r#""stage":"parked","function":"f","reason":"why","messages":["n","m"]"#),
        ];
        let events = events(lines, &MessageId::parse("m").unwrap());
        let times: Vec<&str> = events.iter().map(|event| event.at.as_str()).collect();
        assert_eq!(times, ["1", "3", "4"]);
        assert!(matches!(&events[1].what, What::Kept(kept) if kept.kept == 1));
    }
}
