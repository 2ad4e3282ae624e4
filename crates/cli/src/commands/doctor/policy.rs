//! Judges the policies of the browsers' role, as documents.

use serde_json::Value;

/// What browsers need, in lower case: IAM does not mind the case of actions.
const NEEDED: [&str; 4] =
    ["sqs:receivemessage", "sqs:deletemessage", "sqs:changemessagevisibility", "sqs:getqueueattributes"];
/// Other ways to write them. The stars match nothing but the actions themselves and their batches.
const AS_WELL: [&str; 4] = [
    "sqs:deletemessage*",
    "sqs:deletemessagebatch",
    "sqs:changemessagevisibility*",
    "sqs:changemessagevisibilitybatch",
];
const TAG: &str = "aws:resourcetag/identityid";
const OWN: &str = "${cognito-identity.amazonaws.com:sub}";
const COGNITO: &str = "cognito-identity.amazonaws.com";

/// What is wrong with the policies of the role: they must open the identity's own queue for the four
/// actions, and nothing else.
pub(super) fn judge_permissions(documents: &[Value]) -> Vec<String> {
    let allowing: Vec<&Value> =
        documents.iter().flat_map(statements).filter(|statement| statement["Effect"] == "Allow").collect();
    let mut faults: Vec<String> = allowing.iter().filter_map(|statement| widened(statement)).collect();
    let granted: Vec<String> = allowing.iter().flat_map(|statement| actions(statement)).collect();
    let is_granted = |needed: &str| {
        granted
            .iter()
            .any(|action| action.strip_suffix('*').map_or(action == needed, |stem| needed.starts_with(stem)))
    };
    faults.extend(
        NEEDED.iter().filter(|needed| !is_granted(needed)).map(|needed| format!("{needed} is not allowed")),
    );
    faults
}

/// What a statement allows beyond the own queue.
fn widened(statement: &Value) -> Option<String> {
    if statement.get("NotAction").is_some() || statement.get("NotResource").is_some() {
        return Some("it allows whatever it does not name".to_owned());
    }
    let more = |action: &String| !NEEDED.contains(&action.as_str()) && !AS_WELL.contains(&action.as_str());
    let more: Vec<String> = actions(statement).into_iter().filter(more).collect();
    if !more.is_empty() {
        return Some(format!("it allows {}", more.join(", ")));
    }
    (!is_own_queue_only(&statement["Condition"]))
        .then(|| "it opens queues without the condition that their tag identityId is the identity".to_owned())
}

fn is_own_queue_only(condition: &Value) -> bool {
    let values = condition["StringEquals"].as_object();
    let value = values.and_then(|values| values.iter().find(|(key, _)| key.to_lowercase() == TAG));
    value.is_some_and(|(_, value)| texts(value) == [OWN])
}

/// What is wrong with the role's trust policy: it must trust identities of the pool, of this kind
/// (`authenticated` or `unauthenticated`), and nobody else.
pub(super) fn judge_trust(document: &Value, pool: &str, kind: &str) -> Vec<String> {
    let allowing: Vec<&Value> =
        statements(document).into_iter().filter(|statement| statement["Effect"] == "Allow").collect();
    if allowing.is_empty() {
        return vec!["it trusts nobody".to_owned()];
    }
    allowing.into_iter().flat_map(|statement| distrusted(statement, pool, kind)).collect()
}

fn distrusted(statement: &Value, pool: &str, kind: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let principal = &statement["Principal"];
    if texts(&principal["Federated"]) != [COGNITO] || principal.as_object().is_none_or(|of| of.len() != 1) {
        faults.push(format!("it trusts {principal}, and not {COGNITO} alone"));
        return faults;
    }
    if !actions(statement).contains(&"sts:assumerolewithwebidentity".to_owned()) {
        faults.push("it does not allow sts:AssumeRoleWithWebIdentity".to_owned());
    }
    let condition = &statement["Condition"];
    if texts(&condition["StringEquals"][format!("{COGNITO}:aud")]) != [pool] {
        faults.push(format!("it is not bound to the pool {pool}"));
    }
    let kinds = &condition["ForAnyValue:StringLike"][format!("{COGNITO}:amr")];
    if texts(kinds) != [kind] {
        faults.push(format!("it is not bound to {kind} identities"));
    }
    faults
}

/// A document has one statement, or a list of them.
pub(super) fn statements(document: &Value) -> Vec<&Value> {
    match &document["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        Value::Null => Vec::new(),
        statement => vec![statement],
    }
}

fn actions(statement: &Value) -> Vec<String> {
    texts(&statement["Action"]).into_iter().map(str::to_lowercase).collect()
}

/// One text, or a list of them.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn own_queue() -> Value {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage*", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
            "Resource": "arn:aws:sqs:us-east-1:000000000000:*-brws-*",
            "Condition": {"StringEquals": {"aws:ResourceTag/identityId": OWN}},
        }]})
    }

    fn with(pointer: &str, value: Value) -> Vec<String> {
        let mut policy = own_queue();
        *policy.pointer_mut(pointer).unwrap() = value;
        judge_permissions(&[policy])
    }

    #[test]
    fn the_own_queue_is_opened_and_nothing_else() {
        assert_eq!(judge_permissions(&[own_queue()]), [""; 0]);
        assert!(with("/Statement/0/Condition", json!({}))[0].contains("without the condition"));
        let any = json!({"StringLike": {"aws:ResourceTag/identityId": "*"}});
        assert!(with("/Statement/0/Condition", any)[0].contains("without the condition"));
        let two = json!([OWN, "us-east-1:another"]);
        assert!(with("/Statement/0/Condition/StringEquals/aws:ResourceTag~1identityId", two).len() == 1);
        assert_eq!(
            with("/Statement/0/Action/3", json!("sqs:PurgeQueue")),
            ["it allows sqs:purgequeue", "sqs:getqueueattributes is not allowed"]
        );
        assert_eq!(with("/Statement/0/Action", json!("sqs:*")), ["it allows sqs:*"]);
        assert_eq!(judge_permissions(&[]).len(), 4, "nothing is allowed");
        let other = json!({"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}});
        assert_eq!(judge_permissions(&[own_queue(), other]), ["it allows whatever it does not name"]);
        let deny = json!({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}});
        assert_eq!(judge_permissions(&[own_queue(), deny]), [""; 0], "a denial widens nothing");
    }

    #[test]
    fn identities_of_the_pool_are_trusted_and_nobody_else() {
        let trust = json!({"Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": COGNITO},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {"cognito-identity.amazonaws.com:aud": "r:pool"},
                "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
            },
        }]});
        assert_eq!(judge_trust(&trust, "r:pool", "authenticated"), [""; 0]);
        assert_eq!(judge_trust(&trust, "r:other", "authenticated"), ["it is not bound to the pool r:other"]);
        assert_eq!(
            judge_trust(&trust, "r:pool", "unauthenticated"),
            ["it is not bound to unauthenticated identities"]
        );
        let everybody =
            json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}});
        assert!(judge_trust(&everybody, "r:pool", "authenticated")[0].contains("and not cognito"));
        assert_eq!(judge_trust(&json!({}), "r:pool", "authenticated"), ["it trusts nobody"]);
    }
}
