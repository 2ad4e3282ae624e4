//! Brings the system up, waits, and takes it down.

use crate::{
    cognito::{Front, Pool},
    demo::Demo,
    deploy::{Deployment, Target, deploy},
    emulator::{Emulator, choose_port},
    functions,
    options::Options,
    prerequisites::{self, Purpose},
    progress::{print, report, step},
    roles::Roles,
    stack::StackFile,
    sweeper, tour, web,
};
use anyhow::Result;
use sbe_client::{Keys, Stack, System};
use serde_json::json;
use std::{path::Path, time::Instant};
use tokio::{
    io::AsyncReadExt,
    signal::unix::{SignalKind, signal},
};

const REGION: &str = "us-east-1";

/// Runs the system until Ctrl-C or SIGTERM.
pub async fn run(options: Options) -> Result<()> {
    let start = Instant::now();
    let dir = &options.dir;
    std::fs::create_dir_all(dir.join("logs"))?;
    std::fs::create_dir_all(dir.join("tmp"))?;
    report(format_args!("sqs-browser-events, environment `{}`", options.env));
    // Shared by all runs in this checkout, wherever their state is.
    std::fs::create_dir_all(".local")?;
    let purpose = if options.prepare { Purpose::Test } else { Purpose::Run };
    let python = step("Python packages", prerequisites::python(Path::new(".local"), purpose)).await?;
    if options.prepare {
        return Ok(());
    }
    let binaries = match &options.binaries {
        Some(binaries) => binaries.clone(),
        None => functions::build().await?,
    };
    let root = root_keys(&options);
    let mut emulator = None;
    let endpoint = if let Some(endpoint) = &options.endpoint {
        endpoint.trim_end_matches('/').to_owned()
    } else {
        let port = choose_port(options.port)?;
        let starting = Emulator::start(&python, port, &root, REGION, dir);
        emulator = Some(step("AWS endpoint (MiniStack)", starting).await?);
        format!("http://localhost:{port}")
    };
    let result = serve(&options, &endpoint, &root, &python, &binaries, start, emulator.as_mut()).await;
    if let Some(emulator) = emulator {
        emulator.stop().await;
    }
    result
}

async fn serve(
    options: &Options,
    endpoint: &str,
    root: &Keys,
    python: &Path,
    binaries: &Path,
    start: Instant,
    emulator: Option<&mut Emulator>,
) -> Result<()> {
    let demo = if options.no_demo { None } else { Some(demo(options).await?) };
    let front = Front::start(endpoint).await?;
    let target = Target {
        endpoint,
        region: REGION,
        env: &options.env,
        identities: options.identities.parameter(),
        root,
        binaries,
        environment: json!({
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY": front.url,
        }),
    };
    let deployment = step("stack from template.yaml", deploy(python, &options.dir, &target)).await?;
    front.complete(Pool {
        region: REGION,
        roles: Roles::new(endpoint, REGION, root, &deployment.pool),
        developer_provider: deployment.pool.developer_provider.clone(),
        allows_guests: deployment.pool.allows_guests,
    });
    let mut stack = stack(options, endpoint, &front.url, &deployment)?;
    stack.demo_url = demo.as_ref().map(|demo| demo.url.clone());
    if let Some(demo) = demo {
        demo.serve(&stack);
    }
    let tables = [
        (stack.session_table.clone(), ["accountId", "sessionId"]),
        (stack.history_table.clone(), ["userId", "messageId"]),
    ];
    tokio::spawn(sweeper::sweep(System::from_stack(&stack).dynamodb(), tables));
    let _file = StackFile::write(&options.dir, &stack)?;
    report(format_args!("  ✓ ready after {:.1} s\n", start.elapsed().as_secs_f64()));
    print(tour::commands(&stack, &options.dir));
    let ended = async {
        match emulator {
            Some(emulator) => emulator.ended().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        result = ended => return result,
        result = asked_to_stop(options.until_stdin_closes) => result?,
    }
    report("\nstopping");
    Ok(())
}

async fn demo(options: &Options) -> Result<Demo> {
    let demo = Demo::bind(options.demo_port()).await?;
    step("browser client", web::build()).await?;
    Ok(demo)
}

fn stack(options: &Options, endpoint: &str, cognito: &str, deployment: &Deployment) -> Result<Stack> {
    let api = deployment.output("ApiId")?;
    Ok(Stack {
        endpoint: endpoint.to_owned(),
        cognito_identity_endpoint: cognito.to_owned(),
        region: REGION.to_owned(),
        api_url: format!("{endpoint}/restapis/{api}/{}/_user_request_", options.env),
        env: options.env.clone(),
        release: deployment.output("Release")?,
        keys: deployment.user.clone(),
        stream: deployment.output("StreamName")?,
        session_table: deployment.output("SessionsTable")?,
        history_table: deployment.output("MessagesTable")?,
        identity_pool_id: deployment.output("IdentityPoolId")?,
        rejected_queue_url: deployment.output("RejectedQueueUrl")?,
        failed_queue_url: deployment.output("FailedQueueUrl")?,
        unreached_queue_url: deployment.unreached_queue_url.clone(),
        demo_url: None,
        pid: std::process::id(),
    })
}

/// MiniStack does not verify the signatures of its root keys, so these deploy and nothing else.
fn root_keys(options: &Options) -> Keys {
    let variable = |name, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    match options.endpoint {
        Some(_) => Keys {
            access_key: variable("AWS_ACCESS_KEY_ID", "test"),
            secret_key: variable("AWS_SECRET_ACCESS_KEY", "test"),
        },
        None => Keys { access_key: "AKIALOCALROOTLOCALROOT".into(), secret_key: "local-root".into() },
    }
}

async fn asked_to_stop(or_stdin_closes: bool) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let stdin_closes = async {
        if !or_stdin_closes {
            std::future::pending::<()>().await;
        }
        let mut buffer = [0; 64];
        while tokio::io::stdin().read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {}
    };
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
        () = stdin_closes => {}
    }
    Ok(())
}
