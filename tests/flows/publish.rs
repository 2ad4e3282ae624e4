//! Messages reach exactly the sessions that they are for.

use sbe_tests::{Backend, Browser, unique};
use serde_json::{Value, json};

/// Two accounts, three users, four sessions.
struct World {
    accounts: [i64; 2],
    users: [i64; 3],
    browsers: [Browser; 4],
}

/// Session 0: account 0, user 0. Session 1: account 0, user 1. Session 2: account 1, user 0.
/// Session 3: account 1, user 2. All have ids of their own but for 1 and 3, which share one.
async fn world(backend: &Backend) -> World {
    let accounts = [unique(), unique()];
    let users = [unique(), unique(), unique()];
    let browsers = [
        backend.create(accounts[0], "phone", Some(users[0])).await,
        backend.create(accounts[0], &format!("shared-{}", users[0]), Some(users[1])).await,
        backend.create(accounts[1], "laptop", Some(users[0])).await,
        backend.create(accounts[1], &format!("shared-{}", users[0]), Some(users[2])).await,
    ];
    World { accounts, users, browsers }
}

/// The targets that a message can have, and which of the four sessions each reaches.
fn cases(world: &World) -> Vec<(Value, Vec<usize>)> {
    let ([a0, a1], [u0, u1, _]) = (world.accounts, world.users);
    let shared = format!("shared-{u0}");
    vec![
        (json!({}), vec![0, 1, 2, 3]),
        (json!({"accountId": a0}), vec![0, 1]),
        (json!({"accountId": a1.to_string()}), vec![2, 3]),
        (json!({"userId": u0}), vec![0, 2]),
        (json!({"accountId": a0, "userId": u0}), vec![0]),
        (json!({"sessionId": shared}), vec![1, 3]),
        (json!({"accountId": a0, "sessionId": shared}), vec![1]),
        (json!({"userId": u1, "sessionId": shared}), vec![1]),
        (json!({"accountId": a1, "userId": u0, "sessionId": "laptop"}), vec![2]),
        (json!({"accountId": a1, "userId": u1}), vec![]),
        (json!({"accountId": a1, "userId": u1, "sessionId": "laptop"}), vec![]),
    ]
}

/// The numbers of the cases that reach a session.
fn expected(cases: &[(Value, Vec<usize>)], session: usize) -> Vec<Value> {
    (0..cases.len()).filter(|n| cases[*n].1.contains(&session)).map(|n| json!(n)).collect()
}

async fn each_session_gets_exactly_its_messages(world: &World, flow: i64) {
    let cases = cases(world);
    for (session, browser) in world.browsers.iter().enumerate() {
        let expected = expected(&cases, session);
        let mut received = browser.receive(flow, expected.len()).await;
        received.sort_by_key(Value::as_u64);
        assert_eq!(received, expected, "session {session}");
    }
}

#[tokio::test]
async fn by_kinesis() {
    let backend = Backend::new();
    let (world, flow) = (world(&backend).await, unique());
    for (n, (keys, _)) in cases(&world).into_iter().enumerate() {
        let mut message = keys;
        message["n"] = json!(n);
        message["flow"] = json!(flow);
        message["_sqs_only"] = json!(1); // broadcasts stay out of the histories of other flows
        backend.put_record(message.to_string()).await;
    }
    each_session_gets_exactly_its_messages(&world, flow).await;
}

#[tokio::test]
async fn by_http_with_keys_in_the_body() {
    let backend = Backend::new();
    let (world, flow) = (world(&backend).await, unique());
    for (n, (keys, reached)) in cases(&world).into_iter().enumerate() {
        let mut message = keys.clone();
        message["n"] = json!(n);
        message["flow"] = json!(flow);
        message["_sqs_only"] = json!(1);
        let reply = backend.post("/notify", message).await.success();
        if keys != json!({}) {
            assert_eq!(reply["sessions"], json!(reached.len()), "{keys}");
        }
    }
    each_session_gets_exactly_its_messages(&world, flow).await;
}

#[tokio::test]
async fn by_http_with_keys_in_the_path() {
    let backend = Backend::new();
    let (world, flow) = (world(&backend).await, unique());
    let ([a0, a1], [u0, _, _]) = (world.accounts, world.users);
    let paths = [
        ("/notify".to_owned(), vec![0, 1, 2, 3]),
        (format!("/notify/{a0}"), vec![0, 1]),
        (format!("/notify/{a1}/user/{u0}"), vec![2]),
        (format!("/notify/{a0}/user/{u0}/session/phone"), vec![0]),
    ];
    for (n, (path, _)) in paths.iter().enumerate() {
        // A key in the message loses against the path's.
        let query = format!("?n={n}&flow={flow}&_sqs_only=1{}", if n > 0 { "&accountId=0" } else { "" });
        let reply = backend.get(&format!("{path}{query}")).await.success();
        assert!(reply["messageId"].as_str().is_some_and(|id| id.len() == 43), "{reply}");
    }
    for (session, browser) in world.browsers.iter().enumerate() {
        let count = paths.iter().filter(|(_, reached)| reached.contains(&session)).count();
        let mut texts = Vec::new();
        while texts.len() < count {
            let messages = browser.poll(10).await;
            assert!(!messages.is_empty(), "session {session} has {} of {count}", texts.len());
            let ours = messages.into_iter().map(|text| serde_json::from_str::<Value>(&text).expect("JSON"));
            // Query parameters are strings; ids of the path are typed.
            texts.extend(ours.filter(|message| message["flow"].as_str() == Some(&*flow.to_string())));
        }
        let mut received: Vec<&str> = texts.iter().filter_map(|message| message["n"].as_str()).collect();
        received.sort_unstable();
        let expected: Vec<String> =
            (0..paths.len()).filter(|n| paths[*n].1.contains(&session)).map(|n| n.to_string()).collect();
        assert_eq!(received, expected, "session {session}");
        let typed = texts.iter().filter(|message| message["n"] != "0");
        assert!(typed.clone().all(|message| message["accountId"] == browser.session["accountId"]));
    }
}

#[tokio::test]
async fn by_a_list_each_message_accepted_or_refused_by_itself() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let browser = backend.create(account, "s", None).await;
    let list = json!([
        {"accountId": account, "n": 0, "flow": flow},
        {"accountId": null, "n": 1, "flow": flow},
        "no message",
        {"accountId": account, "n": 3, "flow": flow, "messageId": "mine"},
    ]);
    let reply = backend.post("/notify", list).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json["success"], false);
    let messages = &reply.json["messages"];
    assert_eq!((&messages[0]["index"], &messages[0]["sessions"]), (&json!(0), &json!(1)));
    assert!(messages[1]["message"].as_str().unwrap().starts_with("accountId must be an integer from"));
    assert_eq!(messages[2]["message"], "message must be a JSON object in UTF-8");
    assert_eq!(messages[3]["messageId"], "mine");
    assert_eq!(browser.receive(flow, 2).await, [json!(0), json!(3)]);
}

/// docs/PROTOCOL.md: "Order is kept within each session's sends".
#[tokio::test]
async fn a_list_keeps_its_order() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let browser = backend.create(account, "s", None).await;
    let list: Vec<Value> = (0..50).map(|n| json!({"accountId": account, "flow": flow, "n": n})).collect();
    backend.post("/notify", json!(list)).await.success();
    let received = browser.receive(flow, 50).await;
    let expected: Vec<Value> = (0..50).map(|n| json!(n)).collect();
    assert_eq!(received, expected);
}

/// docs/PROTOCOL.md: "large integers, floats, nesting, Unicode and the order of keys are kept".
#[tokio::test]
async fn a_message_passes_through_unchanged_in_meaning() {
    let backend = Backend::new();
    let (account, flow) = (unique(), unique());
    let browser = backend.create(account, "s", None).await;
    let text = format!(
        r#"{{"z":123456789012345678901234567890,"a":0.1,"n":{{"deep":[[[{{"é":"\u00e9 \ud83d\ude00 \u0000"}}]]],"null":null}},"flow":{flow},"accountId":{account},"messageId":"m-{flow}"}}"#
    );
    backend.put_record(&text).await;
    let received = loop {
        let texts = browser.poll(10).await;
        assert!(!texts.is_empty(), "nothing came");
        if let Some(text) = texts.into_iter().find(|text| text.contains(&format!("m-{flow}"))) {
            break text;
        }
    };
    // The local endpoint may change white space, so compare keys and values in their order.
    let fields = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    assert_eq!(fields(&received)["n"], fields(&text)["n"]);
    assert_eq!(fields(&received)["a"], fields(&text)["a"]);
    assert!(received.contains("123456789012345678901234567890"));
    assert!(
        received.find("\"z\"") < received.find("\"a\"") && received.find("\"a\"") < received.find("\"n\"")
    );
}
