//! The stack policy, which keeps updates from replacing what has data.

use super::{
    Doctor,
    check::{Finding, Found, answer},
    policy::{statements, texts},
    stack::stack,
};
use serde_json::Value;

/// What `make deploy` sets.
const OWN: &str = include_str!("../../../../../docs/stack-policy.json");

/// There is a policy that lets no update replace what has data.
pub(super) async fn stack_policy(doctor: &Doctor) -> Found {
    let stack = stack(doctor).await?;
    let get = doctor.system.cloudformation().get_stack_policy().stack_name(&stack.name).send().await;
    let body = answer("cloudformation:GetStackPolicy", get)?.stack_policy_body.unwrap_or_default();
    Ok(judge(&stack.name, stack.keeps_data()?, &body))
}

fn judge(name: &str, keeps_data: bool, body: &str) -> Finding {
    let policy: Value = serde_json::from_str(body).unwrap_or_default();
    let own: Value = serde_json::from_str(OWN).expect("the document is JSON");
    let open: Vec<&str> = guarded(&own).into_iter().filter(|of| !is_denied(&policy, of)).collect();
    let detail = match open.as_slice() {
        [] if policy == own => return Finding::passed("it is that of docs/stack-policy.json"),
        [] => return Finding::passed("it is another than docs/stack-policy.json, and guards the same"),
        _ if body.is_empty() => "there is none: an update may replace what has data".to_owned(),
        open => {
            let names: Vec<&str> =
                open.iter().map(|of| of.trim_start_matches("LogicalResourceId/")).collect();
            format!("it lets an update replace {}", names.join(", "))
        }
    };
    let remedy = format!(
        "make deploy sets it; or aws cloudformation set-stack-policy --stack-name {name} \
         --stack-policy-body file://docs/stack-policy.json"
    );
    if keeps_data { Finding::failed(detail, remedy) } else { Finding::warning(detail, remedy) }
}

/// The resources that a policy lets no update replace, as it names them.
fn guarded(policy: &Value) -> Vec<&str> {
    let denying = statements(policy).into_iter().filter(|statement| statement["Effect"] == "Deny");
    denying.flat_map(|statement| texts(&statement["Resource"])).collect()
}

/// Whether a policy denies the replacement of a resource, whatever else it says: a denial counts more than
/// what is allowed. One under a condition is taken for none.
fn is_denied(policy: &Value, resource: &str) -> bool {
    let denies = |statement: &&Value| {
        statement["Effect"] == "Deny"
            && statement.get("Condition").is_none()
            && texts(&statement["Action"]).iter().any(|of| matches(of, "Update:Replace"))
            && texts(&statement["Resource"]).iter().any(|of| matches(of, resource))
    };
    statements(policy).iter().any(denies)
}

/// Whether a text is as a pattern says, which may end in a star.
fn matches(pattern: &str, text: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == text, |stem| text.starts_with(stem))
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};
    use serde_json::json;

    #[test]
    fn what_make_deploy_sets_is_well() {
        let finding = judge("s", true, OWN);
        assert_eq!(
            (finding.outcome, finding.detail.as_str()),
            (Outcome::Passed, "it is that of docs/stack-policy.json")
        );
    }

    #[test]
    fn another_policy_that_denies_as_much_is_well() {
        let strict =
            json!({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "Update:*", "Resource": "*"}});
        assert_eq!(judge("s", true, &strict.to_string()).outcome, Outcome::Passed);
    }

    /// docs/OPERATIONS.md: "set one that allows everything before".
    #[test]
    fn one_that_lets_an_update_replace_data_fails_where_data_are_kept() {
        let open = json!({"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]});
        for (body, detail) in
            [("", "there is none"), (&*open.to_string(), "it lets an update replace Sessions, Messages")]
        {
            assert!(judge("s", true, body).detail.starts_with(detail), "{body}");
            assert_eq!(
                [true, false].map(|keeps| judge("s", keeps, body).outcome),
                [Outcome::Failed, Outcome::Warning]
            );
        }
    }

    #[test]
    fn what_is_guarded_in_part_or_under_a_condition_is_named() {
        let mut policy: Value = serde_json::from_str(OWN).unwrap();
        policy["Statement"][1]["Resource"]
            .as_array_mut()
            .unwrap()
            .retain(|of| of != "LogicalResourceId/Stream");
        assert_eq!(judge("s", true, &policy.to_string()).detail, "it lets an update replace Stream");
        policy["Statement"][1]["Condition"] = json!({"StringEquals": {"ResourceType": ["AWS::SQS::Queue"]}});
        assert_eq!(judge("s", true, &policy.to_string()).outcome, Outcome::Failed);
    }
}
