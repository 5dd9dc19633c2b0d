//! `mizzen-supervisor report`, by scripts in real containers. No core runs here: a mounted directory is all there is.

use std::process::Command;
use std::time::Instant;

use mizzen_fsx::SafeDir;
use mizzen_status::{Health, NOTICES, read_metrics};

use crate::rig::{Container, Reports, SCRATCH, TINY, UID, folder, ready, tiny};

/// What the supervisor of a container is asked; it fails with what is said on standard error.
fn report(container: &Container, words: &[&str]) {
    container.exec(&[&["mizzen-supervisor", "report"], words].concat());
}

#[test]
fn what_a_script_reports_is_shown_and_survives_the_heartbeat() {
    let (reports, _workspace, container) = ready();
    report(
        &container,
        &[
            "--phase",
            "building",
            "--progress",
            "45/100",
            "--message",
            "Compiling \"it\"",
        ],
    );
    report(
        &container,
        &[
            "--service",
            "db=running",
            "--custom",
            r#"tests={"passed":142}"#,
        ],
    );
    report(
        &container,
        &[
            "--warning",
            "Low disk space: 90% used",
            "--error",
            "\u{1b}[31mred",
        ],
    );
    let first = reports.until("all of it", |status| !status.errors.is_empty());
    let later = reports.until("a heartbeat", |status| {
        status.seq >= first.seq.map(|n| n + 2)
    });
    assert_eq!(later.phase.as_deref(), Some("building"));
    let progress = later.progress.unwrap();
    assert_eq!(
        (progress.current, progress.total),
        (Some(45.0), Some(100.0))
    );
    assert_eq!(progress.message.as_deref(), Some("Compiling \"it\""));
    assert_eq!(later.services["db"], "running");
    assert_eq!(later.extra["custom"]["tests"]["passed"], 142);
    assert_eq!(later.warnings[0].message, "Low disk space: 90% used");
    assert_eq!(later.errors[0].message, "red");
    assert_eq!(later.health, Some(Health::Healthy));
    report(&container, &["--clear"]);
    let cleared = reports.until_ready();
    assert!(cleared.errors.is_empty() && cleared.progress.is_none());
}

#[test]
fn row_23_a_thousand_reports_are_a_few_writes_and_the_newest_fifty_warnings() {
    let (reports, _workspace, container) = ready();
    let before = reports.now().unwrap().seq.unwrap();
    let begun = Instant::now();
    let many = "n=0; while [ $n -lt 300 ]; do n=$((n+1)); mizzen-supervisor report --progress $n/300 \
                --warning \"w$n\" --warning \"x$n\" --warning \"y$n\" --warning \"z$n\" || exit 1; done";
    container.exec(&["sh", "-c", many]);
    let last = reports.until("the last one", |status| {
        status.progress.as_ref().and_then(|it| it.current) == Some(300.0)
    });
    let (writes, most) = (
        last.seq.unwrap() - before,
        begun.elapsed().as_secs() * 4 + 8,
    );
    assert!(writes <= most, "{writes} writes in {:?}", begun.elapsed());
    assert_eq!(last.warnings.len(), NOTICES);
    let has = |message: &str| last.warnings.iter().any(|it| it.message == message);
    assert!(has("z300") && !has("z1"), "{:?}", last.warnings);
}

#[test]
fn health_flips_when_a_service_ails_in_two_reports() {
    let (reports, _workspace, container) = ready();
    report(&container, &["--service", "db=failed"]);
    let told = reports.until("db", |status| status.services.contains_key("db"));
    assert_eq!(told.health, Some(Health::Healthy), "one report is none");
    let ails = |status: &mizzen_status::Status| status.health == Some(Health::Degraded);
    let flipped = reports.until("degraded", ails);
    assert!(flipped.seq > told.seq);
    report(&container, &["--service", "db=running"]);
    reports.until("healthy", |status| status.health == Some(Health::Healthy));
}

#[test]
fn where_no_supervisor_runs_a_script_is_told_so() {
    let run = [
        "run",
        "--rm",
        "--network=none",
        "--entrypoint",
        "mizzen-supervisor",
    ];
    let words = [TINY.as_str(), "report", "--phase", "building"];
    let output = Command::new("docker")
        .args(run)
        .args(words)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("no supervisor runs in this container"),
        "{said}"
    );
}

#[test]
fn an_image_with_nothing_but_the_supervisor_reports_into_a_mounted_directory() {
    let reports = Reports::new();
    let (user, mount) = (format!("{UID}:{UID}"), reports.mount());
    let container = Container::run(&["--user", &user, "--mount", &mount, &SCRATCH]);
    reports.until_ready();
    let program = "/usr/local/bin/mizzen-supervisor";
    container.exec(&[program, "report", "--phase", "alone"]);
    reports.until("the phase", |status| {
        status.phase.as_deref() == Some("alone")
    });
}

#[test]
fn what_a_container_uses_is_measured_within_its_limits() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &["--memory=512m"]);
    reports.until_ready();
    let busy = "timeout 60 sh -c 'while :; do :; done' > /dev/null 2>&1 &";
    container.exec(&["sh", "-c", busy]);
    let dir = SafeDir::open(reports.folder.path()).unwrap();
    let metrics = || read_metrics(&dir, Some(UID)).good();
    // Reports come as often as metrics do.
    reports.until("a busy processor", |_| {
        metrics().is_some_and(|it| it.cpu_percent.is_some_and(|percent| percent > 10.0))
    });
    let metrics = metrics().unwrap();
    assert_eq!(metrics.memory_limit_bytes, Some(512 << 20));
    assert!((1 << 16..512 << 20).contains(&metrics.memory_bytes.unwrap()));
    assert!((2..50).contains(&metrics.pids.unwrap()), "{metrics:?}");
    assert!(metrics.disk_bytes.is_some() && metrics.disk_free_bytes.is_some());
}
