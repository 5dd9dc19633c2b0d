//! Files into and out of containers.

use anyhow::Result;
use mizzen_docker::{DockerErrorKind, ExecSpec, TarBuilder};
use mizzen_tests::engine::{IDLE, PATIENCE, Rig};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn files_reach_a_container_that_has_not_started_with_their_owner_and_mode() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.engine.create_container(&rig.spec(IDLE)).await?;
    let mut tar = TarBuilder::new();
    tar.dir("home/coder", 0o750, (4321, 4321))?;
    tar.file("home/coder/.profile", 0o640, (4321, 4321), b"hello")?;
    rig.engine.upload(&id, "/", tar.finish()).await?;
    rig.engine.start(&id).await?;
    let spec = ExecSpec::new(["/bin/ls", "-ln", "/home/coder/.profile"]);
    let output = rig.engine.run(&id, &spec, b"", 4096, PATIENCE).await?;
    let listing = String::from_utf8(output.stdout)?;
    assert!(
        listing.starts_with("-rw-r----- 1 4321 4321 5 "),
        "{listing}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_regular_files_come_out() -> Result<()> {
    let rig = Rig::new().await?;
    let script = "ls >/dev/null; echo a >/tmp/d-a; ln -s /etc/shadow /tmp/link; \
                  ln /tmp/d-a /tmp/hard; touch /tmp/z; trap 'exit 0' TERM; touch /tmp/ready; \
                  while :; do sleep 60 & wait; done";
    let id = rig.running(script).await?;
    let wait = ExecSpec::new([
        "/bin/sh",
        "-c",
        "while ! cat /tmp/ready; do sleep 0.05; done",
    ]);
    rig.engine.run(&id, &wait, b"", 1024, PATIENCE).await?;
    let files = rig.engine.download(&id, "/tmp", 1 << 20).await?;
    let names: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert!(
        names.contains(&"tmp/d-a") && names.contains(&"tmp/z"),
        "{names:?}"
    );
    assert!(!names.contains(&"tmp/link"), "{names:?}");
    let content = files
        .iter()
        .find(|file| file.path == "tmp/d-a")
        .map(|file| &file.content);
    assert_eq!(content.map(Vec::as_slice), Some(&b"a\n"[..]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_download_stops_at_its_cap() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig
        .running("dd if=/dev/zero of=/tmp/big bs=1M count=4 2>/dev/null; touch /tmp/ok; sleep 60")
        .await?;
    let wait = ExecSpec::new(["/bin/sh", "-c", "while ! cat /tmp/ok; do sleep 0.05; done"]);
    rig.engine.run(&id, &wait, b"", 1024, PATIENCE).await?;
    let refused = rig
        .engine
        .download(&id, "/tmp/big", 1 << 20)
        .await
        .expect_err("too big");
    assert_eq!(refused.kind, DockerErrorKind::BadRequest, "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_path_that_is_not_there_is_not_found() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.engine.create_container(&rig.spec(IDLE)).await?;
    let missing = rig
        .engine
        .download(&id, "/no/such/path", 1024)
        .await
        .expect_err("missing");
    assert_eq!(missing.kind, DockerErrorKind::NotFound, "{missing}");
    Ok(())
}
