//! From a delivery to full batches of encrypted messages.

use sbe_aws::random::Counters;
use sbe_core::{
    batch::{MAX_SQS_BYTES, batches},
    frame::{AesKey, FrameWriter, max_frame_len},
    payload::Delivery,
};
use serde_json::value::RawValue;
use std::{ops::Range, vec};

/// The batches of a delivery, each encrypted when its turn comes.
#[derive(Debug)]
pub struct Batches<'a> {
    texts: Vec<&'a str>,
    places: vec::IntoIter<Range<usize>>,
    counters: Counters,
    writer: FrameWriter,
}

/// Messages for one call to SQS.
#[derive(Debug)]
pub struct Batch {
    /// Their places in the delivery.
    pub places: Range<usize>,
    /// Their encrypted bodies.
    pub bodies: Vec<String>,
}

impl<'a> Batches<'a> {
    /// `None` if the delivery's key or one of its indexes is not valid.
    pub fn new(messages: &[&'a RawValue], delivery: &Delivery<'_>) -> Option<Self> {
        let key = AesKey::from_base64(&delivery.aes_key).ok()?;
        let text = |index: &usize| messages.get(*index).map(|message| message.get());
        let texts = delivery.messages.iter().map(text).collect::<Option<Vec<&str>>>()?;
        let sizes: Vec<usize> = texts.iter().map(|text| max_frame_len(text.len())).collect();
        let places = batches(&sizes, MAX_SQS_BYTES).collect::<Vec<_>>().into_iter();
        Some(Self { texts, places, counters: Counters::default(), writer: FrameWriter::new(&key) })
    }
}

impl Iterator for Batches<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let places = self.places.next()?;
        let frame = |text: &&str| {
            let mut body = String::new();
            self.writer.append(self.counters.draw(), text, &mut body);
            body
        };
        let bodies = self.texts[places.clone()].iter().map(frame).collect();
        Some(Batch { places, bodies })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sbe_core::frame::decrypt;

    #[test]
    fn batches_are_full_in_order_and_readable() {
        let texts: Vec<String> = (0..12).map(|number| format!(r#"{{"n":{number}}}"#)).collect();
        let messages: Vec<&RawValue> = texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        let key = AesKey::new([3; 32]);
        let aes_key = key.to_base64().into();
        let delivery = Delivery { sqs_url: "".into(), aes_key, messages: (0..12).rev().collect() };
        let sealed: Vec<Batch> = Batches::new(&messages, &delivery).unwrap().collect();
        assert_eq!(sealed.iter().map(|batch| batch.places.clone()).collect::<Vec<_>>(), [0..10, 10..12]);
        let read = sealed.iter().flat_map(|batch| &batch.bodies).map(|body| decrypt(&key, body).unwrap());
        assert!(read.eq(texts.iter().rev().cloned()));
        let unknown = Delivery { messages: vec![12], ..delivery };
        assert!(Batches::new(&messages, &unknown).is_none());
    }
}
