//! Inputs that mean harm; the row numbers are those of the list of bad inputs.

use anyhow::Result;
use futures::TryStreamExt as _;
use mizzen_docker::{DockerErrorKind, EngineEvent, LogLine, LogOptions};
use mizzen_tests::engine::{IDLE, Rig, SHELL_IMAGE};

const ALL: LogOptions = LogOptions {
    tail: None,
    follow: false,
    since: None,
};

/// Runs a script on a terminal, which Mizzen itself never does.
async fn terminal(rig: &Rig, script: &str) -> Result<Vec<LogLine>> {
    let (name, label) = (rig.name(), rig.label());
    let args = [
        "run",
        "-d",
        "-t",
        "--name",
        &name,
        "--label",
        &label,
        SHELL_IMAGE,
        "/bin/sh",
        "-c",
    ];
    let id = rig.docker(&[&args[..], &[script]].concat()).await?;
    rig.docker(&["wait", &id]).await?;
    Ok(rig.engine.logs(&id, ALL).await?.try_collect().await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn row_53_a_terminal_without_a_line_end_fills_no_memory() -> Result<()> {
    let rig = Rig::new().await?;
    let lines = terminal(&rig, "head -c 3000000 /dev/zero").await?;
    let longest = lines.iter().map(|line| line.text.len()).max();
    assert_eq!(longest, Some(64 * 1024));
    assert_eq!(
        lines.iter().map(|line| line.text.len()).sum::<usize>(),
        3_000_000
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn row_53_a_terminal_that_imitates_a_frame_hides_nothing() -> Result<()> {
    let rig = Rig::new().await?;
    let lines = terminal(
        &rig,
        r"printf '\001\001\001\001\177\377\377\377'; echo visible",
    )
    .await?;
    assert_eq!(lines.len(), 1);
    assert!(lines[0].text.ends_with("visible"), "{lines:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn row_53_output_that_imitates_frames_stays_text() -> Result<()> {
    let rig = Rig::new().await?;
    let id = rig
        .running(r"printf '\002\000\000\000\000\000\000\003abc\n'; echo after")
        .await?;
    rig.docker(&["wait", &id]).await?;
    let lines: Vec<_> = rig.engine.logs(&id, ALL).await?.try_collect().await?;
    let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["\u{2}\0\0\0\0\0\0\u{3}abc", "after"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn row_55_markup_and_escapes_in_labels_are_only_text() -> Result<()> {
    let rig = Rig::new().await?;
    let mut spec = rig.spec(IDLE);
    let value = "<img src=x onerror=alert(1)>\u{1b}]0;x\u{7}\u{202e}";
    spec.labels.insert("note".to_owned(), value.to_owned());
    let id = rig.engine.create_container(&spec).await?;
    let fact = rig.engine.inspect(&id).await?.expect("it exists");
    assert_eq!(fact.labels.get("note").map(String::as_str), Some(value));
    spec.name = "<b>".to_owned();
    let refused = rig
        .engine
        .create_container(&spec)
        .await
        .expect_err("no name");
    assert_eq!(refused.kind, DockerErrorKind::BadRequest, "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn row_55_ten_thousand_labels_are_cut_and_ours_kept() -> Result<()> {
    let mut rig = Rig::new().await?;
    let mut spec = rig.spec(IDLE);
    for n in 0..10_000 {
        spec.labels.insert(format!("a{n}"), "x".repeat(20));
    }
    spec.labels
        .insert("dev.mizzen.nonce".to_owned(), "n".to_owned());
    let id = rig.engine.create_container(&spec).await?;
    let fact = rig
        .event("the container", |event| match event {
            EngineEvent::Changed(fact) if fact.id == id => Some(fact),
            _ => None,
        })
        .await?;
    assert!(fact.labels.len() <= 256, "{} labels", fact.labels.len());
    assert_eq!(
        fact.labels.get("dev.mizzen.nonce").map(String::as_str),
        Some("n")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn names_never_change_the_path_of_a_request() -> Result<()> {
    let rig = Rig::new().await?;
    for name in [
        "",
        ".",
        "..",
        "../images/json",
        "a/b",
        "a?force=1",
        "a#b",
        "a b",
        "a%2fb",
        "é",
    ] {
        let refused = rig.engine.inspect(name).await.expect_err(name);
        assert_eq!(
            refused.kind,
            DockerErrorKind::BadRequest,
            "{name}: {refused}"
        );
        let refused = rig.engine.remove_container(name).await.expect_err(name);
        assert_eq!(
            refused.kind,
            DockerErrorKind::BadRequest,
            "{name}: {refused}"
        );
    }
    Ok(())
}
