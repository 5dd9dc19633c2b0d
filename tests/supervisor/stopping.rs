use mizzen_fsx::write_atomic_with;
use mizzen_status::{AckState, Status, StatusWord};
use serde_json::json;

use crate::rig::{Reports, UID, docker, folder, ready, tiny};

#[test]
fn a_stop_ends_all_in_good_order() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    let before = reports.until_ready().seq.unwrap();
    assert_eq!(container.stop(), "0");
    let last = reports.now().unwrap();
    assert!(
        last.last,
        "not the last report: {last:#?}, {}",
        container.log()
    );
    assert_eq!(
        (&last.status, last.phase.as_deref()),
        (&StatusWord::Stopped, Some("stopped"))
    );
    assert_eq!(last.services["code-server"], "stopped");
    assert!(last.seq.unwrap() > before);
    let log = container.log();
    assert!(log.contains("supervisor: SIGTERM: stopping"), "{log}");
    assert!(!log.contains("killed"), "nothing had to be killed: {log}");
    assert!(log.trim_end().ends_with("supervisor: stopped"), "{log}");
}

#[test]
fn processes_that_ignore_the_stop_are_killed() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    reports.until_ready();
    let stubborn = "(trap '' TERM; while :; do sleep 1; done) > /dev/null 2>&1 & echo started";
    assert_eq!(container.exec(&["bash", "-c", stubborn]), "started");
    assert_eq!(
        container.stop(),
        "0",
        "the supervisor itself must not be killed"
    );
    assert!(reports.now().unwrap().last);
    assert!(
        container.log().contains("killed what was left after 8 s"),
        "{}",
        container.log()
    );
}

/// A second signal is to many programs that they are to leave everything as it is.
#[test]
fn processes_are_asked_once_and_then_have_their_time() {
    let (_reports, workspace, container) = ready();
    let careful = "(trap 'echo asked >> /workspace/asked' TERM; touch /workspace/ready
        until [ -e /workspace/asked ]; do sleep 0.1; done
        sleep 2; touch /workspace/saved) > /dev/null 2>&1 &
        until [ -e /workspace/ready ]; do sleep 0.1; done; echo started";
    assert_eq!(container.exec(&["bash", "-c", careful]), "started");
    assert_eq!(container.stop(), "0");
    let asked = std::fs::read_to_string(workspace.path().join("asked")).unwrap();
    assert_eq!(asked, "asked\n");
    assert!(workspace.path().join("saved").exists());
}

#[test]
fn a_container_starts_again_after_its_last_report() {
    let (reports, workspace) = (Reports::new(), folder());
    let container = tiny(&reports, workspace.path(), &[]);
    reports.until_ready();
    container.stop();
    docker(&["start", &container.id]);
    let again = reports.until_ready();
    assert!(!again.last);
}

#[test]
fn the_host_asks_for_the_end_in_the_queue_and_what_comes_later_is_refused() {
    let (reports, workspace, container) = ready();
    let stubborn = "(trap '' TERM; while :; do sleep 1; done) > /dev/null 2>&1 & echo started";
    container.exec(&["bash", "-c", stubborn]);
    let order =
        |id: &str| json!({ "id": id, "type": "signal", "signal": "shutdown", "deadline_s": 5 });
    let exec = json!({ "id": "late", "type": "exec", "command": "touch /workspace/late" });
    let ask = |commands: serde_json::Value| {
        let text = json!({ "commands": commands, "processed": [] }).to_string();
        let path = reports.folder.path().join("commands.json");
        write_atomic_with(path, text.as_bytes(), 0o640, Some((UID, UID))).unwrap();
    };
    let state = |status: &Status, id: &str| {
        let ack = status.commands.iter().find(|ack| ack.id.as_str() == id);
        ack.map(|ack| ack.state.clone())
    };
    ask(json!([order("end")]));
    let stopping = reports.until("stopping", |status| {
        status.status == StatusWord::Stopping && state(status, "end").is_some()
    });
    assert_eq!(state(&stopping, "end"), Some(AckState::Succeeded));
    ask(json!([order("end"), exec, order("again")]));
    let refused = reports.until("a refusal", |status| state(status, "late").is_some());
    assert_eq!(state(&refused, "late"), Some(AckState::Rejected));
    assert_eq!(container.wait(), "0");
    let last = reports.now().unwrap();
    assert!(last.last && last.status == StatusWord::Stopped, "{last:?}");
    assert_eq!(
        state(&last, "again"),
        Some(AckState::Succeeded),
        "asked twice is asked once"
    );
    assert!(
        container.log().contains("killed what was left after 3 s"),
        "{}",
        container.log()
    );
    assert!(!workspace.path().join("late").exists());
    docker(&["start", &container.id]);
    let again = reports.until_ready();
    assert_eq!(
        state(&again, "late"),
        Some(AckState::Rejected),
        "none is carried out later"
    );
}

#[test]
fn a_signal_of_the_engine_shortens_what_the_host_has_granted() {
    let (reports, _workspace, container) = ready();
    let stubborn = "(trap '' TERM; while :; do sleep 1; done) > /dev/null 2>&1 & echo started";
    container.exec(&["bash", "-c", stubborn]);
    let text =
        r#"{"commands":[{"id":"end","type":"signal","signal":"shutdown","deadline_s":600}]}"#;
    let path = reports.folder.path().join("commands.json");
    write_atomic_with(path, text.as_bytes(), 0o640, Some((UID, UID))).unwrap();
    reports.until("stopping", |status| status.status == StatusWord::Stopping);
    assert_eq!(container.stop(), "0");
    assert!(reports.now().unwrap().last);
}
