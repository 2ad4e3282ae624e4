//! Invocations of the other functions.

use crate::{Error, Result};
use aws_sdk_lambda::{Client, primitives::Blob, types::InvocationType};
use sbe_core::ALIAS;

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
    /// end, parks it in the function's `OnFailure` queue. That is set for the alias, by which the function is
    /// invoked; an invocation without it would be lost, and would pass a gradual deployment by.
    pub async fn invoke_async(&self, name: &str, json: String) -> Result<()> {
        self.lambda
            .invoke()
            .function_name(format!("{name}:{ALIAS}"))
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(json))
            .send()
            .await
            .map(drop)
            .map_err(Error::sdk("Invoke"))
    }
}
