//! A system, local or deployed: its names, and SDK clients for its services.

use crate::{Api, Signer, Stack, causes, sdk, stack::StackError};
use aws_config::{Region, SdkConfig};
use aws_sdk_cloudformation::{
    error::{ProvideErrorMetadata as _, SdkError},
    operation::describe_stacks::DescribeStacksError,
    types::{Output, Stack as DeployedStack},
};
use sbe_core::ALIAS;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// The release of this program: a system of another one may have other tables and payloads.
pub const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// How to reach a system.
#[derive(Debug, Clone)]
pub struct System {
    /// Name of the environment, the prefix of every resource.
    pub env: String,
    /// The AWS region.
    pub region: String,
    /// The release that is deployed, such as `0.1.0`.
    pub release: String,
    /// Base URL of the HTTP API.
    pub api_url: String,
    /// Name of the Kinesis stream.
    pub stream: String,
    /// Name of the table of sessions.
    pub session_table: String,
    /// Name of the table of histories.
    pub history_table: String,
    /// Id of the identity pool.
    pub identity_pool_id: String,
    /// URL of the queue of rejected messages.
    pub rejected_queue_url: String,
    /// URL of the queue of work that was given up.
    pub failed_queue_url: String,
    local: bool,
    sdk: SdkConfig,
    cognito: SdkConfig,
}

/// Where a deployed system is.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// Name of the environment.
    pub env: String,
    /// The region; that of the AWS configuration where it is `None`.
    pub region: Option<String>,
    /// A profile of the AWS configuration files.
    pub profile: Option<String>,
}

/// Why no system was found.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// The stack file cannot be used.
    #[error("stack file {0}")]
    File(PathBuf, #[source] StackError),
    /// No region is configured.
    #[error("no AWS region: give --region, or set AWS_REGION")]
    NoRegion,
    /// There are no AWS credentials.
    #[error("no AWS credentials: sign in, or give --profile")]
    NoCredentials,
    /// CloudFormation does not answer, or refuses.
    #[error("CloudFormation: {message}")]
    CloudFormation {
        /// What it says.
        message: String,
        /// Whether the keys are refused, rather than the service out of reach.
        refused: bool,
    },
    /// No stack has this environment.
    #[error("no stack of sqs-browser-events has the environment {env} in {region}")]
    NotFound {
        /// The environment.
        env: String,
        /// The region.
        region: String,
    },
    /// The stack lacks an output that this release has.
    #[error("the stack of environment {env} has no output {output}: it is of another release than {RELEASE}")]
    OtherRelease {
        /// The environment.
        env: String,
        /// The output.
        output: &'static str,
    },
}

impl System {
    /// The system that a stack file names, if there is such a file and it can be read.
    pub fn from_file(path: &Path) -> Result<Self, SystemError> {
        let stack = Stack::read(path).map_err(|error| SystemError::File(path.to_owned(), error))?;
        Ok(Self::from_stack(&stack))
    }

    /// A local system.
    pub fn from_stack(stack: &Stack) -> Self {
        let settings = |endpoint: &str| sdk::fixed(Some(endpoint), &stack.region, &stack.keys);
        Self {
            local: true,
            sdk: settings(&stack.endpoint),
            cognito: settings(&stack.cognito_identity_endpoint),
            env: stack.env.clone(),
            region: stack.region.clone(),
            release: stack.release.clone(),
            api_url: stack.api_url.clone(),
            stream: stack.stream.clone(),
            session_table: stack.session_table.clone(),
            history_table: stack.history_table.clone(),
            identity_pool_id: stack.identity_pool_id.clone(),
            rejected_queue_url: stack.rejected_queue_url.clone(),
            failed_queue_url: stack.failed_queue_url.clone(),
        }
    }

    /// A deployed system: the CloudFormation stack whose stream is the environment's, with the usual chain
    /// of AWS credentials.
    pub async fn find(place: &Place) -> Result<Self, SystemError> {
        let mut loader = sdk::loader();
        if let Some(profile) = &place.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &place.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let sdk = loader.load().await;
        let region = sdk.region().ok_or(SystemError::NoRegion)?.to_string();
        let outputs = outputs(&sdk, &place.env, &region).await?;
        Self::from_outputs(&place.env, region, sdk, &outputs)
    }

    fn from_outputs(
        env: &str,
        region: String,
        sdk: SdkConfig,
        outputs: &HashMap<String, String>,
    ) -> Result<Self, SystemError> {
        let output = |output: &'static str| {
            let value = outputs.get(output).cloned();
            value.ok_or_else(|| SystemError::OtherRelease { env: env.to_owned(), output })
        };
        Ok(Self {
            local: false,
            env: env.to_owned(),
            region,
            release: output("Release")?,
            api_url: output("ApiUrl")?,
            stream: output("StreamName")?,
            session_table: output("SessionsTable")?,
            history_table: output("MessagesTable")?,
            identity_pool_id: output("IdentityPoolId")?,
            rejected_queue_url: output("RejectedQueueUrl")?,
            failed_queue_url: output("FailedQueueUrl")?,
            cognito: sdk.clone(),
            sdk,
        })
    }

    /// Whether it is a local system, which `make run` or the tests started.
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// Whether it is of this program's release: what the two exchange is the same.
    pub fn is_of_this_release(&self) -> bool {
        self.release == RELEASE
    }

    /// The name of one of its functions, such as `event-dispatcher`.
    pub fn function(&self, name: &str) -> String {
        format!("{}-sqs-browser-{name}", self.env)
    }

    /// The name of one of its functions with the alias by which it is called. Its configuration is what calls meet;
    /// that of the name alone is what was deployed last.
    pub fn live(&self, name: &str) -> String {
        format!("{}:{ALIAS}", self.function(name))
    }

    /// What the names of its session queues begin with.
    pub fn queue_prefix(&self) -> String {
        format!("{}-brws-", self.env)
    }

    /// Its HTTP API, called with the operator's keys.
    pub fn api(&self) -> Api {
        Api::new(&self.api_url, self.signer("execute-api"))
    }

    fn signer(&self, service: &'static str) -> Signer {
        let provider = self.sdk.credentials_provider().expect("the settings have a chain of credentials");
        Signer::new(provider, &self.region, service)
    }

    /// API Gateway's own API, and the id that the HTTP API has there. One call is made to it, for which no SDK is
    /// compiled. `None` where the address of the HTTP API is not one of API Gateway's.
    pub fn api_gateway(&self) -> Option<(Api, String)> {
        let (url, id) = gateway(&self.api_url, self.sdk.endpoint_url())?;
        Some((Api::new(&url, self.signer("apigateway")), id.to_owned()))
    }

    /// The settings of the SDK clients: region, keys, endpoint.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// Its CloudFormation stack: its name, and what it was deployed with.
    ///
    /// # Errors
    /// When CloudFormation does not answer, or refuses.
    pub async fn stack(&self) -> Result<Option<DeployedStack>, SdkError<DescribeStacksError>> {
        find_stack(&self.cloudformation(), &self.env).await
    }

    /// CloudFormation.
    pub fn cloudformation(&self) -> aws_sdk_cloudformation::Client {
        aws_sdk_cloudformation::Client::new(&self.sdk)
    }

    /// CloudWatch: alarms and metrics.
    pub fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::new(&self.sdk)
    }

    /// CloudWatch Logs.
    pub fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        aws_sdk_cloudwatchlogs::Client::new(&self.sdk)
    }

    /// The identity pools.
    pub fn cognito_identity(&self) -> aws_sdk_cognitoidentity::Client {
        aws_sdk_cognitoidentity::Client::new(&self.cognito)
    }

    /// DynamoDB.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.sdk)
    }

    /// IAM.
    pub fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.sdk)
    }

    /// Kinesis.
    pub fn kinesis(&self) -> aws_sdk_kinesis::Client {
        aws_sdk_kinesis::Client::new(&self.sdk)
    }

    /// Lambda.
    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.sdk)
    }

    /// SQS, with the operator's keys.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.sdk)
    }

    /// STS, which says whose the operator's keys are.
    pub fn sts(&self) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.sdk)
    }
}

/// Where API Gateway is asked about an API with this base URL, and the API's id: `https://ID.execute-api.REGION.amazonaws.com/ENV`,
/// or `http://HOST:PORT/restapis/ID/ENV/...` of a local system. `endpoint`: where all of AWS is, if not at its own addresses.
fn gateway<'a>(api_url: &'a str, endpoint: Option<&str>) -> Option<(String, &'a str)> {
    let first = |path: &'a str| path.split('/').next();
    let (own, id) = if let Some((before, path)) = api_url.split_once("/restapis/") {
        (before.to_owned(), first(path)?)
    } else {
        let (id, rest) = api_url.strip_prefix("https://")?.split_once(".execute-api.")?;
        (format!("https://apigateway.{}", first(rest)?), id)
    };
    Some((endpoint.map_or(own, |endpoint| endpoint.trim_end_matches('/').to_owned()), id))
}

/// The outputs of the environment's stack.
async fn outputs(sdk: &SdkConfig, env: &str, region: &str) -> Result<HashMap<String, String>, SystemError> {
    let found = find_stack(&aws_sdk_cloudformation::Client::new(sdk), env).await.map_err(refused)?;
    let not_found = || SystemError::NotFound { env: env.to_owned(), region: region.to_owned() };
    let outputs = found.ok_or_else(not_found)?.outputs.unwrap_or_default();
    let named = |output: Output| Some((output.output_key?, output.output_value?));
    Ok(outputs.into_iter().filter_map(named).collect())
}

/// The environment's stack: that whose stream has the environment's name. The stack itself may have any.
async fn find_stack(
    cloudformation: &aws_sdk_cloudformation::Client,
    env: &str,
) -> Result<Option<DeployedStack>, SdkError<DescribeStacksError>> {
    let stream = format!("{env}-sqs-browser-event-dispatcher");
    let is_stream =
        |output: &Output| output.output_key() == Some("StreamName") && output.output_value() == Some(&stream);
    let mut pages = cloudformation.describe_stacks().into_paginator().items().send();
    while let Some(stack) = pages.next().await {
        let stack = stack?;
        if stack.outputs().iter().any(is_stream) {
            return Ok(Some(stack));
        }
    }
    Ok(None)
}

fn refused(error: SdkError<DescribeStacksError>) -> SystemError {
    match error {
        SdkError::ServiceError(answer) => {
            let error = answer.into_err();
            let message = error.message().unwrap_or("it refuses").to_owned();
            SystemError::CloudFormation { message, refused: true }
        }
        // Nothing was sent: there was nothing to sign with.
        SdkError::DispatchFailure(failure) if !failure.is_io() && !failure.is_timeout() => {
            SystemError::NoCredentials
        }
        error => SystemError::CloudFormation { message: causes(&error), refused: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(outputs: &[&str]) -> Result<System, SystemError> {
        let outputs = outputs.iter().map(|name| ((*name).to_owned(), format!("the {name}"))).collect();
        System::from_outputs("dev", "eu-west-1".into(), SdkConfig::builder().build(), &outputs)
    }

    #[test]
    fn api_gateway_is_where_the_api_is() {
        let found = |endpoint: &str| Some((endpoint.to_owned(), "a1b2"));
        let deployed = "https://a1b2.execute-api.cn-north-1.amazonaws.com.cn/prod";
        assert_eq!(gateway(deployed, None), found("https://apigateway.cn-north-1.amazonaws.com.cn"));
        assert_eq!(gateway(deployed, Some("http://localhost:4566/")), found("http://localhost:4566"));
        let local = "http://localhost:4566/restapis/a1b2/dev/_user_request_";
        assert_eq!(gateway(local, None), found("http://localhost:4566"));
        assert_eq!(gateway("https://events.example.com", None), None);
    }

    #[test]
    fn a_stack_without_an_output_is_of_another_release() {
        let outputs = [
            "Release",
            "ApiUrl",
            "StreamName",
            "SessionsTable",
            "MessagesTable",
            "IdentityPoolId",
            "RejectedQueueUrl",
            "FailedQueueUrl",
        ];
        let found = system(&outputs).unwrap();
        assert_eq!(
            (found.api_url.as_str(), found.function("sqs-sender").as_str()),
            ("the ApiUrl", "dev-sqs-browser-sqs-sender")
        );
        assert_eq!(found.live("sqs-sender"), "dev-sqs-browser-sqs-sender:live");
        for (index, name) in outputs.iter().enumerate() {
            let error = system(&[&outputs[..index], &outputs[index + 1..]].concat()).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
