//! What Lambda would hand to the functions.

use crate::population::{Population, text};
use crate::{measure::Size, sink::reached::SINGLE};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::ValueEnum;
use lambda_runtime::{Context, LambdaEvent};
use sbe_core::{
    history::Timestamp,
    id::MessageId,
    message::Message,
    payload::{Payload, PayloadCutter},
    target::Target,
};
use serde_json::{json, value::RawValue};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An event whose invocation ends this long from now.
pub fn event(json: String, time: Duration) -> LambdaEvent<Box<RawValue>> {
    let mut context = Context::default();
    context.request_id = "5b1c2f0a-bench".into();
    let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + time;
    context.deadline = u64::try_from(end.as_millis()).unwrap_or(u64::MAX);
    LambdaEvent::new(RawValue::from_string(json).expect("an event is JSON"), context)
}

/// Whom the messages of a batch are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Audience {
    /// Everyone.
    Everyone,
    /// The first account.
    Account,
    /// A user each.
    Users,
    /// The first one everyone, the others a user each.
    EveryoneAndUsers,
}

impl Audience {
    /// A batch of Kinesis records for sessions of which each has a user.
    pub fn batch(self, size: &Size) -> String {
        let message = |number| message_json(number, size.bytes, &self.keys(number, size));
        kinesis(&(0..size.messages).map(message).collect::<Vec<_>>())
    }

    /// The keys of a message.
    fn keys(self, number: usize, size: &Size) -> String {
        match self {
            Self::Account => r#""accountId":0,"#.into(),
            Self::Users => format!(r#""userId":{},{SINGLE},"#, (number + 1) * 7919 % size.sessions),
            Self::EveryoneAndUsers if number > 0 => Self::Users.keys(number - 1, size),
            Self::Everyone | Self::EveryoneAndUsers => String::new(),
        }
    }
}

/// The text of a message of about `bytes`; `number` tells it from others.
pub fn message_json(number: usize, bytes: usize, keys: &str) -> String {
    let pad = text(bytes.saturating_sub(60), number);
    format!(r#"{{"number":{number},{keys}"_type":"bench","text":"{pad}","messageId":"m-{number}"}}"#)
}

/// A batch of Kinesis records, each a message.
pub fn kinesis(messages: &[String]) -> String {
    let record = |(index, message): (usize, &String)| {
        let number = format!("{index:056}");
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0", "partitionKey": "1", "sequenceNumber": number,
                "data": STANDARD.encode(message), "approximateArrivalTimestamp": 1_763_800_000.123,
            },
            "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventName": "aws:kinesis:record",
            "eventID": format!("shardId-000000000000:{number}"), "awsRegion": "eu-west-1",
            "invokeIdentityArn": "arn:aws:iam::123456789012:role/bench",
            "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/bench-sqs-browser-event-dispatcher",
        })
    };
    let records: Vec<_> = messages.iter().enumerate().map(record).collect();
    json!({ "Records": records }).to_string()
}

/// Messages that are ready to be routed.
pub fn messages(count: usize, bytes: usize) -> Vec<Message> {
    let read = |number| {
        let json = message_json(number, bytes, "");
        let id = || MessageId::parse("m").expect("a short text is an id");
        Message::parse(json.as_bytes(), &Target::EVERYONE, id).expect("a made-up message is valid")
    };
    (0..count).map(read).collect()
}

/// The payloads for the sender of a broadcast of `messages`, cut as they are asked for.
pub fn sender_payloads(
    population: &Population,
    messages: &[Message],
) -> impl Iterator<Item = Payload> + use<> {
    let all: Vec<usize> = (0..messages.len()).collect();
    let population = *population;
    let mut cutter = Some(PayloadCutter::deliveries(messages, |_| Timestamp(1_763_800_000_123_456)));
    let mut next = 0;
    let mut ready = Vec::new();
    std::iter::from_fn(move || {
        while ready.is_empty() {
            if next < population.sessions {
                ready = cutter.as_mut()?.push_recipient(&population.recipient(next), &all);
                next += 1;
            } else {
                ready = cutter.take()?.flush();
            }
        }
        Some(ready.remove(0))
    })
}
