//! Statistics, while someone looks.

use anyhow::Result;
use futures::StreamExt as _;
use mizzen_tests::engine::{PATIENCE, Rig};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_busy_container_shows_its_use_within_its_limits() -> Result<()> {
    let rig = Rig::new().await?;
    let mut spec = rig.spec("while :; do :; done");
    spec.limits.memory_bytes = 64 << 20;
    spec.limits.cpus = 0.5;
    let id = rig.start(&spec).await?;
    let mut samples = Box::pin(rig.engine.stats(&id).await?);
    let mut busy = None;
    while busy.is_none() {
        let sample = tokio::time::timeout(PATIENCE, samples.next())
            .await?
            .expect("a sample")?;
        assert_eq!(sample.memory_limit_bytes, 64 << 20);
        assert!(sample.memory_bytes < 64 << 20, "{sample:?}");
        busy = sample
            .cpu_percent
            .filter(|percent| *percent > 1.0)
            .map(|_| sample);
    }
    let sample = busy.expect("BUG: the loop ends with one");
    assert!(
        sample.cpu_percent < Some(100.0),
        "half a processor was allowed: {sample:?}"
    );
    assert_eq!(sample.pids, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn samples_end_with_their_container() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig.running("sleep 60").await?;
    let samples = rig.engine.stats(&id).await?;
    rig.engine.remove_container(&id).await?;
    let all = tokio::time::timeout(PATIENCE, samples.collect::<Vec<_>>()).await?;
    assert!(all.len() < 10, "{all:?}");
    Ok(())
}
