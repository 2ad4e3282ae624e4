//! Who asks, and whether the API lets in whom it should.

use super::{
    Doctor,
    check::{Finding, Found},
};
use crate::failure::Failure;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use sbe_client::{Api, ApiError, Reply, Signer, api::in_path, causes, system::RELEASE};

/// The keys are good, and whose they are.
pub(super) async fn credentials(doctor: &Doctor) -> Found {
    let reply = doctor.system.sts().get_caller_identity().send().await;
    let caller = reply.map_err(|error| match Failure::aws("these keys are refused", error) {
        Failure::NotAllowed(text) => {
            Finding::failed(text, "sign in again, or name other keys with --profile or the AWS_… variables")
        }
        other => Finding::failed(other.to_string(), "check the network, and --region"),
    })?;
    let arn = caller.arn.unwrap_or_default();
    Ok(Finding::passed(format!("{arn}, region {}", doctor.system.region)))
}

/// The system and this program are of one release.
pub(super) fn release(doctor: &Doctor) -> Finding {
    let system = &doctor.system;
    if system.is_of_this_release() {
        return Finding::passed(format!("environment {} is of release {RELEASE}", system.env));
    }
    Finding::failed(
        format!("environment {} is of release {}, and this sbe of {RELEASE}", system.env, system.release),
        "use the sbe of that release, or deploy this one; other commands refuse to work until then",
    )
}

/// The API answers a signed call: the status of a session that there is not.
pub(super) async fn api(doctor: &Doctor) -> Found {
    match doctor.api.send("GET", &nobodys_status(doctor), String::new()).await {
        Ok(reply) => Ok(judge_signed(&doctor.system.api_url, &reply)),
        Err(error) => {
            let remedy = "check the network and the stack's output ApiUrl";
            Err(Finding::failed(causes(&error), remedy))
        }
    }
}

fn judge_signed(url: &str, reply: &Reply) -> Finding {
    let message = reply.json["message"].as_str().unwrap_or_default();
    let said = format!("{url} answers HTTP {} {message}", reply.status);
    match reply.status {
        200 if reply.json["success"] == true => Finding::passed(format!("{url} answers")),
        403 | 404 => Finding::failed(
            said,
            "allow these keys execute-api:Invoke; if they have it, the address or its stage is not that of the \
             stack's output ApiUrl, or the stage is not deployed",
        ),
        429 => Finding::failed(said, "raise the account's throttling limits of API Gateway, or try again"),
        _ => Finding::failed(said, "look at the logs of session-manager, and at its role"),
    }
}

/// It refuses a call without a signature.
pub(super) async fn refuses_unsigned(doctor: &Doctor) -> Found {
    Ok(judge_refusal("without a signature", doctor.api.send_unsigned("GET", &nobodys_status(doctor)).await))
}

/// It refuses a call that is signed with a wrong secret.
pub(super) async fn refuses_wrong_secret(doctor: &Doctor) -> Found {
    let system = &doctor.system;
    let provider =
        system.sdk().credentials_provider().ok_or_else(|| Finding::skipped("there are no keys"))?;
    let keys = aws_credential_types::provider::ProvideCredentials::provide_credentials(&provider).await;
    let keys = keys.map_err(|error| Finding::skipped(causes(&error)))?;
    let token = keys.session_token().map(ToOwned::to_owned);
    let wrong =
        Credentials::new(keys.access_key_id(), "not the secret of this key", token, None, "sbe doctor");
    let signer = Signer::new(SharedCredentialsProvider::new(wrong), &system.region, "execute-api");
    let reply = Api::new(&system.api_url, signer).send("GET", &nobodys_status(doctor), String::new()).await;
    Ok(judge_refusal("with a wrong secret", reply))
}

fn judge_refusal(how: &str, reply: Result<Reply, ApiError>) -> Finding {
    match reply {
        Ok(Reply { status: 403, .. }) => Finding::passed(format!("a call {how} gets HTTP 403")),
        Ok(Reply { status: 200, .. }) => Finding::failed(
            format!("a call {how} is answered: anybody can use the API"),
            "deploy the template again: every method's authorization is AWS_IAM; until then take the stage away",
        ),
        Ok(reply) => Finding::failed(
            format!("a call {how} gets HTTP {}, and not 403", reply.status),
            "deploy the template again: every method's authorization is AWS_IAM",
        ),
        Err(error) => Finding::failed(causes(&error), "check the network, and try again"),
    }
}

fn nobodys_status(doctor: &Doctor) -> String {
    format!("/status/{}/nobody", in_path(&doctor.trial.account))
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};
    use serde_json::json;

    fn reply(status: u16, json: serde_json::Value) -> Reply {
        Reply { status, retry_after: None, text: json.to_string(), json }
    }

    #[test]
    fn only_403_is_a_refusal() {
        let outcome = |status| judge_refusal("unsigned", Ok(reply(status, json!({})))).outcome;
        assert_eq!([200, 403, 404, 500].map(outcome)[1], Outcome::Passed);
        assert_eq!([200, 404, 500].map(outcome), [Outcome::Failed; 3]);
    }

    #[test]
    fn an_answer_is_a_success_of_the_api() {
        let judged = |status, json| judge_signed("https://api", &reply(status, json));
        assert_eq!(judged(200, json!({"success": true})).outcome, Outcome::Passed);
        assert_eq!(judged(200, json!("a page of somebody else's")).outcome, Outcome::Failed);
        assert!(judged(404, json!({"message": "Not Found"})).remedy.unwrap().contains("stage"));
        assert!(judged(502, json!({})).remedy.unwrap().contains("logs"));
    }
}
