//! One configured SDK client for each service.

use crate::{
    config::Config, functions::Functions, history::History, identities::Identities, queues::Queues,
    receipts::Receipts, sessions::Sessions,
};
use aws_config::{
    BehaviorVersion, SdkConfig, environment::EnvironmentVariableCredentialsProvider, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use std::time::Duration;

/// What adapters are made from: SDK settings and configuration.
#[derive(Debug, Clone)]
pub struct Clients {
    sdk: SdkConfig,
    config: Config,
}

impl Clients {
    /// Settings from the environment, as Lambda provides it: region, keys, and endpoint overrides
    /// (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_<SERVICE>`).
    pub async fn from_env(config: Config) -> Self {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(10))
            .build();
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .http_client(http)
            .retry_config(RetryConfig::standard())
            // Replies are small and attempts are bounded: watching their throughput only costs.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(timeouts)
            .load()
            .await;
        Self { sdk, config }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The AWS region.
    pub fn region(&self) -> String {
        self.sdk.region().map(ToString::to_string).unwrap_or_default()
    }

    /// The sessions table.
    pub fn sessions(&self) -> Sessions {
        Sessions::new(aws_sdk_dynamodb::Client::new(&self.sdk), &self.config)
    }

    /// The history table.
    pub fn history(&self) -> History {
        History::new(aws_sdk_dynamodb::Client::new(&self.sdk), &self.config)
    }

    /// SQS.
    pub fn queues(&self) -> Queues {
        Queues::new(aws_sdk_sqs::Client::new(&self.sdk))
    }

    /// The identity pool.
    pub fn identities(&self) -> Identities {
        Identities::new(aws_sdk_cognitoidentity::Client::new(&self.sdk), &self.config)
    }

    /// Read receipts.
    pub fn receipts(&self) -> Receipts {
        Receipts::new(self.history(), self.functions(), &self.config)
    }

    /// The other functions.
    pub fn functions(&self) -> Functions {
        Functions::new(aws_sdk_lambda::Client::new(&self.sdk))
    }
}
