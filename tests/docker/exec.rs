//! Programs in containers, and their streams.

use anyhow::Result;
use mizzen_docker::{DockerErrorKind, ExecSpec, User};
use mizzen_tests::engine::{IDLE, PATIENCE, Rig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::far::round_trip;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn bytes_of_every_kind_go_in_and_come_back() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.running(IDLE).await?;
    round_trip(&rig, &id, 8_000_000).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn errors_do_not_mix_with_output() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.running(IDLE).await?;
    let script = "echo out; echo err >&2; cat; echo more >&2; exit 7";
    let spec = ExecSpec::new(["/bin/sh", "-c", script]);
    let output = rig.engine.run(&id, &spec, b"fed", 1024, PATIENCE).await?;
    assert_eq!(output.stdout, b"out\nfed");
    assert_eq!(output.stderr, "err\nmore\n");
    assert_eq!(output.exit_code, 7);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn user_environment_and_folder_are_as_asked() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.running(IDLE).await?;
    let mut spec = ExecSpec::new(["/bin/sh", "-c", "id -u; id -g; echo \"$A\"; ls -d \"$PWD\""]);
    spec.user = Some(User::new(77, 88)?);
    spec.env.insert("A".to_owned(), "b c=$d".to_owned());
    spec.workdir = Some("/tmp".to_owned());
    let output = rig.engine.run(&id, &spec, b"", 1024, PATIENCE).await?;
    assert_eq!(String::from_utf8(output.stdout)?, "77\n88\nb c=$d\n/tmp\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_program_that_does_not_read_does_not_block() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.running(IDLE).await?;
    let spec = ExecSpec::new(["/bin/sh", "-c", "echo done"]);
    let output = rig
        .engine
        .run(&id, &spec, &vec![b'x'; 4 << 20], 1024, PATIENCE)
        .await?;
    assert_eq!(output.stdout, b"done\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn endless_output_is_cut_off() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.running(IDLE).await?;
    let spec = ExecSpec::new(["/bin/cat", "/dev/zero"]);
    let refused = rig
        .engine
        .run(&id, &spec, b"", 1 << 20, PATIENCE)
        .await
        .expect_err("too much");
    assert!(
        refused.message.contains("more than 1048576 bytes"),
        "{refused}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn dropping_the_stream_is_the_end_of_input() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.running(IDLE).await?;
    let spec = ExecSpec::new([
        "/bin/sh",
        "-c",
        "cat >/dev/null; echo over >/tmp/seen; sleep 60",
    ]);
    let stream = rig.engine.exec(&id, &spec).await?;
    drop(stream.io);
    let wait = "while ! cat /tmp/seen 2>/dev/null; do sleep 0.05; done";
    let seen = ExecSpec::new(["/bin/sh", "-c", wait]);
    let output = rig.engine.run(&id, &seen, b"", 1024, PATIENCE).await?;
    assert_eq!(output.stdout, b"over\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_program_that_is_not_there_is_an_answer() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.running(IDLE).await?;
    let spec = ExecSpec::new(["/no/such/program"]);
    let output = rig.engine.run(&id, &spec, b"", 4096, PATIENCE).await?;
    assert!(matches!(output.exit_code, 126 | 127), "{output:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn frozen_and_stopped_containers_refuse() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.running(IDLE).await?;
    let spec = ExecSpec::new(["/bin/cat"]);
    rig.engine.pause(&id).await?;
    let frozen = rig.engine.exec(&id, &spec).await.err().expect("frozen");
    assert_eq!(frozen.kind, DockerErrorKind::Conflict, "{frozen}");
    rig.engine.unpause(&id).await?;
    rig.engine.kill(&id).await?;
    let stopped = rig.engine.exec(&id, &spec).await.err().expect("stopped");
    assert_eq!(stopped.kind, DockerErrorKind::Conflict, "{stopped}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stream_ends_when_its_container_is_killed() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.running(IDLE).await?;
    let mut stream = rig.engine.exec(&id, &ExecSpec::new(["/bin/cat"])).await?;
    stream.io.write_all(b"a").await?;
    let mut byte = [0];
    stream.io.read_exact(&mut byte).await?;
    rig.engine.kill(&id).await?;
    let read = tokio::time::timeout(PATIENCE, stream.io.read(&mut byte)).await?;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    Ok(())
}
