//! Containers from create to remove.

use std::time::Duration;

use anyhow::{Context as _, Result};
use mizzen_docker::{ContainerFact, ContainerState, ExecSpec, Limits, Mount, Tmpfs, User};
use mizzen_tests::engine::{IDLE, PATIENCE, Rig};

async fn look(rig: &Rig, id: &str) -> Result<ContainerFact> {
    rig.engine
        .inspect(id)
        .await?
        .context("the container exists")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_container_is_made_started_frozen_stopped_and_removed() -> Result<()> {
    let rig = Rig::new().await?;
    let spec = rig.spec(IDLE);
    let id = rig.engine.create_container(&spec).await?;
    let made = look(&rig, &id).await?;
    assert_eq!(made.state, ContainerState::Created);
    assert_eq!(
        (made.name, made.labels),
        (spec.name.clone(), spec.labels.clone())
    );
    assert_eq!((made.started_at, made.exit_code), (None, None));

    rig.engine.start(&id).await?;
    let running = look(&rig, &id).await?;
    assert_eq!(running.state, ContainerState::Running);
    assert!(
        running.started_at.is_some() && running.finished_at.is_none(),
        "{running:?}"
    );

    rig.engine.pause(&id).await?;
    assert_eq!(look(&rig, &id).await?.state, ContainerState::Paused);
    rig.engine.unpause(&id).await?;
    assert_eq!(look(&rig, &id).await?.state, ContainerState::Running);

    rig.engine.stop(&id, Duration::from_secs(10)).await?;
    let stopped = look(&rig, &id).await?;
    assert_eq!(
        (stopped.state, stopped.exit_code),
        (ContainerState::Exited, Some(0))
    );
    assert!(stopped.finished_at > stopped.started_at);

    rig.engine.remove_container(&id).await?;
    assert_eq!(rig.engine.inspect(&id).await?, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn verbs_may_be_said_twice() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.running(IDLE).await?;
    rig.engine.start(&id).await?;
    rig.engine.stop(&id, Duration::from_secs(10)).await?;
    rig.engine.stop(&id, Duration::from_secs(10)).await?;
    rig.engine.remove_container(&id).await?;
    rig.engine.remove_container(&id).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stopped_container_starts_again_as_the_same_one() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.running(IDLE).await?;
    let first = look(&rig, &id).await?;
    rig.engine.kill(&id).await?;
    rig.engine.start(&id).await?;
    let second = look(&rig, &id).await?;
    assert!(second.started_at > first.started_at);
    assert_eq!(
        second.exit_code, None,
        "a code of the run before would be a lie"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_list_holds_the_labelled_containers_and_no_others() -> Result<()> {
    let rig = Rig::new().await?;
    let other = Rig::new().await?;
    let running = rig.running(IDLE).await?;
    let created = rig.engine.create_container(&rig.spec(IDLE)).await?;
    other.engine.create_container(&other.spec(IDLE)).await?;
    let mut listed: Vec<_> = rig.engine.list().await?.into_iter().map(|f| f.id).collect();
    listed.sort();
    let mut expected = vec![running, created];
    expected.sort();
    assert_eq!(listed, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_kernel_holds_a_container_to_the_safe_defaults() -> Result<()> {
    let rig = Rig::new().await?;
    let mut spec = rig.spec(IDLE);
    spec.limits = Limits {
        memory_bytes: 64 << 20,
        cpus: 0.5,
        pids: 40,
    };
    let id = rig.start(&spec).await?;
    let status = shell(
        &rig,
        &id,
        "cat /proc/self/status /proc/self/limits; ls /sys/class/net",
    )
    .await?;
    let words: Vec<&str> = status.split_whitespace().collect();
    let after = |word: &str| {
        let at = words
            .iter()
            .position(|w| *w == word)
            .unwrap_or_else(|| panic!("{word}: {status}"));
        words[at + 1]
    };
    assert_eq!(after("Uid:"), "4321");
    assert_eq!(after("CapBnd:"), "0000000000000000");
    assert_eq!(after("NoNewPrivs:"), "1");
    assert_eq!(after("Seccomp:"), "2");
    assert!(status.contains("Max core file size        0 "), "{status}");
    assert!(
        status.contains("Max open files            8192 "),
        "{status}"
    );
    assert_eq!(words.last(), Some(&"lo"), "no network was asked for");

    let config = rig
        .docker(&["inspect", "--format", "{{json .HostConfig}}", &id])
        .await?;
    let config: serde_json::Value = serde_json::from_str(&config)?;
    assert_eq!(config["Memory"], 64 << 20);
    assert_eq!(config["MemorySwap"], 64 << 20);
    assert_eq!(config["PidsLimit"], 40);
    assert_eq!(config["LogConfig"]["Type"], "local");
    assert_eq!(config["Binds"], serde_json::Value::Null);
    assert_eq!(
        rig.docker(&["port", &id]).await?,
        "",
        "nothing is published"
    );
    assert_eq!(look(&rig, &id).await?.memory_limit_bytes, Some(64 << 20));
    Ok(())
}

/// Rows 30 and 31: neither the list of containers nor another session's status is within reach.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_mask_over_the_workspace_shows_only_what_is_mounted_below_it() -> Result<()> {
    let rig = Rig::new().await?;
    let folder = tempfile::tempdir()?;
    let workspace = folder.path().join("work: space");
    for part in [".para/state/docker/mine", ".para/state/docker/other"] {
        std::fs::create_dir_all(workspace.join(part))?;
    }
    let own = workspace.join(".para/state/docker/mine");
    open_to_all(folder.path())?;
    open_to_all(&workspace)?;
    open_to_all(&own)?;
    let mut spec = rig.spec(IDLE);
    let bind = |source, target: &str, read_only| Mount::Bind {
        source,
        target: target.to_owned(),
        read_only,
    };
    spec.mounts = vec![
        bind(workspace.clone(), "/workspace", false),
        Mount::Tmpfs {
            target: "/workspace/.para".to_owned(),
            read_only: true,
            size_bytes: 64 << 10,
            mode: 0o755,
        },
        bind(own.clone(), "/workspace/.para/state/docker/mine", false),
    ];
    spec.tmpfs = vec![Tmpfs {
        target: "/run/mizzen".to_owned(),
        size_bytes: 1 << 20,
        mode: 0o700,
        owner: Some(User::new(4321, 4321)?),
    }];
    let id = rig.start(&spec).await?;
    shell(
        &rig,
        &id,
        "touch /workspace/a /workspace/.para/state/docker/mine/b /run/mizzen/c",
    )
    .await?;
    assert!(workspace.join("a").exists() && own.join("b").exists());
    assert_eq!(
        shell(&rig, &id, "ls /workspace/.para/state/docker").await?,
        "mine\n"
    );
    let refused = shell(&rig, &id, "touch /workspace/.para/x 2>&1 || id -u").await?;
    assert!(refused.contains("Read-only file system"), "{refused}");
    Ok(())
}

fn open_to_all(folder: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::set_permissions(
        folder,
        std::fs::Permissions::from_mode(0o777),
    )?)
}

async fn shell(rig: &Rig, id: &str, script: &str) -> Result<String> {
    let spec = ExecSpec::new(["/bin/sh", "-c", script]);
    let output = rig.engine.run(id, &spec, b"", 64 << 10, PATIENCE).await?;
    anyhow::ensure!(output.exit_code == 0, "{script}: {}", output.stderr);
    Ok(String::from_utf8(output.stdout)?)
}
