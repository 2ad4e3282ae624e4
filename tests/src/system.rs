//! The running system.

use sbe_client::Stack;
use sbe_local::functions::cargo;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::LazyLock,
};

/// How to reach the system; it is started by the first flow that asks.
pub fn stack() -> &'static Stack {
    &SYSTEM.stack
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The system's stack file.
pub fn stack_file() -> &'static Path {
    &SYSTEM.file
}

static SYSTEM: LazyLock<Running> = LazyLock::new(|| match std::env::var_os("SBE_STACK") {
    Some(path) => {
        let stack = Stack::read(Path::new(&path)).expect("SBE_STACK names a readable stack.json");
        Running { stack, file: path.into(), _process: None }
    }
    None => start("flows", &identities()),
});

/// A system that runs.
pub struct Running {
    /// How to reach it.
    pub stack: Stack,
    /// Its stack file.
    pub file: PathBuf,
    /// It ends when its standard input closes, which is when the tests end.
    _process: Option<Child>,
}

/// Starts a system of this environment, with `developer` or `guest` identities.
///
/// # Panics
/// When it does not come up.
pub fn start(env: &str, identities: &str) -> Running {
    let dir = root().join(format!("target/{env}-{}", std::process::id()));
    let mut process = launch_with(env, identities, &dir, Stdio::piped(), Stdio::inherit());
    // The first line is printed when the system is ready; the file is there by then.
    let mut output = BufReader::new(process.stdout.take().expect("standard output is piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("sbe-local prints");
    // Whatever else it prints is read too, so that it never waits for a reader.
    std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    let file = dir.join("stack.json");
    let stack = Stack::read(&file).expect("the system came up");
    Running { stack, file, _process: Some(process) }
}

/// Starts a system on free ports, with its state in `dir`. It ends when its standard input closes.
///
/// # Panics
/// When the workspace does not build, or `sbe-local` does not start.
pub fn launch(env: &str, dir: &Path, stdout: Stdio, stderr: Stdio) -> Child {
    launch_with(env, &identities(), dir, stdout, stderr)
}

fn launch_with(env: &str, identities: &str, dir: &Path, stdout: Stdio, stderr: Stdio) -> Child {
    build();
    let binaries = binaries();
    Command::new(binaries.join("sbe-local"))
        .current_dir(root())
        .args(["--env", env, "--port", "0", "--no-demo", "--until-stdin-closes", "--dir"])
        .arg(dir)
        .arg("--binaries")
        .arg(&binaries)
        .args(["--identities", identities])
        // What a shell says of AWS is about another one.
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        .env("AWS_PROFILE", "another")
        .stdin(Stdio::piped())
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
        .expect("sbe-local starts")
}

/// Which kind of identities the system has: `SBE_IDENTITIES`, or developer identities.
fn identities() -> String {
    std::env::var("SBE_IDENTITIES").unwrap_or_else(|_| "developer".into())
}

/// Builds the binaries as `make test` has built them, down to the features, so that there nothing
/// is left to build.
fn build() {
    let built = cargo().args(["build", "--workspace", "--all-targets"]).current_dir(root()).status();
    assert!(built.expect("cargo runs").success(), "the workspace does not build");
}

/// Where cargo puts binaries: tests are in its directory `deps`, programs are in it.
pub fn binaries() -> PathBuf {
    let this = std::env::current_exe().expect("a program knows its path");
    let dir = this.parent().expect("a program is in a directory");
    if dir.ends_with("deps") {
        dir.parent().expect("deps is in a directory").to_owned()
    } else {
        dir.to_owned()
    }
}
