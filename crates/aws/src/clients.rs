//! One configured SDK client for each service.

use crate::{
    config::Config, event_bus::EventBus, functions::Functions, history::History, identities::Identities,
    leftovers::Leftovers, lookups::Lookups, owners::Owners, parking::Parking, presence::Presence,
    queues::Queues, receipts::Receipts, sessions::Sessions,
};
use aws_config::{
    BehaviorVersion, ConfigLoader, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_sdk_sqs::config::Credentials;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
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
        let loader = loader(Duration::from_secs(10));
        let sdk = loader.credentials_provider(EnvironmentVariableCredentialsProvider::new()).load().await;
        Self { sdk, config }
    }

    /// Settings for an AWS at another address, with keys of no worth: for tests, which cannot wait
    /// as long for an answer.
    pub async fn at(endpoint: &str, config: Config, attempt_timeout: Duration) -> Self {
        let keys = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "test");
        let loader = loader(attempt_timeout).endpoint_url(endpoint).region(Region::from_static("eu-west-1"));
        Self { sdk: loader.credentials_provider(keys).load().await, config }
    }

    /// The same clients without the SDK's own retries, for functions that try again by themselves:
    /// they know how much time is left, and which part of a call is worth another try.
    #[must_use]
    pub fn without_retries(&self) -> Self {
        let sdk = self.sdk.to_builder().retry_config(RetryConfig::disabled()).build();
        Self { sdk, config: self.config.clone() }
    }

    /// The same clients, whose calls go through another HTTP client: for tests that look at what becomes of calls.
    #[must_use]
    pub fn through(&self, wrap: impl FnOnce(SharedHttpClient) -> SharedHttpClient) -> Self {
        let http = self.sdk.http_client().map(wrap);
        let mut sdk = self.sdk.to_builder();
        sdk.set_http_client(http);
        Self { sdk: sdk.build(), config: self.config.clone() }
    }

    /// The SDK's settings, for what is measured beside the functions.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
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

    /// Lookups of recipients.
    pub fn lookups(&self) -> Lookups {
        Lookups::new(aws_sdk_dynamodb::Client::new(&self.sdk), &self.config)
    }

    /// The owners of queues.
    pub fn owners(&self) -> Owners {
        Owners::new(aws_sdk_dynamodb::Client::new(&self.sdk), &self.config)
    }

    /// Presence.
    pub fn presence(&self) -> Presence {
        Presence::new(aws_sdk_dynamodb::Client::new(&self.sdk), &self.config)
    }

    /// The history table.
    pub fn history(&self) -> History {
        History::new(aws_sdk_dynamodb::Client::new(&self.sdk), &self.config)
    }

    /// SQS.
    pub fn queues(&self) -> Queues {
        Queues::new(aws_sdk_sqs::Client::new(&self.sdk), &self.config)
    }

    /// The identity pool.
    pub fn identities(&self) -> Identities {
        Identities::new(aws_sdk_cognitoidentity::Client::new(&self.sdk), &self.config)
    }

    /// Read receipts.
    pub fn receipts(&self) -> Receipts {
        Receipts::new(self.history(), self.functions(), self.leftovers(), &self.config)
    }

    /// The bus that is told of messages which reach nobody, if the deployment has one.
    pub fn event_bus(&self) -> Option<EventBus> {
        let name = self.config.event_bus.clone()?;
        Some(EventBus::new(aws_sdk_eventbridge::Client::new(&self.sdk), name))
    }

    /// What an invocation leaves.
    pub fn leftovers(&self) -> Leftovers {
        Leftovers::new(self.functions(), self.parking(), self.config.max_concurrency)
    }

    /// The queue of work that was given up.
    pub fn parking(&self) -> Parking {
        Parking::new(self.queues(), &self.config)
    }

    /// The other functions.
    pub fn functions(&self) -> Functions {
        Functions::new(aws_sdk_lambda::Client::new(&self.sdk))
    }
}

fn loader(attempt_timeout: Duration) -> ConfigLoader {
    let http =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(attempt_timeout)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::standard())
        // Replies are small and attempts are bounded: watching their throughput only costs.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts)
}
