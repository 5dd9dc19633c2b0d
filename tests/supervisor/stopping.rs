use mizzen_status::StatusWord;

use crate::rig::{Reports, docker, folder, tiny};

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
