//! A person looks back at cycles, takes them back and restores places.

use super::asking::meddled;
use super::*;
use crate::trash::CycleId;

fn at(path: &str) -> RelPath {
    RelPath::new(path.as_bytes()).unwrap()
}

/// Carries over what was taken back; nothing is left to do then.
fn settle(fixture: &Fixture) {
    assert!(fixture.once().unwrap().is_in_step());
    let cycle = fixture.once().unwrap();
    for applied in [&cycle.applied.host, &cycle.applied.container] {
        assert!(applied.done.is_empty(), "{cycle:?}");
    }
}

/// What the container did to a project, which has gone over to the host.
fn followed() -> (Fixture, CycleId) {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    for (path, text) in [
        ("edited", "1"),
        ("gone/x", "2"),
        ("same", "3"),
        ("turned", "4"),
    ] {
        fixture.write(&format!("host/{path}"), text);
    }
    fixture.once().unwrap();
    fixture.write("container/edited", "11");
    fixture.write("container/new/y", "5");
    remove(&fixture.path("container/gone"));
    remove(&fixture.path("container/turned"));
    fixture.write("container/turned/z", "6");
    let cycle = fixture.once().unwrap();
    fixture.check_same(AFTER);
    (fixture, cycle.id)
}

const BEFORE: &[&str] = &["edited=1", "gone/", "gone/x=2", "same=3", "turned=4"];
const AFTER: &[&str] = &[
    "edited=11",
    "new/",
    "new/y=5",
    "same=3",
    "turned/",
    "turned/z=6",
];

#[test]
fn a_cycle_that_is_taken_back_is_taken_back_on_both_sides_and_so_is_that() {
    let (fixture, id) = followed();
    let undone = fixture.link().undo(id).unwrap();
    assert_eq!(undone.refused, Both::default());
    assert_eq!(fixture.tree("host"), BEFORE);
    assert_eq!(fixture.tree("container"), AFTER, "until the next cycle");
    settle(&fixture);
    fixture.check_same(BEFORE);

    fixture.link().undo(undone.cycle.id).unwrap();
    settle(&fixture);
    fixture.check_same(AFTER);
}

#[test]
fn what_is_taken_back_goes_over_without_being_named() {
    let (fixture, id) = followed();
    let mut link = fixture.link();
    link.undo(id).unwrap();
    link.cycle(&Both::default(), false).unwrap();
    fixture.check_same(BEFORE);
}

#[test]
fn what_has_changed_since_on_the_same_side_is_not_taken_back() {
    let (fixture, id) = followed();
    fixture.write("host/edited", "111");
    fixture.write("host/new/more", "7");
    let undone = fixture.link().undo(id).unwrap();
    assert_eq!(
        undone.refused.host,
        [at("edited"), at("new"), at("new/more")]
    );
    settle(&fixture);
    fixture.check_same(&[
        "edited=111",
        "gone/",
        "gone/x=2",
        "new/",
        "new/more=7",
        "same=3",
        "turned=4",
    ]);
}

#[test]
fn what_has_changed_since_on_the_other_side_is_not_lost() {
    let (fixture, id) = followed();
    fixture.write("container/edited", "111");
    fixture.write("container/new/y", "55");
    fixture.write("container/gone/w", "8");
    fixture.link().undo(id).unwrap();
    let cycle = fixture.once().unwrap();
    let conflicts: Vec<_> = cycle.conflicts.iter().map(|found| &found.path).collect();
    assert_eq!(conflicts, [&at("edited")], "each side has its own");
    assert_eq!(
        fixture.tree("host"),
        [
            "edited=1", "gone/", "gone/w=8", "gone/x=2", "new/", "new/y=55", "same=3", "turned=4"
        ]
    );
    assert_eq!(
        fixture.tree("container"),
        [
            "edited=111",
            "gone/",
            "gone/w=8",
            "gone/x=2",
            "new/",
            "new/y=55",
            "same=3",
            "turned=4"
        ]
    );
}

/// A text that was merged of both sides' changes.
fn merged() -> (Fixture, CycleId) {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    for text in ["1\n", "1\n2\n3\n"] {
        fixture.write("host/a", text);
        fixture.once().unwrap();
    }
    fixture.write("host/a", "host\n2\n3\n");
    fixture.write("container/a", "1\n2\ncontainer\n");
    let cycle = fixture.once().unwrap();
    fixture.check_same(&["a=host\n2\ncontainer\n"]);
    (fixture, cycle.id)
}

#[test]
fn a_merge_that_is_taken_back_is_a_conflict_and_neither_version_is_lost() {
    let (fixture, id) = merged();
    fixture.link().undo(id).unwrap();
    for _ in 0..3 {
        let cycle = fixture.once().unwrap();
        assert_eq!(cycle.conflicts.len(), 1);
        assert!(cycle.merged.is_empty());
        assert_eq!(fixture.tree("host"), ["a=host\n2\n3\n"]);
        assert_eq!(fixture.tree("container"), ["a=1\n2\ncontainer\n"]);
    }
    fixture.link().resolve(&at("a"), Keep::Container).unwrap();
    settle(&fixture);
    fixture.check_same(&["a=1\n2\ncontainer\n"]);
}

#[test]
fn a_merge_that_is_taken_back_on_one_side_only_is_a_conflict_too() {
    let (fixture, id) = merged();
    fixture.write("host/a", "host\n2\ncontainer\nmore\n");
    let undone = fixture.link().undo(id).unwrap();
    assert_eq!(undone.refused.host, [at("a")]);
    let cycle = fixture.once().unwrap();
    assert_eq!(cycle.conflicts.len(), 1);
    assert_eq!(fixture.tree("host"), ["a=host\n2\ncontainer\nmore\n"]);
    assert_eq!(fixture.tree("container"), ["a=1\n2\ncontainer\n"]);
}

#[test]
fn a_decision_that_is_taken_back_is_a_conflict_again() {
    for keep in Keep::ALL {
        let fixture = Fixture::new(Mode::TwoWaySafe);
        fixture.write("host/a", "1");
        fixture.once().unwrap();
        fixture.write("host/a", "host");
        fixture.write("container/a", "container");
        let resolved = fixture.link().resolve(&at("a"), keep).unwrap();
        fixture.once().unwrap();
        let undone = fixture.link().undo(resolved.cycle.id).unwrap();
        for _ in 0..2 {
            let cycle = fixture.once().unwrap();
            assert_eq!(cycle.conflicts.len(), 1, "{keep}");
            assert_eq!(fixture.tree("host"), ["a=host"], "{keep}");
            assert_eq!(fixture.tree("container"), ["a=container"], "{keep}");
        }
        // That can be taken back as well.
        fixture.link().undo(undone.cycle.id).unwrap();
        settle(&fixture);
        let kept = match keep {
            Keep::Container => "a=container",
            Keep::Host | Keep::Both => "a=host",
        };
        let beside = resolved.beside.map(|path| format!("{path}=container"));
        let expected = beside.as_deref().into_iter().chain([kept]);
        fixture.check_same(&expected.collect::<Vec<_>>());
    }
}

/// A file of both sides' own, for which the mode has decided.
fn decided() -> (Fixture, CycleId) {
    let fixture = Fixture::new(Mode::TwoWayHostWins);
    fixture.write("host/a", "1");
    fixture.once().unwrap();
    fixture.write("host/a", "host");
    fixture.write("container/a", "container");
    let id = fixture.once().unwrap().id;
    fixture.check_same(&["a=host"]);
    (fixture, id)
}

#[test]
fn what_a_mode_decided_is_decided_the_other_way_when_it_is_taken_back() {
    let (fixture, id) = decided();
    fixture.link().undo(id).unwrap();
    settle(&fixture);
    fixture.check_same(&["a=container"]);
}

#[test]
fn what_another_mode_decided_is_a_conflict_when_it_is_taken_back() {
    let (mut fixture, id) = decided();
    fixture.options.mode = Mode::TwoWaySafe;
    fixture.link().undo(id).unwrap();
    assert_eq!(fixture.once().unwrap().conflicts.len(), 1);
    assert_eq!(fixture.tree("host"), ["a=host"]);
    assert_eq!(fixture.tree("container"), ["a=container"]);
}

#[test]
fn nothing_is_taken_back_on_a_side_that_is_not_there() {
    let (fixture, id) = followed();
    let mut link = fixture.link();
    remove(&fixture.path("container"));
    let error = link.undo(id).unwrap_err();
    let missing = Halt::RootMissing(Side::Container);
    assert!(matches!(error, AskError::Cycle(CycleError::Halted(halt)) if halt == missing));
    assert_eq!(fixture.tree("host"), AFTER);
}

#[test]
fn a_merge_that_is_taken_back_by_half_is_a_conflict() {
    let (fixture, id) = merged();
    let state = fixture.path("state");
    let mut link = meddled(&fixture, Side::Container, move || {
        // Whoever is killed from here on leaves a base that does not know it any more.
        let opened = BaseStore::open(&state, LinkId::new([&b"test"[..]])).expect("a store");
        assert_eq!(opened.base.expect("a base").get(&at("a")), None);
        Err(std::io::ErrorKind::StorageFull.into())
    });
    let error = link.undo(id).unwrap_err();
    assert!(matches!(
        error,
        AskError::Cycle(CycleError::Apply(Side::Container, _))
    ));
    assert_eq!(fixture.once().unwrap().conflicts.len(), 1);
    assert_eq!(fixture.tree("host"), ["a=host\n2\n3\n"]);
    assert_eq!(fixture.tree("container"), ["a=host\n2\ncontainer\n"]);
}

#[test]
fn a_cycle_that_nobody_knows_and_a_mode_that_would_do_it_again_are_refused() {
    let (mut fixture, id) = followed();
    let error = fixture.link().undo(CycleId(7)).unwrap_err();
    assert!(matches!(error, AskError::UnknownCycle(CycleId(7))));
    for mode in [Mode::OneWaySafe, Mode::OneWayReplica] {
        fixture.options.mode = mode;
        let error = fixture.link().undo(id).unwrap_err();
        assert!(matches!(error, AskError::Mode(refused) if refused == mode));
    }
    let error = fixture
        .link()
        .restore(&at("edited"), None, None)
        .unwrap_err();
    assert!(matches!(error, AskError::Mode(Mode::OneWayReplica)));
    fixture.check_same(AFTER);
}

#[test]
fn a_place_comes_back_as_it_was_and_goes_over() {
    /// When: a cycle by its number, and so much later.
    type When = Option<(usize, i64)>;
    let checks: [(When, &str); 4] = [
        (None, "22"),
        (Some((1, 0)), "1"),
        (Some((1, 1)), "22"),
        (Some((0, -1000)), "1"),
    ];
    for (when, text) in checks {
        let fixture = Fixture::new(Mode::TwoWaySafe);
        let written = ["1", "22", "333"].map(|text| {
            fixture.write("container/d/a", text);
            fixture.write("host/other", text);
            fixture.once().unwrap().id
        });
        let when = when.map(|(cycle, later)| CycleId(written[cycle].0 + later));
        let undone = fixture.link().restore(&at("d/a"), when, None);
        assert_eq!(undone.unwrap().cycle.applied.host.done.len(), 1, "{text}");
        settle(&fixture);
        fixture.check_same(&["d/", &format!("d/a={text}"), "other=333"]);
    }
}

#[test]
fn a_directory_comes_back_whole_and_goes_over() {
    for (side, other) in [("host", "container"), ("container", "host")] {
        let fixture = Fixture::new(Mode::TwoWaySafe);
        for (name, text) in [("d/a", "1"), ("d/e/b", "2"), ("kept", "3")] {
            fixture.write(&format!("{side}/{name}"), text);
        }
        fixture.once().unwrap();
        remove(&fixture.path(&format!("{side}/d")));
        fixture.once().unwrap();
        fixture.check_same(&["kept=3"]);
        // What has come to the place since stays in it.
        fixture.write(&format!("{other}/d/new"), "4");
        fixture.once().unwrap();
        let undone = fixture.link().restore(&at("d/e"), None, None).unwrap();
        assert_eq!(undone.cycle.failures().count(), 0, "{undone:?}");
        let undone = fixture.link().restore(&at("d/a"), None, None).unwrap();
        assert_eq!(undone.cycle.failures().count(), 0, "{undone:?}");
        fixture.once().unwrap();
        fixture.check_same(&["d/", "d/a=1", "d/e/", "d/e/b=2", "d/new=4", "kept=3"]);
    }
}

#[test]
fn a_place_of_which_nothing_is_kept_does_not_come_back() {
    let (fixture, id) = followed();
    for (path, when, side) in [
        ("same", None, None),
        ("none", None, None),
        ("edited", Some(CycleId(id.0 + 1)), None),
        ("edited", None, Some(Side::Container)),
    ] {
        let error = fixture.link().restore(&at(path), when, side).unwrap_err();
        assert!(matches!(error, AskError::NothingKept(_)), "{path}: {error}");
    }
    fixture.check_same(AFTER);
}

#[test]
fn of_a_merge_either_version_comes_back() {
    for (side, text) in [
        (Side::Host, "host\n2\n3\n"),
        (Side::Container, "1\n2\ncontainer\n"),
    ] {
        let (fixture, _) = merged();
        fixture.link().restore(&at("a"), None, Some(side)).unwrap();
        settle(&fixture);
        fixture.check_same(&[&format!("a={text}")]);
    }
}

#[test]
fn history_joins_both_sides_by_the_cycle() {
    let (fixture, id) = merged();
    let mut link = fixture.link();
    let history = link.history(&Recall::last(2)).unwrap();
    let [last, before] = &history[..] else {
        panic!("{history:?}")
    };
    assert_eq!(last.id, id);
    assert!(last.sides.host.is_some() && last.sides.container.is_some());
    assert!(before.sides.host.is_none() && before.sides.container.is_some());
    let recall = Recall {
        before: Some(before.id),
        ..Recall::last(10)
    };
    let older = link.history(&recall).unwrap();
    assert_eq!(older.len(), 1);
    assert!(older[0].id < before.id);
}

#[test]
fn history_is_no_longer_than_asked_for_when_each_side_knows_of_another_cycle() {
    let (fixture, id) = followed();
    let history = fixture.link().history(&Recall::last(1)).unwrap();
    let ids: Vec<CycleId> = history.iter().map(|past| past.id).collect();
    assert_eq!(ids, [id]);
}

/// The lines of one of a link's logs.
fn lines(fixture: &Fixture, name: &str) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(fixture.path("state").join(name)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn each_cycle_and_each_wish_is_written_down_by_its_name() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    let mut link = fixture.link();
    fixture.write("host/a", "1");
    fixture.write("host/b", "22");
    let first = link.cycle(&Both::everything(), false).unwrap();
    fixture.write("container/a", "333");
    let second = link.cycle(&Both::everything(), false).unwrap();
    let undone = link.undo(second.id).unwrap();
    let restored = link.restore(&at("a"), None, None).unwrap();
    fixture.write("host/b", "host");
    fixture.write("container/b", "container");
    let resolved = link.resolve(&at("b"), Keep::Host).unwrap();
    link.cycle(&Both::everything(), false).unwrap();
    for name in ["a", "b"] {
        remove(&fixture.path(&format!("host/{name}")));
    }
    link.cycle(&Both::everything(), false).unwrap_err();
    let agreed = link.cycle(&Both::everything(), true).unwrap();

    let log = lines(&fixture, "log.jsonl");
    assert_eq!(log.len(), 5);
    assert_eq!(log[0]["cycle"], first.id.to_string());
    assert_eq!(log[0]["container"]["files"], 2);
    assert_eq!(log[0]["container"]["bytes"], 3);
    assert_eq!(log[1]["host"]["done"], 1);
    assert_eq!(log[3]["halted"], "the host's folder was emptied");
    assert_eq!(log[4]["deleted"], 2);

    let audit = lines(&fixture, "audit.jsonl");
    let told = |line: &serde_json::Value| {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        [text("asked"), text("cycle"), text("of"), text("path")]
    };
    let expected = |asked: &str, id: CycleId, of: Option<CycleId>, path: &str| {
        let of = of.map(|of| of.to_string()).unwrap_or_default();
        [asked.to_owned(), id.to_string(), of, path.to_owned()]
    };
    assert_eq!(
        audit.iter().map(told).collect::<Vec<_>>(),
        [
            expected("undo", undone.cycle.id, Some(second.id), ""),
            expected("restore", restored.cycle.id, Some(undone.cycle.id), "a"),
            expected("resolve", resolved.cycle.id, None, "b"),
            expected("consent", agreed.id, None, ""),
        ]
    );
    let known = link.history(&Recall::last(10)).unwrap();
    let known: Vec<String> = known.iter().map(|past| past.id.to_string()).collect();
    for line in &audit {
        let id = line["cycle"].as_str().unwrap().to_owned();
        assert!(known.contains(&id), "{line} {known:?}");
    }
}
