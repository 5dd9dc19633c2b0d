use expect_test::{Expect, expect};
use mizzen_sync::{Cycle, CycleError, CycleId, EndpointError, Failure, Why};
use mizzen_sync_core::{
    Conflict, Digest, Edit, File, Halt, Node, Problem, RelPath, Side, Unsyncable,
};

use mizzen_sync::told::{Amount, Progress, Stand, State};

use super::{agree, view};
use crate::view::SyncState;

fn path(text: &str) -> RelPath {
    RelPath::new(text.as_bytes()).unwrap()
}

fn nothing() -> Cycle {
    Cycle {
        id: CycleId(1),
        took: Default::default(),
        applied: Default::default(),
        hashed: Default::default(),
        deleted: 0,
        merged: Vec::new(),
        conflicts: Vec::new(),
        problems: Vec::new(),
        withheld: Vec::new(),
        withheld_there: 0,
        is_whole: false,
        tripwires: Vec::new(),
        polling: Default::default(),
    }
}

fn file(name: &str) -> Edit {
    let file = File {
        digest: Digest([7; 32]),
        size: 1,
        executable: false,
        mtime: 0,
    };
    Edit {
        path: path(name),
        entry: Some(Node::File(file)),
    }
}

fn failed(name: &str, why: Why) -> Failure {
    Failure {
        path: path(name),
        why,
    }
}

fn check(what: &str, cycle: Result<Cycle, CycleError>, expected: Expect) {
    let before = Stand::new(State::Starting);
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    let stand = before.after(&cycle, &agree("web"), at);
    let view = view(&stand, false);
    let text = format!(
        "{what}: {:?}; {} {}; {}",
        view.state,
        view.reason.as_deref().unwrap_or("-"),
        view.hint.as_deref().unwrap_or("-"),
        stand.said(None),
    );
    expected.assert_eq(&text);
}

#[test]
fn a_workspace_stands_as_its_last_cycle_says() {
    check(
        "nothing to do",
        Ok(nothing()),
        expect!["nothing to do: InStep; - -; In step."],
    );
    let mut busy = nothing();
    busy.applied.host.failed = vec![failed("a", Why::ChangedHere)];
    check(
        "somebody writes",
        Ok(busy),
        expect!["somebody writes: Syncing; - -; Not all is in step: 1 changed meanwhile."],
    );
    let mut read = nothing();
    read.problems = vec![Problem {
        path: path("a"),
        side: Side::Container,
        why: Unsyncable::Unsteady,
    }];
    check(
        "somebody writes while it is read",
        Ok(read),
        expect![
            "somebody writes while it is read: Syncing; - -; Not all is in step: 1 changed meanwhile."
        ],
    );
    let mut stuck = nothing();
    stuck.applied.host.failed = vec![failed("a", Why::NotEmpty)];
    stuck.problems = vec![Problem {
        path: path("b"),
        side: Side::Host,
        why: Unsyncable::Special,
    }];
    check(
        "a side says no",
        Ok(stuck),
        expect!["a side says no: Problems; - -; Not all is in step: 2 cannot be carried."],
    );
    let mut both = nothing();
    both.conflicts = vec![Conflict {
        path: path("a"),
        base: None,
        host: None,
        container: None,
    }];
    both.withheld = vec![path(".env")];
    check(
        "both changed it",
        Ok(both),
        expect![
            "both changed it: Conflicts; - -; Not all is in step: 1 in conflict, 1 kept back as secrets."
        ],
    );
    let halt = Halt::RootEmptied(Side::Container);
    check(
        "emptied",
        Err(halt.into()),
        expect![
            "emptied: Halted; Sync has stopped: the container's folder was emptied. Look at both sides; when that is what you want: mizzen sync flush web --consent; In step."
        ],
    );
    let gone = EndpointError::Wire("\u{1b}[31mgone".to_owned());
    check(
        "a hostile text",
        Err(CycleError::Look(Side::Container, gone)),
        expect![
            "a hostile text: Failed; Sync does not work: the container's folder cannot be looked at: the other end of the wire: gone. Mend the cause; sync goes on by itself, and nothing is lost.; In step."
        ],
    );
}

#[test]
fn what_waits_is_named_until_it_was_carried() {
    let mut busy = nothing();
    busy.applied.host.failed = vec![
        failed("a\u{1b}[31m", Why::ChangedThere),
        failed("b", Why::NotEmpty),
    ];
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    let waits = Stand::new(State::Starting).after(&Ok(busy), "", at);
    let shown = view(&waits, false);
    assert_eq!((shown.pending, shown.problems), (1, 1));
    assert_eq!(shown.held.as_deref(), Some("a"));
    let over = waits.after(&Ok(nothing()), "", at);
    assert_eq!(view(&over, false).held, None);
}

#[test]
fn the_last_cycle_that_did_something_stays_shown() {
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let mut cycle = nothing();
    cycle.applied.container.done = vec![file("a"), file("b")];
    cycle.deleted = 3;
    cycle.withheld = vec![path(".env")];
    let first = Stand::new(State::Starting).after(&Ok(cycle), "", at("2026-01-02T03:04:05Z"));
    let then = first.after(&Ok(nothing()), "", at("2026-01-02T03:05:00Z"));
    assert_eq!(first.last_cycle, then.last_cycle);
    assert_eq!(then.withheld, 1, "it looked at other places");
    let done = view(&then, false).last_cycle.unwrap();
    assert_eq!(
        (
            done.at.as_str(),
            done.to_host,
            done.to_container,
            done.deleted
        ),
        ("2026-01-02T03:04:05Z", 0, 2, 3)
    );
    assert_eq!(
        first.said(Some((0, 2))),
        "In step: 2 changed in the container, 1 kept back as secrets."
    );
}

#[test]
fn a_pause_is_told_whatever_stands_in_its_way() {
    let halted = Err(Halt::RootMissing(Side::Host).into());
    let conflict = Conflict {
        path: path("a"),
        base: None,
        host: None,
        container: None,
    };
    let conflicts = Cycle {
        conflicts: vec![conflict],
        ..nothing()
    };
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    for (cycle, goes_on, stops) in [
        (Ok(nothing()), SyncState::InStep, SyncState::Paused),
        (Ok(conflicts), SyncState::Conflicts, SyncState::Conflicts),
        (halted, SyncState::Halted, SyncState::Halted),
    ] {
        let stand = Stand::new(State::Starting).after(&cycle, &agree("web"), at);
        let told = [false, true].map(|paused| view(&stand, paused));
        let told = told.map(|view| (view.state, view.paused));
        assert_eq!(told, [(goes_on, false), (stops, true)]);
    }
}

#[test]
fn how_far_a_cycle_is_and_why_a_side_is_polled_are_shown() {
    let mut polled = nothing();
    polled.polling.container = Some("no watches\u{1b}[31m left".to_owned());
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    let stand = Stand::new(State::Starting).after(&Ok(polled), &agree("web"), at);
    let seen = view(&stand, false);
    assert_eq!(seen.polling.as_deref(), Some("no watches left"));
    assert!(seen.progress.is_none());

    let amount = |files, bytes| Amount { files, bytes };
    let second = std::time::Duration::from_secs(1);
    let progress = Progress::new(amount(1, 1 << 20), amount(3, 4 << 20), second);
    let seen = view(&stand.carrying(progress), false);
    let shown = seen.progress.expect("it carries");
    assert_eq!((shown.files, shown.of_files), (1, 3));
    assert_eq!((shown.bytes, shown.of_bytes), (1 << 20, 4 << 20));
    assert_eq!(shown.bytes_per_second, 1 << 20);
    assert_eq!(shown.seconds_left, progress.seconds_left);
    assert_eq!(shown.text, progress.to_string());
    assert!(seen.polling.is_some(), "that is so still");
    // When the cycle is over, nothing is on its way.
    let stand = stand
        .carrying(progress)
        .after(&Ok(nothing()), &agree("web"), at);
    let seen = view(&stand, false);
    assert_eq!((seen.progress.is_none(), seen.polling), (true, None));
}
