//! The encrypted body of an SQS message.
//!
//! `docs/PROTOCOL.md`: "The body of an SQS message is `<counter>|<base64>`: the base64 (standard,
//! padded) of the JSON text under AES-256-CTR. The decimal counter is the initial 128-bit
//! big-endian counter block."

use aes::{
    Aes256,
    cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ctr::{CtrCore, flavors::Ctr128BE};
use std::fmt::{self, Write as _};

/// Counters are drawn uniformly from `0..COUNTER_END`, so that a double holds each one exactly.
pub const COUNTER_END: u64 = 1 << 53;

/// The longest counter with its separator: 2^53 - 1 has 16 digits.
const COUNTER_TEXT_BYTES: usize = 17;

/// The length of a frame around `message_bytes` of text, at most.
pub const fn max_frame_len(message_bytes: usize) -> usize {
    COUNTER_TEXT_BYTES + message_bytes.div_ceil(3) * 4
}

/// The AES-256 key of a session. Its text form is standard base64; `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct AesKey([u8; 32]);

impl AesKey {
    /// A key from 32 random bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads a key from its base64 form.
    pub fn from_base64(text: &str) -> Result<Self, FrameError> {
        let bytes = STANDARD.decode(text).map_err(|_| FrameError::Key)?;
        bytes.try_into().map(Self).map_err(|_| FrameError::Key)
    }

    /// The base64 form, as sessions carry it.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    fn cipher(&self) -> Aes256 {
        Aes256::new(&self.0.into())
    }
}

impl fmt::Debug for AesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AesKey(..)")
    }
}

/// `Debug` hides the key.
impl fmt::Debug for FrameWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameWriter(..)")
    }
}

/// Why a text is not a key or a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The key is not the base64 of 32 bytes.
    #[error("the AES key must be the base64 of 32 bytes")]
    Key,
    /// The body is not `<counter>|<base64>`.
    #[error("the body must be a decimal counter, a bar and base64")]
    Body,
    /// The body decrypts to something that is not text: another key encrypted it.
    #[error("the body does not decrypt to UTF-8 text with this key")]
    Text,
}

/// Writes frames with one key: the key is expanded once, and the buffer is used again.
pub struct FrameWriter {
    cipher: Aes256,
    cipher_text: Vec<u8>,
}

impl FrameWriter {
    /// A writer of frames with `key`.
    pub fn new(key: &AesKey) -> Self {
        Self { cipher: key.cipher(), cipher_text: Vec::new() }
    }

    /// Appends the frame of `text` to `body`. `counter` must never be used twice with one key; it
    /// is drawn from `0..`[`COUNTER_END`].
    pub fn append(&mut self, counter: u64, text: &str, body: &mut String) {
        self.cipher_text.clear();
        self.cipher_text.extend_from_slice(text.as_bytes());
        apply_key_stream(&self.cipher, counter.into(), &mut self.cipher_text);
        body.reserve(max_frame_len(text.len()));
        let _ = write!(body, "{counter}|"); // writing to a String cannot fail
        STANDARD.encode_string(&self.cipher_text, body);
    }
}

/// The frame of `text`: what [`FrameWriter::append`] writes, as a new string.
pub fn encrypt(key: &AesKey, counter: u64, text: &str) -> String {
    let mut body = String::new();
    FrameWriter::new(key).append(counter, text, &mut body);
    body
}

/// The text in a frame.
///
/// ```
/// use sbe_core::frame::{AesKey, decrypt};
/// let key = AesKey::from_base64("LkWUsGQKi8E9QoMJEeY1HLL8rdJNJr3fzDp+F9CpkCY=").unwrap();
/// assert_eq!(decrypt(&key, "9734675727|nw7xCnVR0m/YrGgG").unwrap(), "this is test");
/// assert!(decrypt(&key, "no frame").is_err());
/// ```
pub fn decrypt(key: &AesKey, body: &str) -> Result<String, FrameError> {
    let (counter, cipher_text) = body.split_once('|').ok_or(FrameError::Body)?;
    let counter: u128 = counter.parse().map_err(|_| FrameError::Body)?;
    let mut text = STANDARD.decode(cipher_text).map_err(|_| FrameError::Body)?;
    apply_key_stream(&key.cipher(), counter, &mut text);
    String::from_utf8(text).map_err(|_| FrameError::Text)
}

/// CTR mode is its own inverse: this encrypts and decrypts.
fn apply_key_stream(cipher: &Aes256, counter: u128, buffer: &mut [u8]) {
    let block = counter.to_be_bytes();
    let core = CtrCore::<&Aes256, Ctr128BE>::inner_iv_init(cipher, &block.into());
    StreamCipherCoreWrapper::from_core(core).apply_keystream(buffer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_survives_the_round_trip(
            key: [u8; 32],
            counter in 0..COUNTER_END,
            text in ".{0,300}",
        ) {
            let key = AesKey::new(key);
            let body = encrypt(&key, counter, &text);
            prop_assert!(body.len() <= max_frame_len(text.len()));
            prop_assert_eq!(decrypt(&key, &body).unwrap(), text);
        }
    }

    #[test]
    fn malformed_bodies_are_refused() {
        let key = AesKey::new([7; 32]);
        for body in ["", "1", "|", "x|AAAA", "-1|AAAA", "1|A", "1|*"] {
            assert_eq!(decrypt(&key, body), Err(FrameError::Body), "{body:?}");
        }
        let foreign = encrypt(&AesKey::new([8; 32]), 1, &"text".repeat(20));
        assert_eq!(decrypt(&key, &foreign), Err(FrameError::Text));
    }

    #[test]
    fn a_key_hides_itself_from_debug_output() {
        assert_eq!(format!("{:?}", AesKey::new([1; 32])), "AesKey(..)");
        for text in ["", "AAAA", "not base64!"] {
            assert_eq!(AesKey::from_base64(text), Err(FrameError::Key));
        }
    }
}
