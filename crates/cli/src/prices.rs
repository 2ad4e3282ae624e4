//! What AWS charges: list prices of us-east-1 in US dollars, without free tiers and discounts.

/// When these prices were noted. Nothing looks them up: AWS's pages have those of today and of other regions.
pub const AS_OF: &str = "2025, us-east-1";

const MILLION: f64 = 1_000_000.0;

/// A request to a standard SQS queue, up to 64 KB.
pub const SQS_REQUEST: f64 = 0.40 / MILLION;

/// A call of a REST API of API Gateway.
pub const API_CALL: f64 = 3.50 / MILLION;

/// A PUT payload unit of Kinesis: up to 25 KB of a record.
pub const KINESIS_UNIT: f64 = 0.014 / MILLION;

/// A request to Lambda, without its duration.
pub const LAMBDA_REQUEST: f64 = 0.20 / MILLION;

/// A write unit of `DynamoDB`, on demand.
pub const DYNAMODB_WRITE: f64 = 0.625 / MILLION;
