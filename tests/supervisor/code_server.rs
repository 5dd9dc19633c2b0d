use std::fs;
use std::os::unix::fs::PermissionsExt;

use mizzen_fsx::write_atomic_with;
use mizzen_status::Status;

use crate::rig::{Reports, docker, folder, tiny};

fn is(status: &Status, state: &str) -> bool {
    status
        .services
        .get("code-server")
        .is_some_and(|now| now == state)
}

#[test]
fn it_runs_in_the_workspace_on_a_private_socket() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    let status = reports.until_ready();
    assert_eq!(status.services["code-server"], "running");
    assert_eq!(status.health.unwrap().as_str(), "healthy");
    let found = container.exec(&[
        "stat",
        "-c",
        "%a %u",
        "/tmp/mizzen",
        "/tmp/mizzen/code-server.sock",
    ]);
    let [dir, socket] = found.lines().collect::<Vec<_>>()[..] else {
        panic!("{found}")
    };
    assert_eq!(dir, "700 4321");
    assert!(socket.ends_with(" 4321"), "{socket}");
    container.log_until(|line| line.starts_with("code-server: HTTP server listening on /tmp/"));
}

#[test]
fn its_socket_is_on_the_tmpfs_when_there_is_one() {
    let (reports, workspace) = (Reports::new(), folder());
    let tmpfs = "/run/mizzen:uid=4321,gid=4321,mode=0700";
    let container = tiny(&reports, workspace.path(), &["--tmpfs", tmpfs]);
    reports.until_ready();
    assert_eq!(
        container.exec(&["ls", "/run/mizzen"]),
        "code-server.sock\nreport.sock\nstatus.json"
    );
}

#[test]
fn a_crash_is_reported_and_followed_by_growing_pauses() {
    let (reports, workspace) = (Reports::new(), folder());
    let tools = folder();
    let script = tools.path().join("code-server");
    write_atomic_with(
        &script,
        b"#!/bin/sh\necho broken >&2\nexit 3\n",
        0o755,
        None,
    )
    .unwrap();
    fs::set_permissions(tools.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let replaced = format!("{}:/usr/local/bin/code-server:ro", script.display());
    let container = tiny(&reports, workspace.path(), &["--volume", &replaced]);

    let status = reports.until("restarting", |status| {
        status
            .services
            .get("code-server")
            .is_some_and(|state| state == "restarting")
    });
    assert_eq!(
        status.status.as_str(),
        "running",
        "the rest of the container serves"
    );
    assert_eq!(status.health.unwrap().as_str(), "degraded");
    assert_eq!(
        status.errors[0].message,
        "code-server ended with exit code 3"
    );

    let mut attempts = 0;
    let lines = container.log_until(|line| {
        attempts += usize::from(line.contains("next attempt in"));
        attempts == 3
    });
    assert!(
        lines.contains(&"code-server: broken".to_owned()),
        "{lines:#?}"
    );
    let pauses: Vec<f32> = lines
        .iter()
        .filter_map(|line| line.split_once("next attempt in ")?.1.strip_suffix(" s"))
        .map(|pause| pause.parse().unwrap())
        .collect();
    assert!(pauses[0] < pauses[1] && pauses[1] < pauses[2], "{pauses:?}");
}

#[test]
fn one_that_is_killed_comes_back_and_a_stale_socket_is_no_obstacle() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    reports.until_ready();
    let kill = "for p in /proc/[0-9]*; do [ \"$(cat $p/comm)\" = code-server ] && kill -9 ${p#/proc/}; done; true";
    container.exec(&["bash", "-c", kill]);
    reports.until("restarting", |status| {
        status.services["code-server"] == "restarting"
    });
    let back = reports.until("running again", |status| {
        status.services["code-server"] == "running"
    });
    assert_eq!(back.errors, [], "an old crash is no error of today");

    docker(&["kill", "--signal", "KILL", &container.id]);
    let before = reports.now().unwrap().timestamp;
    docker(&["start", &container.id]);
    reports.until("running after a hard end", |status| {
        status.timestamp > before && is(status, "running")
    });
}

#[test]
fn one_that_hangs_is_told_and_left_alone() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    reports.until_ready();
    let process = container.log_until(|line| line.contains("code-server is process "));
    let process = process
        .last()
        .unwrap()
        .rsplit(' ')
        .next()
        .unwrap()
        .to_owned();
    container.exec(&["bash", "-c", &format!("kill -STOP {process}")]);
    let hangs = reports.until("unresponsive", |status| is(status, "unresponsive"));
    assert_eq!(hangs.health.unwrap().as_str(), "degraded");
    assert_eq!(hangs.errors[0].message, "code-server does not answer");
    container.exec(&["bash", "-c", &format!("kill -CONT {process}")]);
    let again = reports.until("running", |status| is(status, "running"));
    assert!(again.errors.is_empty(), "{again:?}");
}
