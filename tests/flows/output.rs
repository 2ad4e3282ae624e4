//! The system goes on when nobody reads what it prints.

use sbe_client::Stack;
use sbe_tests::{
    eventually,
    system::{launch, root},
    unique,
};
use std::{io::pipe, process::Stdio};

/// As `make run | head` does: whoever reads its output leaves before it prints.
#[tokio::test]
async fn closed_outputs_end_nothing() {
    let dir = root().join(format!("target/flows-output-{}", unique()));
    let closed = || Stdio::from(pipe().expect("a pipe").1);
    let mut process = launch("output", &dir, closed(), closed());
    let file = dir.join("stack.json");
    let stack = eventually("the system", || {
        assert!(process.try_wait().expect("it can be asked").is_none(), "the system has ended");
        std::future::ready(Stack::read(&file).ok())
    })
    .await;
    // By the end of this it has printed all it has to.
    let unsigned = reqwest::get(format!("{}/status", stack.api_url)).await.expect("the API answers");
    assert_eq!(unsigned.status(), 403);
    drop(process.stdin.take());
    let status = process.wait().expect("it ends");
    assert!(status.success(), "{status}");
    std::fs::remove_dir_all(dir).expect("its state is left");
}
