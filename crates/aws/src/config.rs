//! The environment, read once and validated; every default is here.

use sbe_core::{broadcast::Broadcasts, offline::OfflineTypes, session::MessageRetention};
use std::{fmt::Display, str::FromStr};

/// The configuration of a function.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name of the environment, the prefix of every resource (`ENV`).
    pub env: String,
    /// The Cognito identity pool of the sessions (`IDENTITY_POOL_ID`); empty where none is needed.
    pub identity_pool_id: String,
    /// The pool's developer provider (`DEVELOPER_PROVIDER_NAME`, `sqs-browser-events`), under which
    /// identities are asked for; `None` where they are guests (`IDENTITIES`, `developer` or `guest`).
    pub developer_provider: Option<String>,
    /// Where rejected records go (`REJECTED_QUEUE_URL`); empty where none are rejected.
    pub rejected_queue_url: String,
    /// Where work goes that is given up (`FAILED_QUEUE_URL`); empty where none is parked.
    pub failed_queue_url: String,
    /// Seconds that SQS keeps a message, unless a session asks otherwise
    /// (`SQS_MESSAGE_RETENTION_PERIOD`, 3600).
    pub message_retention: MessageRetention,
    /// Seconds from the end of a session's access keys to the end of the session
    /// (`SESSION_TTL`, 3600).
    pub session_ttl_seconds: i64,
    /// Seconds that a message stays in a history (`USER_MESSAGE_TTL`, 86400).
    pub user_message_ttl_seconds: i64,
    /// Message ids in one asynchronous chunk of read receipts (`READ_RECEIPT_CHUNK_SIZE`, 300).
    pub read_receipt_chunk_size: usize,
    /// Whether read receipts are published to the user's sessions
    /// (`SEND_READ_RECEIPTS_VIA_SQS`, 1; 0 is off).
    pub send_read_receipts: bool,
    /// Which messages without routing keys are taken (`BROADCASTS`, `open` or `marked`, `open`).
    pub broadcasts: Broadcasts,
    /// Calls to AWS that one invocation has in flight, at most (`MAX_CONCURRENCY`, 64).
    pub max_concurrency: usize,
    /// The `EventBridge` bus that is told of messages which reach nobody (`EVENT_BUS_NAME`); `None` where
    /// nobody is told.
    pub event_bus: Option<String>,
    /// The types of messages that are told of without asking for it (`OFFLINE_TYPES`, with commas).
    pub offline_types: OfflineTypes,
    /// What is logged (`RUST_LOG`, `info`): a level, or levels by module.
    pub log_level: String,
    /// The name of the running function (set by Lambda).
    pub function_name: String,
}

/// A variable that is missing or malformed.
#[derive(Debug, thiserror::Error)]
#[error("environment variable {name} {rule}")]
pub struct ConfigError {
    name: &'static str,
    rule: String,
}

impl Config {
    /// Reads the environment of the process.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads variables from `get`.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let env = get("ENV").filter(|env| !env.is_empty());
        Ok(Self {
            env: env.ok_or(ConfigError { name: "ENV", rule: "must be set".into() })?,
            identity_pool_id: get("IDENTITY_POOL_ID").unwrap_or_default(),
            developer_provider: developer_provider(&get)?,
            rejected_queue_url: get("REJECTED_QUEUE_URL").unwrap_or_default(),
            failed_queue_url: get("FAILED_QUEUE_URL").unwrap_or_default(),
            message_retention: retention(&get)?,
            session_ttl_seconds: number(&get, "SESSION_TTL", 3600, 0, 2_592_000)?,
            user_message_ttl_seconds: number(&get, "USER_MESSAGE_TTL", 86_400, 60, 31_536_000)?,
            read_receipt_chunk_size: number(&get, "READ_RECEIPT_CHUNK_SIZE", 300, 1, 3000)?,
            send_read_receipts: number(&get, "SEND_READ_RECEIPTS_VIA_SQS", 1, 0, 1)? == 1,
            broadcasts: broadcasts(&get)?,
            max_concurrency: number(&get, "MAX_CONCURRENCY", 64, 1, 1024)?,
            event_bus: get("EVENT_BUS_NAME").filter(|name| !name.is_empty()),
            offline_types: offline_types(&get)?,
            log_level: get("RUST_LOG").unwrap_or_else(|| "info".into()),
            function_name: get("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default(),
        })
    }

    /// The table of sessions.
    pub fn sessions_table(&self) -> String {
        format!("{}-sqs-browser-sessions", self.env)
    }

    /// The table of histories.
    pub fn history_table(&self) -> String {
        format!("{}-sqs-browser-messages", self.env)
    }

    /// One of the six functions, by the last part of its name. Logs and parked work have this name; it is invoked by
    /// its alias.
    pub fn function(&self, name: &str) -> String {
        format!("{}-sqs-browser-{name}", self.env)
    }
}

fn developer_provider(get: &impl Fn(&str) -> Option<String>) -> Result<Option<String>, ConfigError> {
    match get("IDENTITIES").as_deref() {
        None | Some("developer") => {
            Ok(Some(get("DEVELOPER_PROVIDER_NAME").unwrap_or_else(|| "sqs-browser-events".into())))
        }
        Some("guest") => Ok(None),
        Some(_) => Err(ConfigError { name: "IDENTITIES", rule: "must be `developer` or `guest`".into() }),
    }
}

fn broadcasts(get: &impl Fn(&str) -> Option<String>) -> Result<Broadcasts, ConfigError> {
    const NAME: &str = "BROADCASTS";
    let Some(text) = get(NAME) else { return Ok(Broadcasts::default()) };
    Broadcasts::parse(&text).ok_or(ConfigError { name: NAME, rule: "must be `open` or `marked`".into() })
}

fn retention(get: &impl Fn(&str) -> Option<String>) -> Result<MessageRetention, ConfigError> {
    const NAME: &str = "SQS_MESSAGE_RETENTION_PERIOD";
    let text = get(NAME).unwrap_or_else(|| "3600".into());
    MessageRetention::parse(&text).map_err(|error| ConfigError { name: NAME, rule: error.rule().into() })
}

fn offline_types(get: &impl Fn(&str) -> Option<String>) -> Result<OfflineTypes, ConfigError> {
    const NAME: &str = "OFFLINE_TYPES";
    OfflineTypes::parse(&get(NAME).unwrap_or_default())
        .map_err(|error| ConfigError { name: NAME, rule: error.rule().into() })
}

fn number<T: FromStr + PartialOrd + Display>(
    get: &impl Fn(&str) -> Option<String>,
    name: &'static str,
    default: T,
    min: T,
    max: T,
) -> Result<T, ConfigError> {
    let Some(text) = get(name) else { return Ok(default) };
    let value = text.parse().ok().filter(|value| (&min..=&max).contains(&value));
    value.ok_or_else(|| ConfigError { name, rule: format!("must be an integer from {min} to {max}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into()))
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let config = read(&[("ENV", "prod")]).unwrap();
        assert_eq!(config.sessions_table(), "prod-sqs-browser-sessions");
        assert_eq!(
            (config.message_retention.seconds(), config.session_ttl_seconds, config.user_message_ttl_seconds),
            (3600, 3600, 86_400)
        );
        assert!(config.send_read_receipts);
        assert_eq!(config.event_bus, None);
        assert_eq!(read(&[("ENV", "prod"), ("EVENT_BUS_NAME", "")]).unwrap().event_bus, None);
        assert_eq!(config.developer_provider.as_deref(), Some("sqs-browser-events"));
        assert_eq!(read(&[("ENV", "prod"), ("IDENTITIES", "guest")]).unwrap().developer_provider, None);
    }

    #[test]
    fn a_wrong_variable_is_named() {
        for (variables, error) in [
            (vec![], "environment variable ENV must be set"),
            (
                vec![("ENV", "e"), ("SEND_READ_RECEIPTS_VIA_SQS", "yes")],
                "environment variable SEND_READ_RECEIPTS_VIA_SQS must be an integer from 0 to 1",
            ),
            (
                vec![("ENV", "e"), ("IDENTITIES", "guests")],
                "environment variable IDENTITIES must be `developer` or `guest`",
            ),
            (
                vec![("ENV", "e"), ("OFFLINE_TYPES", &"x".repeat(257))],
                "environment variable OFFLINE_TYPES must be types of at most 256 characters, with commas",
            ),
            (
                vec![("ENV", "e"), ("BROADCASTS", "")],
                "environment variable BROADCASTS must be `open` or `marked`",
            ),
            (
                vec![("ENV", "e"), ("MAX_CONCURRENCY", "0")],
                "environment variable MAX_CONCURRENCY must be an integer from 1 to 1024",
            ),
        ] {
            assert_eq!(read(&variables).unwrap_err().to_string(), error);
        }
    }
}
