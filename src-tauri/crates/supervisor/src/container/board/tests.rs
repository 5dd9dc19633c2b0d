use expect_test::{Expect, expect};
use jiff::Timestamp;
use mizzen_status::Progress;
use serde_json::json;

use super::{Board, CODE_SERVER, Foreign, Stage, compose};

fn check(board: &Board, foreign: &Foreign, expected: &Expect) {
    let mut facts = board.watch().borrow().clone();
    for notice in facts.errors.values_mut().chain(facts.warnings.values_mut()) {
        notice.timestamp = None;
    }
    let status = compose(&facts, foreign, 7, Timestamp::UNIX_EPOCH);
    expected.assert_eq(&serde_json::to_string(&status).unwrap());
}

#[test]
fn a_life_in_reports() {
    let board = Board::new();
    let alone = Foreign::default();
    check(
        &board,
        &alone,
        &expect![[
            r#"{"schema":1,"seq":7,"timestamp":"1970-01-01T00:00:00Z","status":"starting","health":"starting","phase":"starting","errors":[],"warnings":[]}"#
        ]],
    );
    board.set_service(CODE_SERVER, "running");
    board.set_stage(Stage::Ready);
    check(
        &board,
        &alone,
        &expect![[
            r#"{"schema":1,"seq":7,"timestamp":"1970-01-01T00:00:00Z","status":"running","health":"healthy","phase":"ready","services":{"code-server":"running"},"errors":[],"warnings":[]}"#
        ]],
    );
    board.set_error("workspace", Some("/workspace does not exist".into()));
    board.set_warning("user", Some("uid 5 has no name here".into()));
    check(
        &board,
        &alone,
        &expect![[
            r#"{"schema":1,"seq":7,"timestamp":"1970-01-01T00:00:00Z","status":"running","health":"degraded","phase":"ready","services":{"code-server":"running"},"errors":[{"message":"/workspace does not exist"}],"warnings":[{"message":"uid 5 has no name here"}]}"#
        ]],
    );
    board.set_error("workspace", None);
    board.set_stopped();
    check(
        &board,
        &alone,
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
    let foreign = Foreign {
        phase: Some("building".into()),
        progress: Some(Progress {
            current: Some(4.0),
            total: Some(9.0),
            message: None,
        }),
        services: [("database", "up"), (CODE_SERVER, "forged")]
            .map(|(name, state)| (name.to_owned(), state.to_owned()))
            .into(),
        extra: json!({"custom": {"passed": 142}})
            .as_object()
            .unwrap()
            .clone(),
    };
    check(
        &board,
        &foreign,
        &expect![[
            r#"{"schema":1,"seq":7,"timestamp":"1970-01-01T00:00:00Z","status":"running","health":"healthy","phase":"building","progress":{"current":4.0,"total":9.0},"services":{"code-server":"running","database":"up"},"errors":[],"warnings":[],"custom":{"passed":142}}"#
        ]],
    );
    board.set_stage(Stage::Stopping);
    check(
        &board,
        &foreign,
        &expect![[
            r#"{"schema":1,"seq":7,"timestamp":"1970-01-01T00:00:00Z","status":"stopping","health":"none","phase":"stopping","progress":{"current":4.0,"total":9.0},"services":{"code-server":"running","database":"up"},"errors":[],"warnings":[],"custom":{"passed":142}}"#
        ]],
    );
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
