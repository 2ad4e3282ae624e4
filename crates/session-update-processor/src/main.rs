//! Removes the queues and identities of sessions that are gone: the Lambda function.

use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    sbe_edge::start(session_update_processor::App::new, session_update_processor::handle).await
}
