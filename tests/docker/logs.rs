//! What containers write.

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _};
use mizzen_docker::{LogLine, LogOptions, LogSource};
use mizzen_tests::engine::{PATIENCE, Rig};

const ALL: LogOptions = LogOptions {
    tail: None,
    follow: false,
    since: None,
};

/// Runs a script to its end and reads its log.
async fn log_of(rig: &Rig, script: &str, options: LogOptions) -> Result<Vec<LogLine>> {
    let id = rig.running(script).await?;
    rig.docker(&["wait", &id]).await?;
    Ok(rig.engine.logs(&id, options).await?.try_collect().await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn lines_carry_their_source_and_the_engine_s_time() -> Result<()> {
    let rig = Rig::new().await?;
    let lines = log_of(&rig, "echo one; echo two >&2; printf 'no end'", ALL).await?;
    let of = |source| -> Vec<&str> {
        lines
            .iter()
            .filter(|l| l.source == source)
            .map(|l| l.text.as_str())
            .collect()
    };
    assert_eq!(of(LogSource::Stdout), ["one", "no end"]);
    assert_eq!(of(LogSource::Stderr), ["two"]);
    assert!(
        lines.iter().all(|line| line.at.is_some() && !line.cut),
        "{lines:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_tail_and_a_time_narrow_the_log() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig
        .running("echo a; sleep 0.1; echo b; sleep 0.1; echo c")
        .await?;
    rig.docker(&["wait", &id]).await?;
    let read = async |options| -> Result<Vec<LogLine>> {
        Ok(rig.engine.logs(&id, options).await?.try_collect().await?)
    };
    let texts = |lines: &[LogLine]| lines.iter().map(|l| l.text.clone()).collect::<Vec<_>>();
    let all = read(ALL).await?;
    assert_eq!(texts(&all), ["a", "b", "c"]);
    assert_eq!(
        texts(
            &read(LogOptions {
                tail: Some(1),
                ..ALL
            })
            .await?
        ),
        ["c"]
    );
    assert_eq!(
        texts(
            &read(LogOptions {
                since: all[1].at,
                ..ALL
            })
            .await?
        ),
        ["b", "c"]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_long_line_is_put_together_and_an_endless_one_cut() -> Result<()> {
    let rig = Rig::new().await?;
    let script = "head -c 50000 /dev/zero; echo; head -c 200000 /dev/zero; echo; echo last";
    let lines = log_of(&rig, script, ALL).await?;
    let shape: Vec<_> = lines
        .iter()
        .map(|line| (line.text.len(), line.cut))
        .collect();
    assert_eq!(
        shape,
        [
            (50_000, false),
            (65_536, true),
            (65_536, true),
            (65_536, true),
            (3392, false),
            (4, false)
        ]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn following_shows_lines_as_they_come_and_ends_with_the_container() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig
        .running("echo first; trap 'echo bye; exit 0' TERM; while :; do sleep 60 & wait; done")
        .await?;
    let mut lines = Box::pin(
        rig.engine
            .logs(
                &id,
                LogOptions {
                    follow: true,
                    ..ALL
                },
            )
            .await?,
    );
    let first = tokio::time::timeout(PATIENCE, lines.next())
        .await?
        .expect("a line")?;
    assert_eq!(first.text, "first");
    rig.engine
        .stop(&id, std::time::Duration::from_secs(20))
        .await?;
    let rest: Vec<_> = tokio::time::timeout(PATIENCE, lines.try_collect()).await??;
    let texts: Vec<_> = rest
        .iter()
        .map(|line: &LogLine| line.text.as_str())
        .collect();
    assert_eq!(texts, ["bye"]);
    Ok(())
}
