//! The settings that all SDK clients share.

use aws_config::{
    BehaviorVersion, ConfigLoader, Region, SdkConfig, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::time::Duration;

/// SQS may hold a poll for 20 seconds.
const ATTEMPT: Duration = Duration::from_secs(30);

/// The HTTP client of the SDKs.
pub fn https() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// Settings with these keys, for an endpoint other than AWS's own where one is given.
pub fn fixed(endpoint: Option<&str>, region: &str, keys: impl Into<SharedCredentialsProvider>) -> SdkConfig {
    let mut settings = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(https())
        .retry_config(RetryConfig::standard())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts())
        .region(Region::new(region.to_owned()))
        .credentials_provider(keys.into());
    settings.set_endpoint_url(endpoint.map(ToOwned::to_owned));
    settings.build()
}

/// Settings from the usual chain of AWS configuration: the SDK's own retries, and a limit for every attempt.
pub fn loader() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(https())
        .retry_config(RetryConfig::standard())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts())
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(ATTEMPT)
        .build()
}
