//! What a put does when the stream takes only some records, or none: against a stream that fails as it is told.

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sbe_client::{
    sdk,
    stream::{Batch, MAX_BYTES, MAX_RECORDS, NotTaken, Stream},
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Decides by the number of the call (from 0) and the record's data whether the record is taken.
type Takes = fn(usize, &str) -> bool;

/// What the stream was given, call by call, and the answer to whole calls.
struct Sink {
    calls: Mutex<Vec<Vec<String>>>,
    takes: Takes,
    /// The error code of the first calls, and how many of them fail as a whole.
    refusal: Option<(&'static str, usize)>,
}

async fn answer(State(sink): State<Arc<Sink>>, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let data = |record: &Value| {
        let bytes = STANDARD.decode(record["Data"].as_str().expect("text")).expect("base64");
        String::from_utf8(bytes).expect("UTF-8")
    };
    let records: Vec<String> = body["Records"].as_array().expect("records").iter().map(data).collect();
    let mut calls = sink.calls.lock().expect("no test panics here");
    let call = calls.len();
    calls.push(records.clone());
    if let Some((code, refused)) = sink.refusal
        && call < refused
    {
        return (StatusCode::BAD_REQUEST, Json(json!({"__type": code, "message": "no"}))).into_response();
    }
    let taken = json!({"SequenceNumber": "1", "ShardId": "shardId-000000000000"});
    let refused = json!({"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"});
    let result = |data: &String| if (sink.takes)(call, data) { &taken } else { &refused }.clone();
    let results: Vec<Value> = records.iter().map(result).collect();
    let failed = results.iter().filter(|result| result["ErrorCode"].is_string()).count();
    Json(json!({"FailedRecordCount": failed, "Records": results})).into_response()
}

async fn start(takes: Takes, refusal: Option<(&'static str, usize)>) -> (Stream, Arc<Sink>) {
    let sink = Arc::new(Sink { calls: Mutex::default(), takes, refusal });
    let app = Router::new().route("/", post(answer)).with_state(sink.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async { axum::serve(listener, app).await });
    let keys = SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "test"));
    let settings = sdk::fixed(Some(&endpoint), "us-east-1", keys);
    (Stream::new(aws_sdk_kinesis::Client::new(&settings), "events"), sink)
}

fn batch(records: &[&str]) -> Batch {
    let mut batch = Batch::default();
    for data in records {
        batch.push("key", *data);
    }
    batch
}

#[tokio::test]
async fn only_what_was_refused_is_put_again() {
    let (stream, sink) =
        start(|call, data| call >= 2 || (data != "b" && (call == 1 || data != "d")), None).await;
    let mut batch = batch(&["a", "b", "c", "d"]);
    stream.put(&mut batch, Duration::from_mins(1)).await.expect("all are taken in the end");
    assert_eq!(*sink.calls.lock().unwrap(), [vec!["a", "b", "c", "d"], vec!["b", "d"], vec!["b"]]);
    assert_eq!((batch.waiting(), batch.repeated()), (&[][..], 3));
}

#[tokio::test]
async fn what_is_never_taken_is_named_when_patience_ends() {
    let (stream, sink) = start(|_, data| data == "a", None).await;
    let mut batch = batch(&["a", "b", "c"]);
    let error = stream.put(&mut batch, Duration::from_secs(3)).await.expect_err("two are never taken");
    assert!(matches!(&error, NotTaken::Record { code, .. } if code.contains("Throughput")), "{error}");
    assert_eq!(batch.waiting(), [1, 2]);
    assert!(sink.calls.lock().unwrap().len() > 2, "it tried more than once again");
}

#[tokio::test]
async fn a_refusal_for_good_is_told_at_once() {
    let (stream, sink) = start(|_, _| true, Some(("ResourceNotFoundException", usize::MAX))).await;
    let mut batch = batch(&["a"]);
    let begin = Instant::now();
    let error = stream.put(&mut batch, Duration::from_mins(1)).await.expect_err("there is no such stream");
    assert!(matches!(error, NotTaken::Call(_)));
    assert!(begin.elapsed() < Duration::from_secs(30));
    assert_eq!((batch.waiting(), sink.calls.lock().unwrap().len()), (&[0][..], 1));
}

#[tokio::test]
async fn a_throttled_call_is_tried_again_as_a_whole() {
    // More than the three attempts that the SDK makes of each try.
    let (stream, sink) = start(|_, _| true, Some(("ThrottlingException", 4))).await;
    let mut batch = batch(&["a"]);
    stream.put(&mut batch, Duration::from_mins(1)).await.expect("it is taken in the end");
    assert_eq!(sink.calls.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn a_put_that_is_dropped_leaves_what_is_not_known_to_be_taken() {
    let (stream, sink) = start(|_, data| data == "a", None).await;
    let mut batch = batch(&["a", "b"]);
    let put = stream.put(&mut batch, Duration::from_mins(1));
    let second_call = async {
        while sink.calls.lock().unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! { _ = put => panic!("b is never taken"), () = second_call => {} }
    assert_eq!(batch.waiting(), [1]);
}

#[test]
fn a_batch_has_the_limits_of_the_call() {
    let mut batch = batch(&vec!["x"; MAX_RECORDS - 1]);
    assert!(batch.has_room_for(1));
    assert!(!batch.has_room_for(MAX_BYTES));
    batch.push("key", "x");
    assert_eq!(batch.len(), MAX_RECORDS);
    assert!(!batch.has_room_for(1));
    assert!(Batch::default().has_room_for(MAX_BYTES + 1), "alone, for the stream to refuse");
}
