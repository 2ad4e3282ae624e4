//! `sbe load`: a run that is exact, one that is repeated, one that loses, one that is stopped.

use sbe_client::{Stack, System};
use sbe_tests::{
    Backend,
    sbe::{Run, command, sbe},
    system::{launch, root},
};
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _},
    process::Command,
};

/// A system of this test's own: messages to everyone reach no other test's sessions.
struct Own {
    file: PathBuf,
    dir: PathBuf,
    /// It ends when its standard input closes.
    process: Child,
}

impl Own {
    fn start(env: &str) -> Self {
        let dir = root().join(format!("target/{env}-{}", std::process::id()));
        let mut process = launch(env, &dir, Stdio::piped(), Stdio::inherit());
        let mut output = BufReader::new(process.stdout.take().expect("standard output is piped"));
        output.read_line(&mut String::new()).expect("sbe-local prints");
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self { file: dir.join("stack.json"), dir, process }
    }

    fn load(&self, arguments: &[&str]) -> Command {
        let all = ["load", "--stack-file", self.file.to_str().unwrap(), "--json", "--report"];
        let mut command = command(&[&all, [self.report().to_str().unwrap()].as_slice(), arguments].concat());
        command.env_remove("SBE_STACK");
        command
    }

    fn report(&self) -> PathBuf {
        self.dir.join("report.html")
    }

    fn system(&self) -> System {
        System::from_stack(&Stack::read(&self.file).expect("the system runs"))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_run_has_exactly_what_it_planned_and_its_seed_repeats_it_until_something_is_lost() {
    let own = Own::start("load");
    let first = exact(&own).await;
    repeated(&own, &first).await;
    lossy(&own).await;
}

/// All kinds of messages, both ways, histories and receipts; nothing is left behind.
async fn exact(own: &Own) -> Value {
    let plan = [
        "--sessions",
        "20",
        "--accounts",
        "3",
        "--deliveries",
        "400",
        "--batch",
        "10",
        "--rate",
        "20",
        "--seed",
        "7",
    ];
    let run = Run::from(own.load(&plan).output().await.unwrap());
    let told = run.json();
    assert_eq!(
        (run.code, &told["faults"]),
        (Some(0), &Value::from(Vec::<Value>::new())),
        "{}{}",
        run.stderr,
        run.stdout
    );
    let (planned, deliveries) = (&told["plan"], &told["deliveries"]);
    assert!(planned["deliveries"].as_u64() >= Some(400), "{told}");
    assert_eq!(deliveries["delivered"], planned["deliveries"], "{told}");
    for never in ["lost", "misrouted", "altered"] {
        assert_eq!(deliveries[never], 0, "{told}");
    }
    let latencies = told["latencies"].as_array().unwrap();
    let names: Vec<&str> = latencies.iter().filter_map(|latency| latency[0].as_str()).collect();
    assert_eq!(names, ["all", "by HTTP", "by Kinesis", "to everyone", "to account", "to user", "to session"]);
    assert!(
        told["histories"]["expected"].as_u64() > Some(0) && told["receipts"]["expected"].as_u64() > Some(0),
        "{told}"
    );
    assert_eq!(told["histories"]["missing"], 0);
    let page = std::fs::read_to_string(own.report()).unwrap();
    assert!(page.contains(planned["fingerprint"].as_str().unwrap()) && page.contains("Passed"));
    assert!(
        !page.contains("src=") && !page.contains("href=") && !page.contains("url("),
        "it needs nothing else"
    );
    assert_nothing_left(own, told["run"].as_str().unwrap()).await;
    told
}

/// From a scenario file, whose sessions are renewed all the time: the same plan, and nothing lost.
async fn repeated(own: &Own, first: &Value) {
    let file = own.dir.join("scenario.toml");
    let scenario = "seed = 7\n[sessions]\ncount = 20\naccounts = 3\n[publish]\ndeliveries = 400\nbatch = 10\nrate = 20\n\
                    [poll]\nrenew_before = \"59m 58s\"\n[check]\nhistories = false\nreceipts = 0\n";
    std::fs::write(&file, scenario).unwrap();
    let run = Run::from(own.load(&["--scenario", file.to_str().unwrap()]).output().await.unwrap());
    let told = run.json();
    assert_eq!(run.code, Some(0), "{}{}", run.stderr, run.stdout);
    assert_eq!(told["plan"], first["plan"]);
    assert_ne!(told["run"], first["run"]);
    assert!(told["retries"]["renewals"].as_u64() > Some(0), "{told}");
    assert_eq!((&told["histories"], &told["receipts"]), (&Value::Null, &Value::Null));
}

/// The sender may not send any more, from the middle of a run on.
async fn lossy(own: &Own) {
    let plan = [
        "--sessions",
        "8",
        "--accounts",
        "2",
        "--duration",
        "20s",
        "--rate",
        "10",
        "--batch",
        "5",
        "--drain",
        "5s",
    ];
    let mut run = own.load(&plan).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut progress = tokio::io::BufReader::new(run.stderr.take().unwrap()).lines();
    while !progress.next_line().await.unwrap().expect("it tells how far it is").contains("messages published")
    {
    }
    forbid_sending(&own.system()).await;
    let mut errors = String::new();
    while let Some(line) = progress.next_line().await.unwrap() {
        errors.push_str(&line);
    }
    let run = Run::from(run.wait_with_output().await.unwrap());
    let told = run.json();
    assert_eq!(run.code, Some(1), "{errors}{}", run.stdout);
    assert!(told["deliveries"]["lost"].as_u64() > Some(0), "{told}");
    assert!(told["deliveries"]["delivered"].as_u64() > Some(0), "{told}");
    assert!(told["cases"][0].as_str().unwrap().starts_with("lost: message "), "{told}");
    assert!(errors.contains("error: deliveries lost: "), "{errors}");
    assert!(std::fs::read_to_string(own.report()).unwrap().contains("Failed"));
    assert_nothing_left(own, told["run"].as_str().unwrap()).await;
}

async fn forbid_sending(system: &System) {
    let iam = system.iam();
    let roles = iam.list_roles().send().await.unwrap().roles;
    let role =
        roles.iter().find(|role| role.role_name.contains("SqsSenderRole")).expect("the sender has a role");
    iam.delete_role_policy().role_name(&role.role_name).policy_name("sqs-sender").send().await.unwrap();
}

async fn assert_nothing_left(own: &Own, run: &str) {
    let system = own.system();
    let rows = system
        .dynamodb()
        .scan()
        .table_name(&system.session_table)
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    let left = rows.items().iter().filter(|row| format!("{row:?}").contains(run)).count();
    assert_eq!(left, 0, "sessions of {run} are left");
}

#[tokio::test]
async fn a_run_that_is_stopped_says_what_remains_and_it_can_be_removed_by_name() {
    let dir = tempdir();
    let arguments = [
        "load",
        "--sessions",
        "30",
        "--duration",
        "10m",
        "--rate",
        "10",
        "--batch",
        "10",
        "--mix",
        "account=1,user=3,session=3",
    ];
    let mut run = command(&arguments).current_dir(&dir).stderr(Stdio::piped()).spawn().unwrap();
    let mut progress = tokio::io::BufReader::new(run.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("messages published") {
        line.clear();
        assert_ne!(progress.read_line(&mut line).await.unwrap(), 0, "it tells how far it is");
    }
    let stopped = Instant::now();
    let id = run.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
    let mut told = String::new();
    progress.read_to_string(&mut told).await.unwrap();
    assert_eq!(run.wait().await.unwrap().code(), Some(130), "{told}");
    // A second, and what a busy machine adds.
    assert!(stopped.elapsed() < Duration::from_secs(5), "{:?}", stopped.elapsed());
    assert!(
        told.contains("of 6000 messages are published") && told.contains("of 30 sessions are removed"),
        "{told}"
    );
    let name = told.split("--clean-up ").nth(1).expect("it names the run").trim();
    sbe(&["load", "--clean-up", name]).await.success();
    for account in 0..4 {
        let present = Backend::new().get(&format!("/presence/load-{name}-a{account}")).await.success();
        assert_eq!(present["online"], false, "{present}");
    }
    let again = sbe(&["load", "--clean-up", name, "--json"]).await;
    assert_eq!(again.json()["sessions_removed"], 0);
}

#[tokio::test]
async fn a_scenario_that_makes_no_sense_is_refused_by_name() {
    for (arguments, named) in [
        (["--sessions", "0"], "sessions.count must be 1 to 1000000"),
        (["--duration", "soon"], "such as"),
        (["--mix", "everyone=1"], "broadcast"),
        (["--scenario", "/none.toml"], "/none.toml"),
        (["--clean-up", "everything"], "qwertyuiop-4"),
    ] {
        let error = sbe(&[["load"].as_slice(), &arguments].concat()).await.failure(2);
        assert!(error.contains(named), "{arguments:?}: {error}");
    }
}

#[tokio::test]
async fn the_scenario_that_it_prints_is_one_that_it_takes() {
    let mut print = command(&["load", "--print-scenario"]);
    let printed =
        Run::from(print.env_remove("SBE_STACK").current_dir(tempdir()).output().await.unwrap()).success();
    let file = tempdir().join("scenario.toml");
    std::fs::write(&file, printed.replace("seed = 1", "sed = 1")).unwrap();
    let error = sbe(&["load", "--scenario", file.to_str().unwrap()]).await.failure(2);
    assert!(error.contains("sed"), "{error}");
    std::fs::write(&file, printed).unwrap();
    let error = sbe(&["load", "--scenario", file.to_str().unwrap(), "--batch", "501"]).await.failure(2);
    assert!(error.contains("publish.batch must be 1 to 500"), "{error}");
}

/// A directory of this process's own.
fn tempdir() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("load-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}
