//! `sbe decrypt`.

use crate::{
    calls::Calls,
    context::Context,
    failure::Failure,
    ids,
    input::Input,
    interrupt::Interrupt,
    output::{print, unexpected},
};
use clap::Args;
use sbe_client::Session;
use sbe_core::{
    frame::{AesKey, FrameError, decrypt, max_frame_len},
    id::{AccountId, SessionId},
    message::MAX_MESSAGE_BYTES,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::path::PathBuf;

/// Examples, for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  SBE_AES_KEY=… sbe decrypt '9734675727|nw7xCnVR0m/YrGgG' --any-text
  sbe decrypt --key-file key.txt - < body.txt
  sbe decrypt --session 1 tab-1 '9734675727|nw7x…'       asks the API for the session's keys

A key on the command line is seen by other processes and stays in the shell's history: rather use --key-file,
SBE_AES_KEY or --session. But for --session, no system is needed.";

/// What to decrypt, and with which key.
#[derive(Debug, Args)]
pub struct Decrypt {
    /// The body of an SQS message.
    #[command(flatten)]
    body: Input,

    /// The session's AES key, base64.
    #[arg(long, env = "SBE_AES_KEY", hide_env_values = true, value_name = "BASE64")]
    key: Option<String>,

    /// A file with the key.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// Fetch the keys of this session, which must be active.
    #[arg(long, num_args = 2, value_names = ["ACCOUNT", "SESSION"], allow_negative_numbers = true, conflicts_with = "key_file")]
    session: Option<Vec<String>>,

    /// Print the text even if it is no JSON.
    #[arg(long)]
    any_text: bool,
}

#[derive(Deserialize)]
struct Reply {
    session: Option<Session>,
}

impl Decrypt {
    /// Whether a system is asked for the key.
    pub fn needs_system(&self) -> bool {
        self.session.is_some()
    }
}

/// Decrypts a body with a key that is given.
pub async fn run_alone(args: Decrypt, interrupt: &Interrupt) -> Result<(), Failure> {
    let key = match (&args.key_file, &args.key) {
        (Some(file), _) => std::fs::read_to_string(file)
            .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", file.display())))?,
        (None, Some(key)) => key.clone(),
        (None, None) => {
            return Err(Failure::Usage(
                "no key: give --key-file, --session, --key or SBE_AES_KEY".to_owned(),
            ));
        }
    };
    show(&args, &[key], interrupt).await
}

/// Decrypts a body with the keys of a session.
pub async fn run(args: Decrypt, context: &Context) -> Result<(), Failure> {
    let wrong = |error: sbe_core::Invalid| Failure::Usage(error.to_string());
    let [account, session] = args.session.as_deref().unwrap_or_default() else {
        return run_alone(args, &context.interrupt).await;
    };
    let account: AccountId = ids::account(account).map_err(wrong)?;
    let session: SessionId = ids::session(session).map_err(wrong)?;
    let reply = Calls::new(context).get(&ids::path("/status", &[&account, &session])?).await?;
    let reply: Reply = serde_json::from_str(&reply.text).map_err(|error| unexpected(&error))?;
    let session =
        reply.session.ok_or_else(|| Failure::Refused("there is no such active session".to_owned()))?;
    let keys: Vec<String> = std::iter::once(session.aes_key).chain(session.previous_aes_key).collect();
    show(&args, &keys, &context.interrupt).await
}

async fn show(args: &Decrypt, keys: &[String], interrupt: &Interrupt) -> Result<(), Failure> {
    let body = args.body.read(max_frame_len(MAX_MESSAGE_BYTES) as u64 * 2, interrupt).await?;
    print(open(body.trim(), keys, args.any_text)?);
    Ok(())
}

/// The text under the first key that fits. `docs/PROTOCOL.md`: "what decrypts under the wrong key is no JSON."
fn open(body: &str, keys: &[String], any_text: bool) -> Result<String, Failure> {
    let wrong = |error: FrameError| Failure::Usage(error.to_string());
    for key in keys {
        let key = AesKey::from_base64(key.trim()).map_err(wrong)?;
        match decrypt(&key, body) {
            Ok(text) if any_text || serde_json::from_str::<&RawValue>(&text).is_ok() => return Ok(text),
            Ok(_) | Err(FrameError::Text) => {}
            Err(error) => return Err(wrong(error)),
        }
    }
    Err(Failure::Found("the body is no message under this key: another key encrypted it".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "LkWUsGQKi8E9QoMJEeY1HLL8rdJNJr3fzDp+F9CpkCY=";
    const BODY: &str = "9734675727|nw7xCnVR0m/YrGgG";

    fn code(body: &str, key: &str, any_text: bool) -> u8 {
        open(body, &[key.to_owned()], any_text).unwrap_err().exit_code()
    }

    #[test]
    fn the_vector_decrypts() {
        assert_eq!(open(BODY, &[KEY.into()], true).unwrap(), "this is test");
        assert_eq!(code(BODY, KEY, false), 1, "it is no JSON");
    }

    #[test]
    fn a_wrong_key_is_told_from_wrong_input() {
        let other = "A".repeat(43) + "=";
        assert_eq!(code(BODY, &other, false), 1);
        assert_eq!(code(BODY, "short", true), 2);
        assert_eq!(code("no frame", KEY, true), 2);
    }

    #[test]
    fn the_key_before_is_tried_too() {
        let keys = ["A".repeat(43) + "=", KEY.to_owned()];
        assert_eq!(open(BODY, &keys, true).unwrap(), "this is test");
    }
}
