use super::*;

fn feed(lines: &[&str]) -> (Build, Vec<BuildProgress>, Option<DockerError>) {
    let (mut build, mut seen) = (Build::default(), Vec::new());
    for line in lines {
        if let Err(error) = build.take(line.as_bytes(), &mut |progress| seen.push(progress)) {
            return (build, seen, Some(error));
        }
    }
    (build, seen, None)
}

#[test]
fn steps_and_lines_are_told_as_they_come() {
    let (build, seen, error) = feed(&[
        r#"{"stream":"Step 1/2 : FROM debian"}"#,
        r#"{"stream":"\n"}"#,
        r#"{"status":"Pulling from library/debian","id":"bookworm"}"#,
        r#"{"stream":"Step 2/2 : RUN make\n ---> Running in 1\n"}"#,
        r#"{"stream":"Step by step\n"}"#,
        r#"{"aux":{"ID":"sha256:1"}}"#,
    ]);
    let rows: Vec<_> = seen
        .iter()
        .map(|p| (p.step, p.total, p.line.as_str()))
        .collect();
    assert_eq!(
        rows,
        [
            (1, 2, "Step 1/2 : FROM debian"),
            (1, 2, "Pulling from library/debian"),
            (2, 2, "Step 2/2 : RUN make"),
            (2, 2, " ---> Running in 1"),
            (2, 2, "Step by step"),
        ]
    );
    assert_eq!((build.id.as_deref(), error), (Some("sha256:1"), None));
}

#[test]
fn a_failure_carries_step_message_and_log() {
    let (mut build, _, error) = feed(&[
        r#"{"stream":"Step 1/2 : RUN false\n"}"#,
        r#"{"stream":"oh no\n"}"#,
        r#"{"errorDetail":{"code":1,"message":"it failed"},"error":"it failed"}"#,
    ]);
    let failed = build.failed(error.expect("an error"));
    assert_eq!(failed.step.as_deref(), Some("Step 1/2 : RUN false"));
    assert_eq!(failed.message, "it failed");
    assert_eq!(failed.log, "Step 1/2 : RUN false\noh no\nit failed\n");
    assert_eq!(failed.kind, DockerErrorKind::Server);
}

#[test]
fn a_full_disk_says_so_whatever_the_step() {
    let (mut build, _, error) = feed(&[
        r#"{"stream":"Step 1/2 : RUN dd\n"}"#,
        r#"{"error":"write /x: no space left on device"}"#,
    ]);
    let failed = build.failed(error.expect("an error"));
    assert_eq!(failed.kind, DockerErrorKind::NoSpace);
    assert!(failed.hint().contains("free space"));
}

#[test]
fn garbage_in_the_stream_is_a_failure() {
    let (_, _, error) = feed(&["<html>"]);
    assert_eq!(error.map(|e| e.kind), Some(DockerErrorKind::Server));
}

#[test]
fn of_an_endless_log_the_end_is_kept() {
    let mut build = Build::default();
    for n in 0..200_000 {
        build.keep(&format!("line {n} ééééééééééééé"));
    }
    assert!(build.log.len() <= LOG_CAP);
    assert!(build.log.ends_with("line 199999 ééééééééééééé\n"));
}
