//! Encrypts messages and sends them to session queues: the Lambda function.

use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    sbe_edge::start(sqs_sender::App::new, sqs_sender::handle).await
}
