//! Signed calls and stream records: what a backend does.

use crate::{
    Browser,
    system::{root, stack},
};
use aws_sdk_kinesis::primitives::Blob;
use base64::{Engine, engine::general_purpose::STANDARD};
pub use sbe_client::api::in_path;
use sbe_client::{Api, ApiError, Keys, Signer, Stack, System};
use serde_json::Value;

/// A reply of the HTTP API.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body; `null` where it is not JSON.
    pub json: Value,
    /// The body as text.
    pub text: String,
}

impl Reply {
    /// The body of a success.
    ///
    /// # Panics
    /// When it is none.
    pub fn success(self) -> Value {
        assert_eq!((self.status, &self.json["success"]), (200, &Value::Bool(true)), "{}", self.text);
        self.json
    }

    /// The message of a failure with this status.
    ///
    /// # Panics
    /// When it is none.
    pub fn failure(&self, status: u16) -> &str {
        assert_eq!((self.status, &self.json["success"]), (status, &Value::Bool(false)), "{}", self.text);
        self.json["message"].as_str().expect("a failure has a message")
    }
}

/// A backend and operator, with the system's keys.
pub struct Backend {
    api: Api,
    /// The system it talks to.
    pub stack: &'static Stack,
}

impl Default for Backend {
    fn default() -> Self {
        Self::new()
    }
}

impl Backend {
    /// A backend with the system's keys.
    pub fn new() -> Self {
        Self::with_keys(&stack().keys)
    }

    /// A backend with other keys.
    pub fn with_keys(keys: &Keys) -> Self {
        let stack = stack();
        Self { api: Api::new(&stack.api_url, Signer::new(keys, &stack.region, "execute-api")), stack }
    }

    /// A signed GET.
    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, String::new()).await
    }

    /// A signed POST.
    pub async fn post(&self, path: &str, body: impl ToString) -> Reply {
        self.call("POST", path, body.to_string()).await
    }

    /// A signed call.
    ///
    /// # Panics
    /// When there is no reply.
    pub async fn call(&self, method: &str, path: &str, body: String) -> Reply {
        reply(self.api.send(method, path, body).await)
    }

    /// A call without a signature.
    pub async fn unsigned(&self, method: &str, path: &str) -> Reply {
        reply(self.api.send_unsigned(method, path).await)
    }

    /// Creates a session.
    pub async fn create(&self, account: i64, session: &str, user: Option<i64>) -> Browser {
        let user = user.map(|user| format!("/{user}")).unwrap_or_default();
        Browser::new(&self.post(&format!("/create/{account}/{session}{user}"), "").await.success())
    }

    /// Creates a session for ids that are strings, or the texts of integers.
    pub async fn create_for(&self, account: &str, session: &str, user: &str) -> Browser {
        let [account, user] = [account, user].map(in_path);
        Browser::new(&self.post(&format!("/create/{account}/{session}/{user}"), "").await.success())
    }

    /// Puts a record on the stream.
    ///
    /// # Panics
    /// When the stream does not take it.
    pub async fn put_record(&self, data: impl AsRef<[u8]>) {
        let put = system().kinesis().put_record().stream_name(&self.stack.stream).partition_key("1");
        put.data(Blob::new(data.as_ref())).send().await.expect("the stream takes the record");
    }

    /// The history of a user, newest first.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn history(&self, user: impl ToString) -> Vec<Value> {
        let reply = self.get(&format!("/messages/user/{}", in_path(&user.to_string()))).await.success();
        reply["messages"].as_array().expect("a list of messages").clone()
    }
}

fn reply(reply: Result<sbe_client::Reply, ApiError>) -> Reply {
    let sbe_client::Reply { status, json, text, .. } = reply.expect("the API answers");
    Reply { status, json, text }
}

/// The system as an operator reaches it: SDK clients with the operator's keys.
pub fn system() -> System {
    System::from_stack(stack())
}

/// DynamoDB, with the operator's keys.
pub fn dynamodb() -> aws_sdk_dynamodb::Client {
    system().dynamodb()
}

/// SQS, with the operator's keys.
pub fn sqs() -> aws_sdk_sqs::Client {
    system().sqs()
}

/// Lambda, with the operator's keys.
pub fn lambda() -> aws_sdk_lambda::Client {
    system().lambda()
}

/// Invokes one of the system's functions and gives its result.
///
/// # Panics
/// When the function fails.
pub async fn invoke(function: &str, payload: Value) -> Value {
    let name = format!("{}-sqs-browser-{function}:live", stack().env);
    let invoke = lambda().invoke().function_name(name).payload(Blob::new(payload.to_string()));
    let reply = invoke.send().await.expect("the operator may invoke");
    let text = reply.payload.map(Blob::into_inner).unwrap_or_default();
    assert!(reply.function_error.is_none(), "{}", String::from_utf8_lossy(&text));
    serde_json::from_slice(&text).expect("a function answers in JSON")
}

/// The next parked message that holds the number of a flow, taken from the queue of rejected ones;
/// others' are left there.
///
/// # Panics
/// When the queue does not answer.
pub async fn parked(flow: i64) -> Option<Value> {
    let (sqs, queue) = (sqs(), &stack().rejected_queue_url);
    let receive = sqs.receive_message().queue_url(queue).max_number_of_messages(10).visibility_timeout(1);
    for message in receive.wait_time_seconds(1).send().await.expect("the queue answers").messages? {
        let rejected: Value = serde_json::from_str(message.body()?).expect("JSON");
        let data = STANDARD.decode(rejected["data"].as_str()?).expect("base64");
        if String::from_utf8_lossy(&data).contains(&flow.to_string()) {
            let delete = sqs.delete_message().queue_url(queue).receipt_handle(message.receipt_handle()?);
            delete.send().await.expect("the operator may delete");
            return Some(rejected);
        }
    }
    None
}

/// All logs of the functions: the function's name and the line.
///
/// # Panics
/// When they cannot be read.
pub async fn logs() -> Vec<(String, String)> {
    let file = root().join(format!("target/stack-{}.json", crate::unique()));
    std::fs::write(&file, serde_json::to_string(stack()).expect("JSON")).expect("target is writable");
    let mut command = tokio::process::Command::new(root().join(".local/venv/bin/python"));
    command.arg(root().join("crates/local/python/logs.py")).arg(&file).arg("--once");
    let output = command.output().await.expect("the logs can be read");
    std::fs::remove_file(file).expect("the file is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("logs are UTF-8");
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, line)| (name.into(), line.into()))
        .collect()
}
