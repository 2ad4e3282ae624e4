//! The template, the code and the documentation name the same routes, and the API keeps to them.
//!
//! Apart from the flows, with a system of its own: its random calls publish to everyone.

#[cfg(test)]
mod quotes;

use sbe_edge::{Method, Parameters, Route};
use sbe_tests::system::root;
use serde_json::Value;
use std::{collections::BTreeSet, process::Command};

type Routes = BTreeSet<(String, String)>;

fn of_code() -> Routes {
    fn add<A>(all: &mut Routes, routes: &[Route<A>]) {
        for route in routes {
            all.extend(route.methods.iter().map(|method| pair(method.name(), route.resource)));
        }
    }
    let mut all = Routes::new();
    add(&mut all, session_manager::ROUTES);
    add(&mut all, event_dispatcher::ROUTES);
    add(&mut all, messages_api::ROUTES);
    all
}

fn pair(method: &str, path: &str) -> (String, String) {
    (method.to_uppercase(), path.to_owned())
}

/// A YAML file as JSON, read by the linter's own reader, which knows CloudFormation's tags.
fn yaml(path: &str) -> Value {
    sbe_tests::system::stack(); // the virtual environment is made with the system
    let script = "import json, sys; from samtranslator.yaml_helper import yaml_parse; \
                  json.dump(yaml_parse(open(sys.argv[1]).read()), sys.stdout, default=str)";
    let python = root().join(".local/venv/bin/python");
    let output = Command::new(python)
        .args(["-c", script, path])
        .current_dir(root())
        .output()
        .expect("the file is well formed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the file is well formed")
}

fn of_template() -> Routes {
    let template = yaml("template.yaml");
    let resources = template["Resources"].as_object().expect("the file is well formed").values();
    let events = resources
        .filter_map(|resource| resource["Properties"]["Events"].as_object())
        .flat_map(|all| all.values());
    let apis = events.filter(|event| event["Type"] == "Api").map(|event| &event["Properties"]);
    apis.map(|api| {
        pair(
            api["Method"].as_str().expect("the file is well formed"),
            api["Path"].as_str().expect("the file is well formed"),
        )
    })
    .collect()
}

fn of_openapi() -> Routes {
    let openapi = yaml("docs/openapi.yaml");
    let paths = openapi["paths"].as_object().expect("the file is well formed").clone();
    let methods = |(path, item): (String, Value)| {
        let names: Vec<String> = item.as_object().expect("the file is well formed").keys().cloned().collect();
        let methods = names
            .into_iter()
            .filter(|name| [Method::Get, Method::Post].iter().any(|m| m.name() == name.to_uppercase()));
        methods.map(|method| pair(&method, &path)).collect::<Vec<_>>()
    };
    paths.into_iter().flat_map(methods).collect()
}

/// The query parameters of every route and method; a message's fields are `fields`.
fn parameters_of_code() -> BTreeSet<(String, String, String)> {
    fn add<A>(all: &mut BTreeSet<(String, String, String)>, routes: &[Route<A>]) {
        for (route, method) in routes.iter().flat_map(|route| route.methods.iter().map(move |m| (route, m))) {
            let names: &[&str] = match route.query {
                Parameters::Only(names) => names,
                Parameters::Fields if *method == Method::Get => &["fields"],
                Parameters::Fields => &[],
            };
            let (method, path) = pair(method.name(), route.resource);
            all.extend(names.iter().map(|name| (method.clone(), path.clone(), (*name).to_owned())));
        }
    }
    let mut all = BTreeSet::new();
    add(&mut all, session_manager::ROUTES);
    add(&mut all, event_dispatcher::ROUTES);
    add(&mut all, messages_api::ROUTES);
    all
}

fn parameters_of_openapi() -> BTreeSet<(String, String, String)> {
    let openapi = yaml("docs/openapi.yaml");
    let of = |reference: &Value| {
        let path = reference["$ref"].as_str().expect("parameters are references").trim_start_matches('#');
        openapi.pointer(path).expect("the reference leads somewhere")
    };
    let mut all = BTreeSet::new();
    for (method, path) in of_openapi() {
        let operation = &openapi["paths"][&path][method.to_lowercase()];
        let parameters = operation["parameters"].as_array().into_iter().flatten().map(of);
        for parameter in parameters.filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().expect("a parameter has a name");
            all.insert((method.clone(), path.clone(), name.to_owned()));
        }
    }
    all
}

/// Random calls within and outside of the documented contract: no 5xx, no status, type or body that
/// is not documented. Bounded by the number of examples and by time.
#[test]
fn schemathesis_finds_nothing() {
    let stack = sbe_tests::system::stack();
    let output = Command::new(root().join(".local/venv/bin/st"))
        .args(["run", "docs/openapi.yaml", "--url", &stack.api_url, "--max-time", "40", "--seed", "1"])
        .args(["--phases", "examples,fuzzing", "--max-examples", "10", "--workers", "2", "--no-color"])
        // Twice what API Gateway waits for a function: a busy machine is no finding.
        .args(["--request-timeout", "60"])
        .args(["--checks", "not_a_server_error,status_code_conformance"])
        .args(["--checks", "content_type_conformance,response_schema_conformance"])
        .args(["--suppress-health-check", "all", "--generation-database", "none", "--warnings", "off"])
        .env("SCHEMATHESIS_HOOKS", "contract.sign")
        .env("PYTHONPATH", root().join("tests"))
        .env("SBE_ACCESS_KEY", &stack.keys.access_key)
        .env("SBE_SECRET_KEY", &stack.keys.secret_key)
        .env("SBE_REGION", &stack.region)
        .current_dir(root())
        .output()
        .expect("schemathesis runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{text}");
}

#[test]
fn routes_are_the_same_everywhere() {
    let code = of_code();
    assert_eq!(of_template(), code, "template.yaml and the code");
    assert_eq!(of_openapi(), code, "docs/openapi.yaml and the code");
}

#[test]
fn query_parameters_are_the_same_in_code_and_documentation() {
    assert_eq!(parameters_of_openapi(), parameters_of_code());
}
