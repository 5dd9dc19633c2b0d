//! What every way to a far engine has to carry, whatever it is made of.

use anyhow::{Result, ensure};
use mizzen_docker::{
    ContainerState, Endpoint, EngineEvent, ExecSpec, ExecStream, Offline, SshClient,
};
use mizzen_tests::engine::{IDLE, PATIENCE, Rig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Lists, follows events, and runs a program whose streams are taken out of HTTP.
pub(crate) async fn carries_all(endpoint: Endpoint, ssh: SshClient) -> Result<()> {
    let mut rig = Rig::through(endpoint, ssh).await?;
    let id = rig.running(IDLE).await?;
    rig.event("the start", |event| match event {
        EngineEvent::Changed(fact) if fact.is_up() => Some(()),
        _ => None,
    })
    .await?;
    let listed = rig.engine.list().await?;
    ensure!(listed.len() == 1 && listed[0].id == id, "{listed:?}");
    round_trip(&rig, &id, 3_000_000).await?;
    rig.docker(&["kill", &id]).await?;
    rig.event("the end", |event| match event {
        EngineEvent::Changed(fact) if fact.state == ContainerState::Exited => Some(()),
        _ => None,
    })
    .await
}

/// Bytes of every kind, more than any buffer on the way holds, and an end of the input that arrives.
pub(crate) async fn round_trip(rig: &Rig, id: &str, bytes: u32) -> Result<()> {
    let ExecStream { io, exit, .. } = rig.engine.exec(id, &ExecSpec::new(["/bin/cat"])).await?;
    let sent: Vec<u8> = (0..bytes).map(|n| (n ^ (n >> 8)) as u8).collect();
    let (mut reader, mut writer) = tokio::io::split(io);
    let feed = async {
        writer.write_all(&sent).await?;
        writer.shutdown().await
    };
    let mut back = Vec::new();
    let (fed, read) = tokio::time::timeout(PATIENCE, async {
        tokio::join!(feed, reader.read_to_end(&mut back))
    })
    .await?;
    fed?;
    read?;
    ensure!(back == sent, "{} bytes came back, not as sent", back.len());
    ensure!(exit.code().await? == 0, "cat failed");
    Ok(())
}

/// Dials an engine that cannot be reached; answers with what is said of it.
pub(crate) async fn offline(endpoint: Endpoint, ssh: SshClient) -> Result<Offline> {
    let mut rig = Rig::on_the_way(endpoint, ssh)?;
    rig.event("the engine to be offline", |event| match event {
        EngineEvent::Offline(offline) => Some(offline),
        _ => None,
    })
    .await
}

/// Whether an engine is offline for this reason, with this advice.
pub(crate) fn expect_words(offline: &Offline, message: &str, hint: &str) {
    assert!(offline.message.contains(message), "{offline:?}");
    assert!(offline.hint.contains(hint), "{offline:?}");
}
