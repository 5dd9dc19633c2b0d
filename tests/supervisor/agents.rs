//! Agents that are not ours, in real containers, as the host reads them.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::{Duration, Instant};

use mizzen_fsx::SafeDir;
use mizzen_status::{Command, CommandId, Exec, Order};
use mizzen_status::{Freshness, Reading, Status, StatusWord, read_status, write_commands};
use mizzen_tests::own_core::full_image;

use crate::rig::{Container, Reports, SOON, TINY, UID, folder};

fn kit() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol")
}

/// The option that mounts a file of the kit.
fn mounted(file: &str) -> String {
    format!(
        "type=bind,source={},target=/agent,readonly",
        kit().join(file).display()
    )
}

/// What a reader that looks again at half a report has by the time that it is as wanted.
fn until(dir: &Path, wanted: impl Fn(&Status) -> bool) -> Status {
    let dir = SafeDir::open(dir).unwrap();
    let begun = Instant::now();
    let mut last = None;
    while begun.elapsed() < SOON {
        if let Reading::Good(status) = read_status(&dir, Some(UID)) {
            if wanted(&status) {
                return status;
            }
            last = Some(status);
        }
        std::thread::yield_now();
    }
    panic!("{last:?}");
}

/// The agent of the protocol's document, letter by letter: it writes into the file itself, knows no end of a command and
/// calls itself healthy whatever happens.
#[test]
fn the_first_agent_is_shown_as_what_it_says() {
    let workspace = folder();
    let dir = workspace.path().join(".para/state/docker/feature-auth");
    fs::create_dir_all(&dir).unwrap();
    for dir in dir.ancestors().take(4) {
        chown(dir, Some(UID), Some(UID)).unwrap();
    }
    let command = Command::new(
        CommandId::new("cmd-1").unwrap(),
        Order::Exec(Exec {
            command: "npm test".to_owned(),
            ..Exec::default()
        }),
    );
    write_commands(&dir, &[command], &[], Some((UID, UID))).unwrap();
    let mount = format!(
        "type=bind,source={},target=/workspace",
        workspace.path().display()
    );
    let (user, agent) = (format!("{UID}:{UID}"), mounted("golden/first-agent.sh"));
    let image = full_image().expect("an image");
    let container = Container::run(&[
        "--user",
        &user,
        "--mount",
        &mount,
        "--mount",
        &agent,
        "--env",
        "PARA_SESSION_NAME=feature-auth",
        "--entrypoint",
        "/agent",
        &image,
    ]);
    let first = until(&dir, |_| true);
    assert_eq!(first.status, StatusWord::Running);
    assert_eq!(first.phase.as_deref(), Some("idle"));
    let progress = first.progress.clone().unwrap();
    assert_eq!(progress.message.as_deref(), Some("Waiting for commands..."));
    assert_eq!(progress.total, None, "0 of 0 is not known");
    let begun = Instant::now();
    until(&dir, |status| status.beat() != first.beat());
    assert_eq!(
        Freshness::of(begun.elapsed().saturating_sub(Duration::from_secs(2))),
        Freshness::Fresh
    );
    container.log_until(|line| line.contains("Processing command"));
    let found = mizzen_status::check(&dir, jiff::Timestamp::now()).unwrap();
    let wrong = found
        .iter()
        .filter(|it| it.verdict == mizzen_status::Verdict::Wrong);
    // RACE: the look may meet the file while it is written; nothing else may be wrong.
    assert!(
        wrong
            .clone()
            .all(|it| it.message == "not written to its end"),
        "{found:?}"
    );
}

#[test]
fn the_kits_agent_reports_without_jq_and_says_that_it_runs_no_commands() {
    let reports = Reports::new();
    let (user, mount, agent) = (format!("{UID}:{UID}"), reports.mount(), mounted("agent.sh"));
    let container = Container::run(&[
        "--user",
        &user,
        "--mount",
        &mount,
        "--mount",
        &agent,
        "--entrypoint",
        "/agent",
        TINY.as_str(),
    ]);
    let phase = r#"printf 'build "x"\\ \033[31m\n' > /para/status/.phase"#;
    container.exec(&["sh", "-c", phase]);
    let status = reports.until("the phase", |status| {
        status.phase.as_deref() == Some("build \"x\"\\ [31m")
    });
    assert_eq!(
        status.warnings[0].message,
        "commands are not run: this image has no jq"
    );
    assert_eq!(container.stop(), "0");
    let last = reports.now().unwrap();
    assert!(last.last && last.status == StatusWord::Stopped, "{last:?}");
}
