//! The stage of the API: X-Ray, the limit of calls, and access logs.

use super::{
    Doctor,
    check::{Finding, Found},
    stack::{Stack, stack},
};
use sbe_client::{Reply, causes};
use serde_json::Value;

/// The key of what is set for all methods of a stage.
const ALL_METHODS: &str = "*/*";

/// What can be set of a stage.
#[derive(Debug, PartialEq)]
struct Settings {
    /// Whether X-Ray samples calls.
    is_traced: bool,
    /// Calls a second of each route, and at once; `None` where the account's limits are all there is.
    limit: Option<(f64, f64)>,
    /// Whether calls are logged.
    is_logged: bool,
}

/// It is as the stack was told to.
pub(super) async fn api_stage(doctor: &Doctor) -> Found {
    let should = Settings::of_stack(stack(doctor).await?)?;
    let url = &doctor.system.api_url;
    let (gateway, id) = doctor.system.api_gateway().ok_or_else(|| {
        Finding::skipped(format!("{url} is no address of API Gateway's, so that its stage is not known"))
    })?;
    let name = &doctor.system.env;
    let reply = gateway.send("GET", &format!("/restapis/{id}/stages/{name}"), String::new()).await;
    let reply = reply.map_err(|error| Finding::failed(causes(&error), "check the network, and try again"))?;
    Ok(judge([&id, name], &should, &Settings::of_stage(&stage_of(reply)?)))
}

/// The stage, as API Gateway describes it.
fn stage_of(reply: Reply) -> Result<Value, Finding> {
    let said = format!("API Gateway answers HTTP {} {}", reply.status, reply.text);
    match reply.status {
        200 => Ok(reply.json),
        401 | 403 => Err(Finding::skipped(format!("these keys lack the permission apigateway:GET ({said})"))),
        404 => Err(Finding::failed(said, "deploy the template again")),
        _ => Err(Finding::failed(said, "try again; if it stays, the service or the network has a problem")),
    }
}

impl Settings {
    /// As the template sets it, by the stack's parameters.
    fn of_stack(stack: &Stack) -> Result<Self, Finding> {
        let (rate, burst): (f64, f64) = (stack.number("ApiRateLimit")?, stack.number("ApiBurstLimit")?);
        let burst = if burst > 0.0 { burst } else { rate };
        Ok(Self {
            is_traced: stack.parameter("Tracing")? == "1",
            limit: (rate > 0.0).then_some((rate, burst)),
            is_logged: stack.parameter("ApiAccessLogs")? == "1",
        })
    }

    /// As API Gateway describes a stage. What is not set is absent, or negative.
    fn of_stage(stage: &Value) -> Self {
        let all = &stage["methodSettings"][ALL_METHODS];
        let number = |name: &str| all[name].as_f64().filter(|number| *number >= 0.0);
        Self {
            is_traced: stage["tracingEnabled"] == true,
            limit: number("throttlingRateLimit").zip(number("throttlingBurstLimit")),
            is_logged: stage["accessLogSettings"]["destinationArn"]
                .as_str()
                .is_some_and(|arn| !arn.is_empty()),
        }
    }
}

/// What differs, each with what mends it. A deployment does not: CloudFormation sees no change of its own.
fn judge([id, name]: [&str; 2], should: &Settings, is: &Settings) -> Finding {
    let update = |patches: &str| {
        format!(
            "aws apigateway update-stage --rest-api-id {id} --stage-name {name} --patch-operations {patches}"
        )
    };
    let mut others: Vec<(String, String)> = Vec::new();
    if is.is_traced != should.is_traced {
        let patch = format!("op=replace,path=/tracingEnabled,value={}", should.is_traced);
        others.push((traced(is), update(&patch)));
    }
    if is.limit != should.limit {
        others.push((limited(is), update(&limit_patches(should))));
    }
    if is.is_logged != should.is_logged {
        others.push((logged(is), "deploy with the other value of ApiAccessLogs, and then as it was".into()));
    }
    if others.is_empty() {
        return Finding::passed(format!("{}; {}; {}", traced(is), limited(is), logged(is)));
    }
    let (told, remedies): (Vec<String>, Vec<String>) = others.into_iter().unzip();
    Finding::warning(format!("{}, against the stack's parameters", told.join("; ")), remedies.join("; "))
}

fn limit_patches(should: &Settings) -> String {
    let Some((rate, burst)) = should.limit else { return "'op=remove,path=/*/*'".to_owned() };
    let patch = |name, value| format!("'op=replace,path=/*/*/throttling/{name},value={value}'");
    format!("{} {}", patch("rateLimit", rate), patch("burstLimit", burst))
}

fn traced(settings: &Settings) -> String {
    format!("X-Ray {} calls", if settings.is_traced { "samples" } else { "does not sample" })
}

fn limited(settings: &Settings) -> String {
    settings.limit.map_or_else(
        || "no limit but the account's".to_owned(),
        |(rate, burst)| format!("{rate} calls of each route a second and {burst} at once"),
    )
}

fn logged(settings: &Settings) -> String {
    format!("calls are{} logged", if settings.is_logged { "" } else { " not" })
}

#[cfg(test)]
mod tests {
    use super::{super::check::Outcome, *};
    use serde_json::json;

    fn stack(tracing: &str, rate: &str, burst: &str, logs: &str) -> Settings {
        let parameters =
            [("Tracing", tracing), ("ApiRateLimit", rate), ("ApiBurstLimit", burst), ("ApiAccessLogs", logs)];
        Settings::of_stack(&Stack::with(&parameters)).unwrap()
    }

    #[test]
    fn a_stage_is_as_its_stack_was_told() {
        let bare = Settings::of_stage(&json!({"stageName": "prod"}));
        assert_eq!(bare, stack("0", "0", "0", "0"));
        let finding = judge(["a1", "prod"], &bare, &bare);
        assert_eq!(
            (finding.outcome, finding.detail.as_str()),
            (
                Outcome::Passed,
                "X-Ray does not sample calls; no limit but the account's; calls are not logged"
            )
        );
        let all = json!({
            "tracingEnabled": true,
            "methodSettings": {"*/*": {"throttlingRateLimit": 50.0, "throttlingBurstLimit": 100}},
            "accessLogSettings": {"destinationArn": "arn:aws:logs:eu-west-1:111122223333:log-group:g"},
        });
        assert_eq!(Settings::of_stage(&all), stack("1", "50", "100", "1"));
    }

    /// The template says so of `ApiBurstLimit`: 0 is as many as `ApiRateLimit`, without which it does not count.
    #[test]
    fn calls_at_once_are_bounded_as_calls_a_second() {
        assert_eq!(stack("0", "50", "0", "0").limit, Some((50.0, 50.0)));
        assert_eq!(stack("0", "0", "100", "0").limit, None);
        let unset =
            json!({"methodSettings": {"*/*": {"throttlingRateLimit": -1, "throttlingBurstLimit": -1}}});
        assert_eq!(Settings::of_stage(&unset).limit, None);
    }

    #[test]
    fn what_differs_has_the_command_that_mends_it() {
        let finding = judge(["a1", "prod"], &stack("1", "50", "0", "1"), &stack("0", "0", "0", "0"));
        assert_eq!(finding.outcome, Outcome::Warning);
        let remedy = finding.remedy.unwrap();
        let call = "aws apigateway update-stage --rest-api-id a1 --stage-name prod --patch-operations";
        let parts: Vec<&str> = remedy.split("; ").collect();
        assert_eq!(parts[0], format!("{call} op=replace,path=/tracingEnabled,value=true"));
        let limits = "'op=replace,path=/*/*/throttling/rateLimit,value=50' 'op=replace,path=/*/*/throttling/burstLimit,value=50'";
        assert_eq!(parts[1], format!("{call} {limits}"));
        assert!(parts[2].contains("ApiAccessLogs"));
        let unbounded = judge(["a1", "prod"], &stack("0", "0", "0", "0"), &stack("0", "50", "0", "0"));
        assert_eq!(unbounded.remedy, Some(format!("{call} 'op=remove,path=/*/*'")));
    }

    #[test]
    fn keys_that_may_not_look_are_told_the_permission() {
        let reply = |status| Reply { status, retry_after: None, json: json!({}), text: "{}".into() };
        let outcome = |status| stage_of(reply(status)).map_err(|finding| finding.outcome);
        assert_eq!(outcome(403), Err(Outcome::Skipped));
        assert_eq!([404, 500].map(outcome), [Err(Outcome::Failed), Err(Outcome::Failed)]);
        assert_eq!(outcome(200), Ok(json!({})));
    }
}
