//! Writes messages and read receipts to users' histories: the Lambda function.

use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    sbe_edge::start(user_history_adder::App::new, user_history_adder::handle).await
}
