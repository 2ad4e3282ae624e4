//! Looks up whom messages are for and hands them to the sender and the history: the Lambda function.

use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    sbe_edge::start(event_dispatcher::App::new, event_dispatcher::handle).await
}
