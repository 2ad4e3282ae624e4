//! Invocations of the other functions.

use crate::{Error, Result};
use aws_sdk_lambda::{Client, primitives::Blob, types::InvocationType};

/// Lambda.
#[derive(Debug, Clone)]
pub struct Functions {
    lambda: Client,
}

impl Functions {
    pub(crate) fn new(lambda: Client) -> Self {
        Self { lambda }
    }

    /// Hands a JSON payload to a function and does not wait for it: Lambda retries it and, in the
    /// end, parks it in the function's `OnFailure` queue.
    pub async fn invoke_async(&self, name: &str, json: String) -> Result<()> {
        self.lambda
            .invoke()
            .function_name(name)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(json))
            .send()
            .await
            .map(drop)
            .map_err(Error::sdk("Invoke"))
    }
}
