//! What the rules cost: frames, routing, batches and payloads. `cargo bench -p sbe-bench`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sbe_bench::{
    events::{message_json, messages, sender_payloads},
    population::{Population, aes_key},
};
use sbe_core::{
    audience::Audience,
    batch::{MAX_SQS_BYTES, batches},
    frame::FrameWriter,
    history::Timestamp,
    id::{MessageId, UserId},
    message::Message,
    payload::{PayloadCutter, SendPayload},
    route::{Lookup, Router},
    target::Target,
};
use std::hint::black_box;

fn frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame");
    for bytes in [100, 1000, 10_000, 250_000] {
        let text = message_json(1, bytes, "");
        let mut writer = FrameWriter::new(&aes_key(1));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format!("{bytes} bytes"), |bench| {
            bench.iter(|| {
                let mut body = String::new();
                writer.append(1 << 50, &text, &mut body);
                black_box(body)
            });
        });
    }
    group.bench_function("key", |bench| bench.iter(|| FrameWriter::new(black_box(&aes_key(1)))));
    group.finish();
}

fn payloads(criterion: &mut Criterion) {
    let population = Population::of(1000);
    let payload = sender_payloads(&population, &messages(10, 1000)).next().expect("there are sessions");
    let mut group = criterion.benchmark_group("payload");
    group.throughput(Throughput::Bytes(payload.json.len() as u64));
    group.bench_function("read", |bench| {
        bench.iter(|| black_box(serde_json::from_str::<SendPayload<'_>>(&payload.json).is_ok()));
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("append a session", |bench| {
        let messages = messages(10, 1000);
        let mut cutter = PayloadCutter::deliveries(&messages, |_| Timestamp(1_763_800_000_123_456));
        let recipient = population.recipient(1);
        bench.iter(|| black_box(cutter.push_recipient(&recipient, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])));
    });
    group.finish();
}

fn routing(criterion: &mut Criterion) {
    let population = Population { sessions_per_user: 3, ..Population::of(10_000) };
    let keys = ["", r#""accountId":7,"#, r#""userId":9,"#];
    let id = || MessageId::parse("m").expect("a short text is an id");
    let read = |index: usize| {
        let json = message_json(index, 200, keys[index % keys.len()]);
        Message::parse(json.as_bytes(), &Target::EVERYONE, id).expect("a made-up message is valid")
    };
    let messages: Vec<Message> = (0..500).map(read).collect();
    let router = Router::new(&messages);
    let recipient = population.recipient(107);
    criterion.bench_function("route a session among 500 messages", |bench| {
        bench.iter(|| black_box(router.route(&Lookup::All, recipient.keys())));
    });
    criterion.bench_function("remember a user", |bench| {
        let (mut audience, mut user) = (Audience::default(), 0);
        bench.iter(|| {
            user += 1;
            black_box(audience.add(&UserId::from(user % 1_000_000), &[0, 1, 2, 3]))
        });
    });
    let sizes = [1400; 500];
    criterion.bench_function("batch 500 messages", |bench| {
        bench.iter(|| batches(&sizes, MAX_SQS_BYTES).map(black_box).count());
    });
}

/// What the macro makes is public and has no documentation.
mod group {
    #![allow(missing_docs)]
    use super::{criterion_group, frames, payloads, routing};
    criterion_group!(rules, frames, payloads, routing);
}
use group::rules;

criterion_main!(rules);
