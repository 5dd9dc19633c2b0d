//! Engines behind ssh, with a real sshd and a real `docker system dial-stdio` at its far end.

use anyhow::Result;
use mizzen_docker::{DockerErrorKind, Endpoint, EngineEvent, Offline, SshClient};
use mizzen_testkit::fake_engine::{FakeEngine, Reply};
use mizzen_tests::engine::{IDLE, Rig};
use mizzen_tests::far_machine::FarMachine;

use crate::far::{carries_all, expect_words, offline, round_trip};

/// What an sshd allows unless it is told otherwise.
const USUAL_STREAMS: u32 = 10;

async fn machine() -> Result<FarMachine> {
    FarMachine::start(&FarMachine::usual_path()?, USUAL_STREAMS).await
}

async fn unreached(far: &FarMachine, endpoint: Endpoint) -> Result<Offline> {
    offline(endpoint, far.client()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_engine_behind_ssh_is_used_like_a_near_one_over_one_connection() -> Result<()> {
    let far = machine().await?;
    carries_all(far.endpoint("")?, far.client()).await?;
    assert_eq!(far.opened(), 1);
    far.all_closed().await
}

/// A program takes its time to start: two are started at once over the one connection, and none in vain.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_first_streams_are_opened_together_and_each_is_used() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let here = folder.path().display();
    let usual = FarMachine::usual_path()?;
    // None answers before another has come.
    let docker = format!(
        "#!/bin/sh\necho x >> {here}/begun\n\
         until [ $(wc -l < {here}/begun) -ge 2 ]; do sleep 0.05; done\n\
         PATH={usual} docker \"$@\"\necho x >> {here}/ended\n"
    );
    let program = folder.path().join("docker");
    mizzen_fsx::write_atomic_with(&program, docker.as_bytes(), 0o755, None)?;
    let far = FarMachine::start(&format!("{here}:{usual}"), USUAL_STREAMS).await?;
    let mut rig = Rig::on_the_way(far.endpoint("")?, far.client())?;
    let listed = rig.event("the first list", |event| match event {
        EngineEvent::Listed(_) => Some(Ok(())),
        EngineEvent::Offline(offline) => Some(Err(offline)),
        _ => None,
    });
    assert_eq!(listed.await?, Ok(()));
    assert_eq!(far.opened(), 1);
    assert!(!folder.path().join("ended").exists(), "one was for nothing");
    drop(rig);
    far.all_closed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_far_socket_can_be_named() -> Result<()> {
    let far = machine().await?;
    carries_all(far.endpoint("/var/run/docker.sock")?, far.client()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_a_shared_connection_each_stream_has_its_own() -> Result<()> {
    let far = machine().await?;
    let alone = SshClient {
        control_folder: None,
        ..far.client()
    };
    carries_all(far.endpoint("")?, alone).await?;
    assert!(far.opened() > 1);
    far.all_closed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn more_streams_than_a_server_allows_in_one_connection_get_another() -> Result<()> {
    let far = FarMachine::start(&FarMachine::usual_path()?, 3).await?;
    let rig = Rig::through(far.endpoint("")?, far.client()).await?;
    let id = rig.running(IDLE).await?;
    let trips = (0..4).map(|_| round_trip(&rig, &id, 3_000_000));
    futures::future::try_join_all(trips).await?;
    assert!(far.opened() > 1);
    drop(rig);
    far.all_closed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connection_that_is_cut_is_noticed_and_made_again() -> Result<()> {
    let far = machine().await?;
    let mut rig = Rig::through(far.endpoint("")?, far.client()).await?;
    far.cut();
    let gone = rig
        .event("the engine to be offline", |event| match event {
            EngineEvent::Offline(offline) => Some(offline),
            _ => None,
        })
        .await?;
    assert_eq!(gone.cause, DockerErrorKind::Unreachable, "{gone:?}");
    rig.engine.retry_now();
    rig.event("the engine to be back", |event| {
        matches!(event, EngineEvent::Online(_)).then_some(())
    })
    .await?;
    let id = rig.running(IDLE).await?;
    round_trip(&rig, &id, 3_000_000).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_host_that_is_not_known_is_not_believed() -> Result<()> {
    let far = machine().await?;
    far.knows_host_key("")?;
    let unknown = unreached(&far, far.endpoint("")?).await?;
    expect_words(
        &unknown,
        "host key of 127.0.0.1 is not known",
        "compare the fingerprint",
    );
    far.knows_host_key("other")?;
    let changed = unreached(&far, far.endpoint("")?).await?;
    expect_words(
        &changed,
        "another host key",
        "somebody else may be answering",
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_is_not_let_in_is_told_so() -> Result<()> {
    let far = machine().await?;
    let nobody = unreached(&far, far.endpoint_of("no-such-user")?).await?;
    expect_words(&nobody, "does not let no-such-user in", "ssh-copy-id");
    assert_eq!(nobody.cause, DockerErrorKind::Denied);
    far.lets_in("other")?;
    let stranger = unreached(&far, far.endpoint("")?).await?;
    expect_words(&stranger, "does not let you in", "ssh-add");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_machine_without_docker_is_told_from_one_without_an_engine() -> Result<()> {
    let bare = FarMachine::start("/nonexistent", USUAL_STREAMS).await?;
    let no_docker = unreached(&bare, bare.endpoint("")?).await?;
    expect_words(
        &no_docker,
        "no `docker` program on 127.0.0.1",
        "install the Docker CLI",
    );
    let far = machine().await?;
    let no_engine = unreached(&far, far.endpoint("/nonexistent.sock")?).await?;
    expect_words(
        &no_engine,
        "no engine listens on 127.0.0.1",
        "start it there",
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_far_engine_that_never_answers_is_given_up() -> Result<()> {
    let far = machine().await?;
    let hanging = FakeEngine::start(|_| Reply::Never)?;
    let socket = hanging.socket();
    let socket = socket.to_str().expect("a plain path");
    let given_up = unreached(&far, far.endpoint(socket)?).await?;
    assert_eq!(given_up.cause, DockerErrorKind::TimedOut, "{given_up:?}");
    expect_words(&given_up, "within 20 s", "overloaded or hang");
    far.all_closed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_machine_without_ssh_says_what_to_install() -> Result<()> {
    let client = SshClient {
        program: "/nonexistent/ssh".into(),
        control_folder: None,
    };
    let no_ssh = offline("ssh://127.0.0.1".parse()?, client).await?;
    expect_words(&no_ssh, "`/nonexistent/ssh` cannot be started", "OpenSSH");
    Ok(())
}
