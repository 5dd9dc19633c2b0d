use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::rig::{Reports, UID, folder, tiny};

#[test]
fn the_heartbeat_goes_on_and_every_reader_sees_a_whole_report() {
    let (reports, workspace) = (Reports::new(), folder());
    let _container = tiny(&reports, workspace.path(), &[]);
    let first = reports.until_ready();
    // `until` reads at every change and fails on a report that is torn, foreign or unsafe.
    let later = reports.until("two heartbeats", |status| {
        status.seq >= first.seq.map(|n| n + 2)
    });
    assert_eq!(later.schema, Some(1));
    assert!(later.time().unwrap() > first.time().unwrap());
    let file = fs::metadata(reports.folder.path().join("status.json")).unwrap();
    assert_eq!((file.uid(), file.gid()), (UID, UID));
    assert_eq!(file.permissions().mode() & 0o7777, 0o640);
    let mut names: Vec<_> = fs::read_dir(reports.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    assert_eq!(names, ["metrics.json", "status.json"]);
}

#[test]
fn what_a_program_reports_survives_the_heartbeat() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    let ours = reports.until_ready();
    let theirs = r#"{"timestamp":"2024-01-20T10:30:00Z","status":"running","phase":"building",
        "progress":{"current":45,"total":100,"message":"Compiling"},"services":{"database":"up"}}"#;
    container.exec(&[
        "sh",
        "-c",
        &format!("echo '{theirs}' > /para/status/status.json"),
    ]);
    let kept = reports.until("a heartbeat of ours", |status| status.seq > ours.seq);
    assert_eq!(kept.phase.as_deref(), Some("building"));
    assert_eq!(kept.progress.unwrap().message.as_deref(), Some("Compiling"));
    assert_eq!(kept.services["database"], "up");
    assert_eq!(kept.services["code-server"], "running");
}

#[test]
fn a_status_directory_that_cannot_be_written_is_tried_again() {
    let (reports, workspace) = (Reports::new(), folder());
    let set_mode = |mode| {
        fs::set_permissions(reports.folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode(0o555);
    let container = tiny(&reports, workspace.path(), &[]);
    container.log_until(|line| line.contains("cannot report: /para/status"));
    assert!(reports.now().is_none());
    set_mode(0o755);
    reports.until_ready();
    container.log_until(|line| line == "supervisor: reports to /para/status again");
}

#[test]
fn a_container_without_the_mount_works() {
    let workspace = folder();
    let mount = format!(
        "type=bind,source={},target=/workspace",
        workspace.path().display()
    );
    let user = format!("{UID}:{UID}");
    let arguments = ["--user", &user, "--mount", &mount, &crate::rig::TINY];
    let container = crate::rig::Container::run(&arguments);
    container.log_until(|line| line.starts_with("code-server: HTTP server listening"));
    assert_eq!(container.stop(), "0");
}

#[test]
fn a_full_disk_is_waited_for() {
    let workspace = folder();
    let mount = format!(
        "type=bind,source={},target=/workspace",
        workspace.path().display()
    );
    let (user, small) = (
        format!("{UID}:{UID}"),
        format!("/para/status:size=64k,uid={UID}"),
    );
    let container = crate::rig::Container::run(&[
        "--user",
        &user,
        "--mount",
        &mount,
        "--tmpfs",
        &small,
        &crate::rig::TINY,
    ]);
    container.log_until(|line| line.starts_with("code-server: HTTP server listening"));
    container.exec(&[
        "sh",
        "-c",
        "head -c 1000000 /dev/zero > /para/status/.full 2> /dev/null || true",
    ]);
    container.log_until(|line| line.contains("cannot report: /para/status"));
    container.exec(&["rm", "/para/status/.full"]);
    container.log_until(|line| line == "supervisor: reports to /para/status again");
    container.exec(&["grep", "-q", "ready", "/para/status/status.json"]);
}
