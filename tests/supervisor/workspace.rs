use std::fs;
use std::os::unix::fs::PermissionsExt;

use mizzen_status::Status;

use crate::rig::{Container, Reports, TINY, UID, folder, tiny};

/// The report of a container that is ready, and that something is wrong with.
fn told(reports: &Reports) -> Status {
    reports.until("an error", |status| {
        status.phase.as_deref() == Some("ready") && !status.errors.is_empty()
    })
}

#[test]
fn a_read_only_workspace_is_reported_and_the_rest_serves() {
    let (reports, workspace) = (Reports::new(), folder());
    let user = format!("{UID}:{UID}");
    let mount = format!(
        "type=bind,source={},target=/workspace,readonly",
        workspace.path().display()
    );
    let arguments = [
        "--user",
        &user,
        "--mount",
        &reports.mount(),
        "--mount",
        &mount,
        &TINY,
    ];
    let _container = Container::run(&arguments);
    let status = told(&reports);
    assert_eq!(status.services["code-server"], "running");
    assert_eq!(status.health.unwrap().as_str(), "degraded");
    let message = &status.errors[0].message;
    assert!(
        message.starts_with("/workspace cannot be written: Read-only file system"),
        "{message}"
    );
}

#[test]
fn a_workspace_of_somebody_else_is_reported_until_it_is_ours() {
    let (reports, workspace) = (Reports::new(), tempfile::tempdir().unwrap());
    fs::set_permissions(workspace.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let _container = tiny(&reports, workspace.path(), &[]);
    let status = told(&reports);
    let message = &status.errors[0].message;
    assert!(
        message.ends_with("(it belongs to 0:0, mode 700)"),
        "{message}"
    );
    fs::set_permissions(workspace.path(), fs::Permissions::from_mode(0o777)).unwrap();
    reports.until("no error any more", |status| status.errors.is_empty());
}
