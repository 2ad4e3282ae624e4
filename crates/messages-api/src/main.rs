//! Serves users' histories and takes read receipts: the Lambda function.

use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    sbe_edge::start(messages_api::App::new, messages_api::handle).await
}
