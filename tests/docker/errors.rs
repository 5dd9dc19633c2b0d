//! Each failure names its cause and the next step.

use anyhow::Result;
use mizzen_docker::{DockerErrorKind, Endpoint, EngineEvent, Link, Mount};
use mizzen_tests::engine::{IDLE, Rig};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_missing_image_says_how_to_get_one() -> Result<()> {
    let rig = Rig::new().await?;
    let mut spec = rig.spec(IDLE);
    spec.image = "mizzen-no-such-image:1".to_owned();
    let error = rig
        .engine
        .create_container(&spec)
        .await
        .expect_err("missing");
    assert_eq!(error.kind, DockerErrorKind::ImageMissing, "{error}");
    assert!(error.hint().contains("image build"));
    assert_eq!(rig.engine.image("mizzen-no-such-image:1").await?, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_name_in_use_says_so() -> Result<()> {
    let rig = Rig::new().await?;
    let spec = rig.spec(IDLE);
    rig.engine.create_container(&spec).await?;
    let error = rig.engine.create_container(&spec).await.expect_err("taken");
    assert_eq!(error.kind, DockerErrorKind::NameTaken, "{error}");
    assert!(error.hint().contains("another name"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_folder_that_is_not_there_is_refused_and_not_made() -> Result<()> {
    let rig = Rig::new().await?;
    let folder = tempfile::tempdir()?;
    let missing = folder.path().join("missing");
    let mut spec = rig.spec(IDLE);
    spec.mounts = vec![Mount::Bind {
        source: missing.clone(),
        target: "/workspace".to_owned(),
        read_only: false,
    }];
    let error = rig
        .engine
        .create_container(&spec)
        .await
        .expect_err("missing");
    assert_eq!(error.kind, DockerErrorKind::MountMissing, "{error}");
    assert!(error.message.contains("missing") && error.hint().contains("folder"));
    assert!(!missing.exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_container_that_is_gone_is_not_found() -> Result<()> {
    let rig = Rig::new().await?;
    assert_eq!(rig.engine.inspect("mizzen-no-such-container").await?, None);
    let error = rig
        .engine
        .start("mizzen-no-such-container")
        .await
        .expect_err("gone");
    assert_eq!(error.kind, DockerErrorKind::NotFound, "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_socket_that_is_not_there_says_to_install_or_start_docker() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let rig = Rig::unconnected(Endpoint::Unix(folder.path().join("docker.sock")))?;
    offline(rig, "does not exist", "systemctl start docker").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_socket_that_nobody_serves_says_to_start_docker() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("docker.sock");
    drop(std::os::unix::net::UnixListener::bind(&path)?);
    let rig = Rig::unconnected(Endpoint::Unix(path))?;
    offline(rig, "nothing listens", "systemctl start docker").await
}

async fn offline(mut rig: Rig, message: &str, hint: &str) -> Result<()> {
    let offline = rig
        .event("the engine to be offline", |event| match event {
            EngineEvent::Offline(offline) => Some(offline),
            _ => None,
        })
        .await?;
    assert!(offline.message.contains(message), "{offline:?}");
    assert!(offline.hint.contains(hint), "{offline:?}");
    assert_eq!(offline.cause, DockerErrorKind::Unreachable);
    assert!(matches!(&*rig.engine.link().borrow(), Link::Offline(_)));
    let call = rig.engine.list().await.expect_err("no engine");
    assert_eq!(call.kind, DockerErrorKind::Unreachable, "{call}");
    Ok(())
}
