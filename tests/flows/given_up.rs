//! What functions give up is not lost: it waits in the failed queue, and is counted.

use aws_sdk_lambda::{primitives::Blob, types::InvocationType};
use sbe_tests::{
    backend::{invoke, lambda, logs, sqs},
    eventually,
    system::stack,
    unique,
};
use serde_json::{Value, json};

/// The field of what a dispatcher hands on.
const HANDED_ON: &str = "sqs-browser-events/handed-on";

/// Hands a function what it fails at, and does not wait for it.
async fn hand(function: &str, event: &Value) {
    let invoke = lambda().invoke().function_name(format!("{}-sqs-browser-{function}", stack().env));
    let invoke = invoke.invocation_type(InvocationType::Event).payload(Blob::new(event.to_string()));
    assert_eq!(invoke.send().await.expect("the operator may invoke").status_code, 202);
}

/// An entry of the failed queue whose payload is one that is looked for, taken from it; others' are left there.
async fn given_up(is_it: impl Fn(&Value) -> bool) -> Option<Value> {
    let (sqs, queue) = (sqs(), &stack().failed_queue_url);
    let receive = sqs.receive_message().queue_url(queue).max_number_of_messages(10).visibility_timeout(1);
    for message in receive.wait_time_seconds(1).send().await.expect("the queue answers").messages? {
        let entry: Value = serde_json::from_str(message.body()?).expect("JSON");
        if is_it(&entry["requestPayload"]) {
            let delete = sqs.delete_message().queue_url(queue).receipt_handle(message.receipt_handle()?);
            delete.send().await.expect("the operator may delete");
            return Some(entry);
        }
    }
    None
}

/// Lambda tries three times, and then parks it: for the aliases, and for whoever invokes the dispatcher without one.
#[tokio::test]
async fn what_functions_give_up_is_parked() {
    let malformed = || json!(format!("no payload {}", unique()));
    // Whatever is malformed the dispatcher rejects; it fails at what a later release has handed on.
    let later = || json!({HANDED_ON: {"version": u64::MAX, "added": unique()}});
    let handed = [
        ("session-manager:live", malformed()),
        ("sqs-sender:live", malformed()),
        ("user-history-adder:live", malformed()),
        ("event-dispatcher:live", later()),
        ("event-dispatcher", later()),
    ];
    for (function, event) in &handed {
        hand(function, event).await;
    }
    for (function, event) in handed {
        let entry = eventually(function, || given_up(|payload| *payload == event)).await;
        let of = entry["requestContext"]["functionArn"].as_str().expect("it names the function");
        let name = function.trim_end_matches(":live");
        assert!(of.contains(&format!("-sqs-browser-{name}")), "{entry}");
    }
}

/// docs/OPERATIONS.md: "`Parked` is what a function has put into the failed queue by itself."
#[tokio::test]
async fn what_the_dispatcher_parks_is_counted() {
    let id = unique().to_string();
    // Handed on as often as may be, and still to be shared out.
    let deepest = json!({HANDED_ON: {
        "version": 1, "env": stack().env, "depth": 12, "lookups": ["all"],
        "part": {"lookup": "all", "segments": {"from": 0, "to": 10, "total": 10}},
        "messages": [{"created": 1.5, "message": {"messageId": id}}],
    }});
    assert_eq!(invoke("event-dispatcher", deepest).await, json!({"success": true}));
    let is_it = |payload: &Value| payload[HANDED_ON]["messages"][0]["message"]["messageId"] == id;
    let entries =
        [eventually("an entry", || given_up(is_it)).await, eventually("another", || given_up(is_it)).await];
    assert!(entries.iter().all(|entry| entry["requestPayload"][HANDED_ON]["depth"] == 0), "{entries:?}");
    let counted = || async {
        let lines = logs().await;
        let of_dispatcher = lines.iter().filter(|(function, _)| function == "event-dispatcher");
        let metrics = of_dispatcher.filter_map(|(_, line)| serde_json::from_str::<Value>(line.trim()).ok());
        metrics.into_iter().any(|metrics| metrics["Parked"] == entries.len()).then_some(())
    };
    eventually("the count", counted).await;
}
