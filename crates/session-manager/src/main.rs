//! Creates, renews and ends browser sessions: the Lambda function.

use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    sbe_edge::start(session_manager::App::new, session_manager::handle).await
}
