use expect_test::{Expect, expect};
use jiff::Timestamp;
use mizzen_status::Health;
use serde_json::json;

use super::{Board, CODE_SERVER, Stage, compose};

fn check(board: &Board, expected: &Expect) {
    let mut facts = board.watch().borrow().clone();
    for notice in facts.errors.values_mut().chain(facts.warnings.values_mut()) {
        notice.timestamp = None;
    }
    let reported = board.watch_reported().borrow().clone();
    let status = compose(
        &facts,
        &reported,
        reported.health(),
        7,
        Timestamp::UNIX_EPOCH,
    );
    expected.assert_eq(&serde_json::to_string(&status).unwrap());
}

#[test]
fn a_life_in_reports() {
    let board = Board::new();
    check(
        &board,
        &expect![[
            r#"{"schema":1,"seq":7,"timestamp":"1970-01-01T00:00:00Z","status":"starting","health":"starting","phase":"starting","errors":[],"warnings":[]}"#
        ]],
    );
    board.set_service(CODE_SERVER, "running");
    board.set_stage(Stage::Ready);
    check(
        &board,
        &expect![[
            r#"{"schema":1,"seq":7,"timestamp":"1970-01-01T00:00:00Z","status":"running","health":"healthy","phase":"ready","services":{"code-server":"running"},"errors":[],"warnings":[]}"#
        ]],
    );
    board.set_error("workspace", Some("/workspace does not exist".into()));
    board.set_warning("user", Some("uid 5 has no name here".into()));
    check(
        &board,
        &expect![[
            r#"{"schema":1,"seq":7,"timestamp":"1970-01-01T00:00:00Z","status":"running","health":"degraded","phase":"ready","services":{"code-server":"running"},"errors":[{"message":"/workspace does not exist"}],"warnings":[{"message":"uid 5 has no name here"}]}"#
        ]],
    );
    board.set_error("workspace", None);
    board.set_stopped();
    check(
        &board,
        &expect![[
            r#"{"schema":1,"seq":7,"timestamp":"1970-01-01T00:00:00Z","status":"stopped","health":"none","phase":"stopped","final":true,"services":{"code-server":"stopped"},"errors":[],"warnings":[{"message":"uid 5 has no name here"}]}"#
        ]],
    );
}

#[test]
fn what_others_report_survives_the_heartbeat() {
    let board = Board::new();
    board.set_service(CODE_SERVER, "running");
    board.set_stage(Stage::Ready);
    let theirs = json!({
        "phase": "building", "progress": {"current": 4, "total": 9},
        "services": {"database": "up", CODE_SERVER: "forged"}, "custom": {"passed": 142},
    });
    assert!(board.take(theirs.to_string().parse().unwrap()));
    assert!(
        !board.take(theirs.to_string().parse().unwrap()),
        "nothing new"
    );
    check(
        &board,
        &expect![[
            r#"{"schema":1,"seq":7,"timestamp":"1970-01-01T00:00:00Z","status":"running","health":"healthy","phase":"building","progress":{"current":4.0,"total":9.0},"services":{"code-server":"running","database":"up"},"errors":[],"warnings":[],"custom":{"passed":142}}"#
        ]],
    );
    board.set_stage(Stage::Stopping);
    check(
        &board,
        &expect![[
            r#"{"schema":1,"seq":7,"timestamp":"1970-01-01T00:00:00Z","status":"stopping","health":"none","phase":"stopping","progress":{"current":4.0,"total":9.0},"services":{"code-server":"running","database":"up"},"errors":[],"warnings":[],"custom":{"passed":142}}"#
        ]],
    );
}

#[test]
fn others_may_say_that_it_is_worse_and_never_that_it_is_better() {
    let board = Board::new();
    let health = |said: Option<Health>| {
        let facts = board.watch().borrow().clone();
        let status = compose(&facts, &Default::default(), said, 1, Timestamp::UNIX_EPOCH);
        status.health.unwrap()
    };
    assert_eq!(health(Some(Health::Healthy)), Health::Starting);
    board.set_stage(Stage::Ready);
    assert_eq!(health(None), Health::Healthy);
    assert_eq!(health(Some(Health::Degraded)), Health::Degraded);
    board.set_error("workspace", Some("gone".into()));
    assert_eq!(health(Some(Health::Healthy)), Health::Degraded);
    assert_eq!(health(Some(Health::Unhealthy)), Health::Unhealthy);
}

#[test]
fn the_same_notice_again_is_no_change() {
    let board = Board::new();
    let mut seen = board.watch();
    board.set_error("workspace", Some("gone".into()));
    assert!(seen.has_changed().unwrap());
    seen.mark_unchanged();
    board.set_error("workspace", Some("gone".into()));
    assert!(!seen.has_changed().unwrap());
    board.set_error("workspace", None);
    assert!(seen.has_changed().unwrap());
}

#[test]
fn what_has_ended_does_not_come_back() {
    let board = Board::new();
    board.set_stage(Stage::Ready);
    assert!(!board.is_ending());
    board.set_stage(Stage::Stopping);
    board.set_stage(Stage::Ready);
    assert!(board.is_ending());
    assert_eq!(board.watch().borrow().stage, Stage::Stopping);
    board.set_stopped();
    let seen = board.watch();
    board.set_stage(Stage::Ready);
    assert!(!seen.has_changed().unwrap());
    assert_eq!(seen.borrow().stage, Stage::Stopped);
}
