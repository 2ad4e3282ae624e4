//! The vectors that every implementation of the frame reads.

use sbe_core::frame::{AesKey, COUNTER_END, decrypt, encrypt};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame {
    name: String,
    aes_key: String,
    counter: String,
    #[serde(rename = "body")]
    cipher_text: String,
    text: String,
}

#[test]
fn frames() {
    let frames: Vec<Frame> = serde_json::from_str(include_str!("../vectors/frames.json")).unwrap();
    assert!(frames.len() > 5);
    for frame in frames {
        let key = AesKey::from_base64(&frame.aes_key).unwrap();
        let body = format!("{}|{}", frame.counter, frame.cipher_text);
        assert_eq!(decrypt(&key, &body).unwrap(), frame.text, "{}", frame.name);
        if let Some(counter) = frame.counter.parse().ok().filter(|counter| *counter < COUNTER_END) {
            assert_eq!(encrypt(&key, counter, &frame.text), body, "{}", frame.name);
        }
    }
}
