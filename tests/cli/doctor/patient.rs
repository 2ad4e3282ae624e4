//! A system to examine, and what the doctor says of it.

use aws_sdk_lambda::types::{AliasRoutingConfiguration, Environment, LastUpdateStatus};
use sbe_client::System;
use sbe_tests::{
    eventually,
    sbe::{Run, command_on},
    system::{Running, start},
};
use serde_json::Value;
use std::{path::PathBuf, sync::LazyLock};
use tokio::sync::{Mutex, MutexGuard};

/// A system of the tests' own.
pub(crate) struct Patient {
    pub(crate) system: System,
    pub(crate) running: Running,
}

/// The system that is damaged and mended: by one test at a time.
pub(crate) async fn patient() -> MutexGuard<'static, Patient> {
    static PATIENT: LazyLock<Mutex<Patient>> =
        LazyLock::new(|| Mutex::new(Patient::new(start("doctor", "developer"))));
    PATIENT.lock().await
}

impl Patient {
    pub(crate) fn new(running: Running) -> Self {
        Self { system: System::from_stack(&running.stack), running }
    }

    /// Runs `sbe` on it.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Run {
        command_on(&self.running.file, arguments).output().await.expect("sbe starts").into()
    }

    /// Sets what a function logs, as a change by hand does: nothing is published.
    pub(crate) async fn set_level(&self, name: &str, level: &str) {
        let (lambda, function) = (self.system.lambda(), self.system.function(name));
        let now = lambda.get_function_configuration().function_name(&function).send().await;
        let now = now.expect("it is there").environment.and_then(|of| of.variables);
        let mut variables = now.expect("it has an environment");
        variables.insert("RUST_LOG".into(), level.into());
        let environment = Environment::builder().set_variables(Some(variables)).build();
        let update = lambda.update_function_configuration().function_name(&function).environment(environment);
        update.send().await.expect("it is set");
        eventually("the function to be as it was set", async || {
            let now = lambda.get_function_configuration().function_name(&function).send().await;
            let status = now.expect("it is there").last_update_status;
            (status == Some(LastUpdateStatus::Successful)).then_some(())
        })
        .await;
    }

    /// Publishes what a function is now, and lets all calls go to it; the version.
    pub(crate) async fn publish(&self, name: &str) -> String {
        let (lambda, function) = (self.system.lambda(), self.system.function(name));
        let published = lambda.publish_version().function_name(&function).send().await;
        let version = published.expect("a version is published").version.expect("it has a number");
        let all = AliasRoutingConfiguration::builder().build();
        let update = lambda.update_alias().function_name(function).name("live").routing_config(all);
        update.function_version(&version).send().await.expect("an alias can be moved");
        version
    }

    /// What the doctor says of it.
    pub(crate) async fn examine(&self, arguments: &[&str]) -> Diagnosis {
        self.diagnose(&[&["doctor", "--json"], arguments].concat()).await
    }

    /// What it says of the same system where it is found by its stack, as one on AWS is. The API that the stack names
    /// is AWS's own, to which no call gets.
    pub(crate) async fn examine_as_deployed(&self) -> Diagnosis {
        let stack = &self.running.stack;
        let arguments = ["doctor", "--json", "--env", &stack.env, "--region", &stack.region];
        let mut command = command_on(&self.running.file, &arguments);
        command
            .env_remove("SBE_STACK")
            .envs(["HTTPS_PROXY", "https_proxy"].map(|name| (name, "http://127.0.0.1:1")))
            .env("AWS_ENDPOINT_URL", &stack.endpoint)
            .env("AWS_ENDPOINT_URL_COGNITO_IDENTITY", &stack.cognito_identity_endpoint)
            .env("AWS_ACCESS_KEY_ID", &stack.keys.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &stack.keys.secret_key);
        let run = Run::from(command.output().await.expect("sbe starts"));
        Diagnosis { code: run.code, json: run.json() }
    }

    /// What it says when something does not come, for which it waits no longer than what works may take.
    pub(crate) async fn examine_briefly(&self) -> Diagnosis {
        self.diagnose(&["doctor", "--json", "--timeout", "10"]).await
    }

    async fn diagnose(&self, arguments: &[&str]) -> Diagnosis {
        let run = self.run(arguments).await;
        Diagnosis { code: run.code, json: run.json() }
    }

    /// What it says where a field of the stack file is another.
    pub(crate) async fn examine_with(&self, field: &str, value: &str) -> Diagnosis {
        let file = self.stack_with(field, value);
        self.examine(&["--stack-file", file.to_str().expect("a path in UTF-8")]).await
    }

    /// The path of a stack file with one field changed.
    fn stack_with(&self, field: &str, value: &str) -> PathBuf {
        let mut stack = serde_json::to_value(&self.running.stack).expect("JSON");
        stack[field] = value.into();
        let file = self.running.file.with_file_name(format!("stack-{field}.json"));
        std::fs::write(&file, stack.to_string()).expect("its directory is writable");
        file
    }

    /// The name of the role whose name has this part.
    pub(crate) async fn role(&self, part: &str) -> String {
        let roles = self.system.iam().list_roles().send().await.expect("roles can be listed").roles;
        let found =
            roles.iter().find(|role| role.role_name().contains(part) && role.role_name().contains("doctor"));
        found.expect("there is the role").role_name().to_owned()
    }

    /// Gives a role another policy of this name.
    pub(crate) async fn put_policy(&self, role: &str, name: &str, document: &Value) {
        let put = self.system.iam().put_role_policy().role_name(role).policy_name(name);
        put.policy_document(document.to_string()).send().await.expect("a policy can be put");
    }

    /// A role's policy of this name.
    pub(crate) async fn policy(&self, role: &str, name: &str) -> Value {
        let get = self.system.iam().get_role_policy().role_name(role).policy_name(name);
        let encoded = get.send().await.expect("a policy can be read").policy_document;
        let document = percent_encoding::percent_decode_str(&encoded).decode_utf8_lossy().into_owned();
        serde_json::from_str(&document).expect("a policy is JSON")
    }

    /// Puts an entry into the failed queue; the queue's URL.
    pub(crate) async fn park(&self, entry: &str) -> &str {
        let url = &self.system.failed_queue_url;
        let send = self.system.sqs().send_message().queue_url(url).message_body(entry);
        send.send().await.expect("the operator may send");
        url
    }

    /// Empties a queue.
    pub(crate) async fn purge(&self, url: &str) {
        self.system.sqs().purge_queue().queue_url(url).send().await.expect("a queue can be purged");
    }
}

/// What the doctor said.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    pub(crate) code: Option<i32>,
    pub(crate) json: Value,
}

impl Diagnosis {
    fn checks(&self) -> impl Iterator<Item = &Value> {
        self.json["checks"].as_array().expect("a list of checks").iter()
    }

    /// The names of the checks with this outcome.
    pub(crate) fn named(&self, outcome: &str) -> Vec<&str> {
        self.checks()
            .filter(|check| check["outcome"] == outcome)
            .filter_map(|check| check["name"].as_str())
            .collect()
    }

    /// A field of a check.
    fn field(&self, name: &str, field: &str) -> &str {
        let check = self.checks().find(|check| check["name"] == name).expect("there is the check");
        check[field].as_str().unwrap_or_default()
    }

    pub(crate) fn detail(&self, name: &str) -> &str {
        self.field(name, "detail")
    }

    pub(crate) fn remedy(&self, name: &str) -> &str {
        self.field(name, "remedy")
    }

    /// Exactly these checks failed, each with a remedy.
    pub(crate) fn fails(&self, names: &[&str]) {
        assert_eq!(self.named("failed"), names, "{:#}", self.json);
        assert!(names.iter().all(|name| !self.remedy(name).is_empty()), "{:#}", self.json);
        assert_eq!(self.code, Some(1));
    }
}
