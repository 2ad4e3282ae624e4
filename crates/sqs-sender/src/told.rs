//! What the log tells of a payload's messages.

use crate::Done;
use sbe_core::{
    id::MessageId,
    message::id_in,
    payload::{Delivery, SendPayload},
    stages::{Sent, Stage, digest},
};
use sbe_edge::Trail;

/// What became of a payload's messages, message by message.
pub(crate) struct Told<'a> {
    trail: Trail<'a>,
    messages: Vec<Sent>,
}

impl<'a> Told<'a> {
    pub(crate) fn new(
        trail: Trail<'a>,
        payload: &SendPayload<'_>,
        done: &Done<'_>,
        counts: &[Counts],
    ) -> Self {
        // A message is never without an id; but of one that was, nothing could be told.
        let ids: Vec<Option<MessageId>> =
            payload.messages.iter().map(|message| id_in(message.get().as_bytes())).collect();
        if Trail::is_detailed() {
            queue_by_queue(trail, &ids, payload, done);
        }
        Self { trail, messages: sent(&ids, counts) }
    }

    /// Tells for how many sessions each message was sent.
    pub(crate) fn sent(&self) {
        self.trail.info(self.messages.iter().cloned(), |messages| Stage::Sent { messages });
    }

    /// Tells that messages were parked: those of which `number` counts any sessions.
    pub(crate) fn parked(&self, function: &str, reason: &str, number: impl Fn(&Sent) -> u32) {
        let parked = self.messages.iter().filter(|sent| number(sent) > 0);
        self.trail.warn(parked.map(|sent| sent.message_id.clone()), |messages| Stage::Parked {
            function: function.to_owned(),
            reason: reason.to_owned(),
            messages,
        });
    }
}

fn queue_by_queue(trail: Trail<'_>, ids: &[Option<MessageId>], payload: &SendPayload<'_>, done: &Done<'_>) {
    for delivery in &payload.deliveries {
        let of_queue = |part: &&Delivery<'_>| part.sqs_url == delivery.sqs_url;
        let Done { gone, left, refused, .. } = done;
        let parts = [std::slice::from_ref(delivery), gone, left, refused];
        let messages =
            sent(ids, &count(ids.len(), parts.map(|deliveries| deliveries.iter().filter(of_queue))));
        let queue = digest(&delivery.sqs_url);
        trail.debug(messages, |messages| Stage::SentTo { queue: queue.clone(), messages });
    }
}

/// What became of a message: for how many sessions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    all: u32,
    gone: u32,
    /// There was no time for so many, or SQS failed.
    pub(crate) left: u32,
    /// SQS refuses it for so many, for good.
    pub(crate) refused: u32,
}

impl Counts {
    /// SQS has taken it for so many.
    pub(crate) fn sent(self) -> u32 {
        self.all.saturating_sub(self.gone + self.left + self.refused)
    }
}

/// What became of each message of a payload.
pub(crate) fn tally(payload: &SendPayload<'_>, done: &Done<'_>) -> Vec<Counts> {
    let Done { gone, left, refused, .. } = done;
    let parts = [&payload.deliveries, gone, left, refused];
    count(payload.messages.len(), parts.map(|deliveries| deliveries.iter()))
}

/// Counts, message by message, what became of deliveries: of all, and of those whose queue is gone, that are
/// left, and that are refused.
fn count<'a>(
    messages: usize,
    [all, gone, left, refused]: [impl Iterator<Item = &'a Delivery<'a>>; 4],
) -> Vec<Counts> {
    let mut counts = vec![Counts::default(); messages];
    let mut add = |delivery: &Delivery<'_>, part: fn(&mut Counts) -> &mut u32| {
        // An index that is not valid was refused with its delivery.
        for index in delivery.messages.iter().filter(|index| **index < messages) {
            *part(&mut counts[*index]) += 1;
        }
    };
    all.for_each(|delivery| add(delivery, |counts| &mut counts.all));
    gone.for_each(|delivery| add(delivery, |counts| &mut counts.gone));
    left.for_each(|delivery| add(delivery, |counts| &mut counts.left));
    refused.for_each(|delivery| add(delivery, |counts| &mut counts.refused));
    counts
}

/// What the log tells of them.
fn sent(ids: &[Option<MessageId>], counts: &[Counts]) -> Vec<Sent> {
    let sent = |(id, counts): (&Option<MessageId>, &Counts)| {
        let message_id = id.clone().filter(|_| counts.all > 0)?;
        let &Counts { gone, left, refused, .. } = counts;
        Some(Sent { message_id, sent: counts.sent(), gone, handed_back: left, refused })
    };
    ids.iter().zip(counts).filter_map(sent).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Messages for a queue.
    pub(crate) fn delivery(queue: &'static str, messages: &[usize]) -> Delivery<'static> {
        Delivery { sqs_url: queue.into(), aes_key: "".into(), messages: messages.to_vec() }
    }

    #[test]
    fn what_became_of_each_message_is_counted() {
        let id = |text| Some(MessageId::parse(text).unwrap());
        let all = [delivery("a", &[0, 1]), delivery("b", &[0]), delivery("c", &[0, 9])];
        let (gone, left, refused) = ([delivery("b", &[0])], [delivery("a", &[1])], [delivery("c", &[0, 9])]);
        let parts = [&all[..], &gone, &left, &refused].map(|part| part.iter());
        let counts = sent(&[id("m"), id("n"), id("unnamed")], &count(3, parts));
        let expected = [
            Sent { sent: 1, gone: 1, refused: 1, ..Sent::new(id("m").unwrap()) },
            Sent { handed_back: 1, ..Sent::new(id("n").unwrap()) },
        ];
        assert_eq!(counts, expected);
    }
}
