//! Networks and volumes.

use anyhow::Result;
use mizzen_docker::{DockerErrorKind, ExecSpec, Mount};
use mizzen_tests::engine::{IDLE, PATIENCE, Rig};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_session_network_is_made_joined_and_removed() -> Result<()> {
    let rig = Rig::new().await?;
    let name = rig.name();
    rig.engine.create_network(&name, &rig.labels()).await?;
    let taken = rig
        .engine
        .create_network(&name, &rig.labels())
        .await
        .expect_err("taken");
    assert_eq!(taken.kind, DockerErrorKind::NameTaken, "{taken}");

    let mut spec = rig.spec(IDLE);
    spec.network = Some(name.clone());
    let id = rig.start(&spec).await?;
    let fact = rig.engine.inspect(&id).await?.expect("it exists");
    assert_eq!(fact.networks, std::slice::from_ref(&name));
    let listed: Vec<_> = rig
        .engine
        .list_networks()
        .await?
        .into_iter()
        .map(|n| n.name)
        .collect();
    assert_eq!(listed, std::slice::from_ref(&name));

    rig.engine
        .remove_network(&name)
        .await
        .expect_err("a network in use stays");
    rig.engine.remove_container(&id).await?;
    rig.engine.remove_network(&name).await?;
    rig.engine.remove_network(&name).await?;
    assert!(rig.engine.list_networks().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_volume_outlives_its_container_and_goes_when_told() -> Result<()> {
    let rig = Rig::new().await?;
    let volume = rig.name();
    let mut spec = rig.spec(IDLE);
    spec.mounts = vec![Mount::Volume {
        empty: false,
        name: volume.clone(),
        target: "/data".to_owned(),
        labels: rig.labels(),
    }];
    let first = rig.engine.create_container(&spec).await?;
    let mut tar = mizzen_docker::TarBuilder::new();
    tar.file("kept", 0o644, (4321, 4321), b"kept")?;
    rig.engine.upload(&first, "/data", tar.finish()).await?;
    let used = rig
        .engine
        .remove_volume(&volume)
        .await
        .expect_err("a volume in use stays");
    assert_eq!(used.kind, DockerErrorKind::Conflict, "{used}");
    rig.engine.remove_container(&first).await?;

    spec.name = rig.name();
    let second = rig.start(&spec).await?;
    let spec = ExecSpec::new(["/bin/cat", "/data/kept"]);
    let output = rig.engine.run(&second, &spec, b"", 1024, PATIENCE).await?;
    assert_eq!(output.stdout, b"kept");
    let listed: Vec<_> = rig
        .engine
        .list_volumes()
        .await?
        .into_iter()
        .map(|v| v.name)
        .collect();
    assert_eq!(listed, std::slice::from_ref(&volume));
    rig.engine.remove_container(&second).await?;
    rig.engine.remove_volume(&volume).await?;
    rig.engine.remove_volume(&volume).await?;
    assert!(rig.engine.list_volumes().await?.is_empty());
    Ok(())
}
