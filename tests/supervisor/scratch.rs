use mizzen_tasks::Owner;
use mizzen_wire::Control;

use crate::rig::{Container, Reports, SCRATCH, UID};

fn user() -> String {
    format!("{UID}:{UID}")
}

#[tokio::test]
async fn an_image_with_nothing_else_is_served() {
    let container = Container::run(&["--user", &user(), &SCRATCH]);
    let owner = Owner::root("test");
    let wire = container.wire(&owner, &[]).await;
    assert_eq!(wire.peer().program, "mizzen-supervisor");
    let mut control = Control::open(&wire).await.unwrap();
    control.ping().await.unwrap();
    let report = control.report().await.unwrap();
    assert_eq!((report.uid, report.gid, report.user), (UID, UID, None));
    assert_eq!(
        report.workspace_problem.as_deref(),
        Some("/workspace does not exist")
    );
    assert_eq!(
        report.code_server_socket, None,
        "there is no place for a socket"
    );
    assert_eq!(container.stop(), "0");
    wire.closed().await;
}

#[test]
fn it_reports_what_is_missing() {
    let reports = Reports::new();
    let container = Container::run(&["--user", &user(), "--mount", &reports.mount(), &SCRATCH]);
    let status = reports.until_ready();
    assert_eq!(status.services["code-server"], "missing");
    assert_eq!(status.health.unwrap().as_str(), "degraded");
    let messages: Vec<_> = status
        .errors
        .iter()
        .map(|notice| notice.message.as_str())
        .collect();
    assert_eq!(messages, ["/workspace does not exist"]);
    let warned: Vec<_> = status
        .warnings
        .iter()
        .map(|notice| notice.message.as_str())
        .collect();
    assert_eq!(
        warned,
        [
            "code-server is not installed",
            "uid 4321 has no name here; expected coder"
        ]
    );
    assert_eq!(container.stop(), "0");
}

#[test]
fn its_version_can_be_asked_for() {
    let container = Container::run(&["--user", &user(), &SCRATCH, "version"]);
    assert_eq!(container.wait(), "0");
    let wire = format!("(wire {})", mizzen_wire::VERSION);
    assert!(container.log().contains(&wire), "{}", container.log());
}

#[test]
fn an_unknown_verb_is_a_usage_error() {
    let container = Container::run(&["--user", &user(), &SCRATCH, "sing"]);
    assert_eq!(container.wait(), "64");
}
