//! A core that is killed on purpose: runs one verb and aborts at a step, as if by `kill -9`.
//!
//! Arguments: root of its files, project folder, `up`, `stop`, `rm` or `watch`, the step, the image. Or `serve` and the step:
//! a whole core, in the world that it finds, which does what clients ask.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use mizzen_core::{Core, CoreConfig};
use mizzen_docker::Endpoint;
use mizzen_sessions::{
    Identity, SessionSettings, Sessions, SessionsDeps, StepHook, SupervisorFiles, UpRequest, Wish,
    WorkspaceKind, deaf,
};
use mizzen_tasks::Owner;
use mizzen_tests::engines;
use mizzen_tests::own_core::supervisor;
use mizzen_tests::syncing::NothingToSync;
use tokio::sync::watch;

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let mut next = |what: &str| args.next().with_context(|| format!("no {what}"));
    let root = next("root")?;
    if root == "serve" {
        return serve(next("step")?).await;
    }
    let (root, dir) = (PathBuf::from(root), PathBuf::from(next("folder")?));
    let (verb, step, image) = (next("verb")?, next("step")?, next("image")?);
    let owner = Owner::root("doomed");
    let sessions = spawn(&owner, &root.join("state"), image, step)?;
    match verb.as_str() {
        "up" => {
            sessions
                .up(
                    UpRequest {
                        dir,
                        name: Some("web".to_owned()),
                        workspace: Some(WorkspaceKind::Bind),
                        ..UpRequest::default()
                    },
                    deaf(),
                )
                .await?
        }
        "rm" => {
            sessions
                .wish(
                    "web",
                    Wish::Remove {
                        force: true,
                        volumes: true,
                    },
                    deaf(),
                )
                .await?
        }
        "stop" => sessions.wish("web", Wish::Stop, deaf()).await?,
        // Others do something.
        "watch" => std::future::pending().await,
        other => anyhow::bail!("no verb {other}"),
    };
    Ok(())
}

fn spawn(owner: &Owner, state_dir: &Path, image: String, step: String) -> Result<Sessions> {
    let identity = Identity::load(state_dir)?;
    let at_step = dies_at(step);
    let settings = SessionSettings {
        max_running: 5,
        memory_budget_bytes: None,
        remote_engines: Vec::new(),
        image: Some(image),
        memory_bytes: 256 << 20,
        cpus: 1.0,
    };
    let deps = SessionsDeps {
        identity,
        engines: engines::only("default", Endpoint::platform_default()),
        state_dir: state_dir.to_owned(),
        home: None,
        supervisors: SupervisorFiles::One(supervisor()),
        extra_ca: Vec::new(),
        syncing: Arc::new(NothingToSync),
        settings: watch::channel(settings).1,
        clock: Arc::new(jiff::Timestamp::now),
        at_step: Some(at_step),
    };
    Ok(Sessions::spawn(owner, deps)?)
}

fn dies_at(step: String) -> StepHook {
    Arc::new(move |name| {
        if name == step {
            // No destructor runs and no buffer is written, as with a kill.
            std::process::abort();
        }
    })
}

async fn serve(step: String) -> Result<()> {
    let config = CoreConfig {
        at_step: Some(dies_at(step)),
        ..CoreConfig::of_this_process()?
    };
    let core = Core::start(config).await?;
    core.asked_to_stop().await;
    core.shut_down().await;
    Ok(())
}
