//! What happens on an engine arrives as facts, in order.

use std::time::Duration;

use anyhow::Result;
use mizzen_docker::{BuildSpec, ContainerState, EngineEvent, Health, TarBuilder};
use mizzen_tests::engine::{IDLE, Rig, SHELL_IMAGE};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_first_events_are_online_and_a_list() -> Result<()> {
    let mut rig = Rig::new().await?;
    let first = rig.events.recv().await;
    let Some(EngineEvent::Online(info)) = first else {
        panic!("{first:?}")
    };
    assert_eq!(info.os, "linux");
    assert!(
        info.cpus > 0 && info.memory_bytes > 0 && !info.version.is_empty(),
        "{info:?}"
    );
    assert_eq!(
        rig.events.recv().await,
        Some(EngineEvent::Listed(Vec::new()))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_life_led_by_someone_else_is_followed_step_by_step() -> Result<()> {
    let mut rig = Rig::new().await?;
    let name = rig.name();
    let label = rig.label();
    rig.docker(&[
        "create",
        "--name",
        &name,
        "--label",
        &label,
        SHELL_IMAGE,
        "/bin/sh",
        "-c",
        IDLE,
    ])
    .await?;
    for verb in ["start", "pause", "unpause", "stop", "rm"] {
        rig.docker(&[verb, &name]).await?;
    }
    let mut states = Vec::new();
    rig.event("the removal", |event| match event {
        EngineEvent::Changed(fact) => {
            states.push(fact.state);
            None
        }
        EngineEvent::Died { exit_code, .. } => {
            assert_eq!(exit_code, Some(0));
            None
        }
        EngineEvent::Removed { id } => Some(id),
        _ => None,
    })
    .await?;
    // A look may be newer than its event, never older: states only ever move forward.
    let order = [
        ContainerState::Created,
        ContainerState::Running,
        ContainerState::Paused,
        ContainerState::Running,
        ContainerState::Exited,
    ];
    let mut expected = order.iter().peekable();
    for state in &states {
        while expected.peek().is_some_and(|next| *next != state) {
            expected.next();
        }
        assert!(expected.peek().is_some(), "{states:?} is out of order");
    }
    assert_eq!(states.last(), Some(&ContainerState::Exited));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn another_program_s_containers_are_invisible() -> Result<()> {
    let mut rig = Rig::new().await?;
    let other = Rig::new().await?;
    other.running(IDLE).await?;
    let ours = rig.running(IDLE).await?;
    let seen = rig
        .event("our own container", |event| match event {
            EngineEvent::Changed(fact) => Some(fact.id),
            _ => None,
        })
        .await?;
    assert_eq!(seen, ours);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_first_process_that_takes_too_much_memory_died_of_it() -> Result<()> {
    let mut rig = Rig::new().await?;
    let mut spec = rig.spec("exec tail /dev/zero");
    spec.limits.memory_bytes = 16 << 20;
    let id = rig.start(&spec).await?;
    let (mut code, mut killed) = (None, false);
    rig.event("death and its cause", |event| {
        match event {
            EngineEvent::Died { exit_code, .. } => code = exit_code,
            // The engine may tell the cause before the death or after it.
            EngineEvent::Changed(fact) => killed |= fact.oom_killed,
            _ => {}
        }
        (code == Some(137) && killed).then_some(())
    })
    .await?;
    assert!(
        rig.engine
            .inspect(&id)
            .await?
            .is_some_and(|fact| !fact.is_up())
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_killed_child_does_not_make_a_living_container_dead() -> Result<()> {
    let mut rig = Rig::new().await?;
    let mut spec =
        rig.spec("trap 'exit 3' TERM; tail /dev/zero; while :; do sleep 60 & wait; done");
    spec.limits.memory_bytes = 16 << 20;
    let id = rig.start(&spec).await?;
    rig.event("the kill", |event| {
        matches!(event, EngineEvent::OomKill { .. }).then_some(())
    })
    .await?;
    let look = rig
        .event("a look at it", |event| match event {
            EngineEvent::Changed(fact) => Some(fact),
            _ => None,
        })
        .await?;
    assert!(look.is_up(), "{look:?}");
    rig.engine.stop(&id, Duration::from_secs(10)).await?;
    let code = rig
        .event("death", |event| match event {
            EngineEvent::Died { exit_code, .. } => Some(exit_code),
            _ => None,
        })
        .await?;
    assert_eq!(code, Some(3));
    let look = rig
        .event("a look at it", |event| match event {
            EngineEvent::Changed(fact) => Some(fact),
            _ => None,
        })
        .await?;
    assert!(
        !look.is_up() && !look.oom_killed,
        "an old kill is not the cause of a later end: {look:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn health_checks_report_their_changes() -> Result<()> {
    let mut rig = Rig::new().await?;
    let mut context = TarBuilder::new();
    let dockerfile = format!(
        "FROM {SHELL_IMAGE}\n\
         HEALTHCHECK --interval=1s --timeout=5s --retries=1 CMD [\"/bin/cat\", \"/tmp/well\"]\n"
    );
    context.file("Dockerfile", 0o644, (0, 0), dockerfile.as_bytes())?;
    let tag = format!("{}:1", rig.name());
    let build = BuildSpec {
        tag: tag.clone(),
        context_tar: context.finish(),
        dockerfile: "Dockerfile".to_owned(),
        labels: rig.labels(),
        ..BuildSpec::default()
    };
    rig.engine.build_image(build, |_| ()).await?;
    let mut spec = rig.spec(&format!("touch /tmp/well; {IDLE}"));
    spec.image = tag;
    let id = rig.start(&spec).await?;
    let mut heard = Vec::new();
    rig.event("health", |event| match event {
        EngineEvent::Health { health, .. } => {
            heard.push(health);
            Some(())
        }
        _ => None,
    })
    .await?;
    let look = rig
        .event("a look at it", |event| match event {
            EngineEvent::Changed(fact) => Some(fact.health),
            _ => None,
        })
        .await?;
    assert_eq!(
        (heard.as_slice(), look),
        (&[Health::Healthy][..], Health::Healthy)
    );

    // The image has no `rm`: an unreadable file fails the check as well.
    let dark = mizzen_docker::ExecSpec::new(["/bin/sh", "-c", "ln -sf /nowhere /tmp/well"]);
    rig.engine
        .run(&id, &dark, b"", 1024, mizzen_tests::engine::PATIENCE)
        .await?;
    rig.event("ill health", |event| match event {
        EngineEvent::Health {
            health: Health::Unhealthy,
            ..
        } => Some(()),
        _ => None,
    })
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dropped_receiver_ends_the_task_and_leaves_the_calls() -> Result<()> {
    let rig = Rig::new().await?;
    let engine = rig.engine.clone();
    drop(engine.link());
    let listed = engine.list().await?;
    assert!(listed.is_empty());
    Ok(())
}
