//! A person decides conflicts, and asks how a place stands.

use mizzen_sync_core::{Ignored, Plan, RuleTexts, Unsyncable};

use super::*;
use crate::apply::{ApplyError, Contents};
use crate::endpoint::{EndpointError, Looked, TakenBack};
use crate::trash::Past;

fn at(path: &str) -> RelPath {
    RelPath::new(path.as_bytes()).unwrap()
}

/// Two sides that differ at `a.txt`, and that have agreed on it before.
fn disputed() -> Fixture {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a.txt", "one\n");
    fixture.write("host/b", "1");
    fixture.once().unwrap();
    fixture.write("host/a.txt", "host\n");
    fixture.write("container/a.txt", "container\n");
    fixture
}

/// Wherever a side has its trash.
fn trash_has(fixture: &Fixture, side: &str, contents: &str) -> bool {
    let places = [
        format!("state/trash-{side}"),
        format!("{side}/.mizzen-tmp-trash"),
    ];
    let mut there = places.iter().filter(|place| fixture.path(place).exists());
    there.any(|place| {
        let trash = fixture.tree(place);
        trash
            .iter()
            .any(|entry| entry.ends_with(&format!("={contents}")))
    })
}

/// Neither side is changed any more.
fn check_calm(fixture: &Fixture) {
    let cycle = fixture.once().unwrap();
    assert!(cycle.is_in_step(), "{cycle:?}");
    for applied in [&cycle.applied.host, &cycle.applied.container] {
        assert!(applied.done.is_empty(), "{cycle:?}");
    }
}

#[test]
fn the_version_that_is_kept_is_on_both_sides_and_the_other_in_the_trash() {
    for (keep, kept, loser, lost) in [
        (Keep::Host, "host\n", "container", "container\n"),
        (Keep::Container, "container\n", "host", "host\n"),
    ] {
        let fixture = disputed();
        let resolved = fixture.link().resolve(&at("a.txt"), keep).unwrap();
        assert_eq!(resolved.cycle.failures().count(), 0, "{resolved:?}");
        assert_eq!(resolved.beside, None);
        fixture.check_same(&[&format!("a.txt={kept}"), "b=1"]);
        assert!(trash_has(&fixture, loser, lost), "{keep}");
        check_calm(&fixture);
    }
}

#[test]
fn both_versions_are_kept_beside_each_other_on_both_sides() {
    let fixture = disputed();
    let resolved = fixture.link().resolve(&at("a.txt"), Keep::Both).unwrap();
    assert_eq!(resolved.cycle.failures().count(), 0, "{resolved:?}");
    let beside = resolved.beside.unwrap().to_string();
    assert!(beside.starts_with("a.conflict-container-") && beside.ends_with("Z.txt"));
    fixture.check_same(&[&format!("{beside}=container\n"), "a.txt=host\n", "b=1"]);
    check_calm(&fixture);
}

#[test]
fn a_folder_is_kept_beside_a_file() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "host");
    fixture.write("container/a/b", "container");
    fixture.write("container/a/c/d", "container");
    let resolved = fixture.link().resolve(&at("a"), Keep::Both).unwrap();
    assert_eq!(resolved.cycle.failures().count(), 0, "{resolved:?}");
    let beside = resolved.beside.unwrap();
    fixture.check_same(&[
        &format!("{beside}/"),
        &format!("{beside}/b=container"),
        &format!("{beside}/c/"),
        &format!("{beside}/c/d=container"),
        "a=host",
    ]);
    check_calm(&fixture);
}

#[test]
fn conflicts_are_told_with_both_versions_and_their_difference() {
    let fixture = disputed();
    let mut link = fixture.link();
    let conflicts = link.conflicts(&Both::everything()).unwrap();
    let [conflict] = &conflicts[..] else {
        panic!("{conflicts:?}")
    };
    assert_eq!(conflict.path, at("a.txt"));
    let sizes = [&conflict.host, &conflict.container]
        .map(|node| node.as_ref().unwrap().as_file().unwrap().size);
    assert_eq!(sizes, [5, 10]);
    let diff = link.diff(conflict).unwrap();
    assert_eq!(diff, "@@ -1 +1 @@\n-host\n+container\n");
    fixture.write("host/a.txt", "other");
    assert_eq!(link.diff(conflict), None, "it is not what was seen");
}

#[test]
fn changes_that_go_together_are_no_conflict() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    for text in ["1\n", "1\n2\n3\n"] {
        fixture.write("host/a", text);
        fixture.once().unwrap();
    }
    fixture.write("host/a", "0\n2\n3\n");
    fixture.write("container/a", "1\n2\n4\n");
    let mut link = fixture.link();
    assert!(link.conflicts(&Both::everything()).unwrap().is_empty());
    assert_eq!(link.why(&at("a")).unwrap(), Standing::Merging);
    let error = link.resolve(&at("a"), Keep::Host).unwrap_err();
    assert!(matches!(error, AskError::NoConflict(_)), "{error}");
}

#[test]
fn a_version_that_holds_what_is_never_carried_does_not_go() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/a", "host");
    fixture.write("container/a/b", "container");
    symlink("/outside", fixture.path("container/a/link")).unwrap();
    // A side that holds such a thing there is a problem as long as the other wants something else in its place.
    let mut link = fixture.link();
    let conflicts = link.conflicts(&Both::everything()).unwrap();
    assert_eq!(conflicts.len(), 1);
    let error = link.resolve(&at("a"), Keep::Host).unwrap_err();
    assert!(matches!(error, AskError::Unsyncable(_, Side::Container)));
    assert!(fixture.path("container/a/b").exists());
}

/// A side on which something happens right before it is changed, or whose disk has another room.
struct Meddled {
    inner: Box<dyn Endpoint>,
    happens: Box<dyn Fn() -> std::io::Result<()> + Send>,
    room: Box<dyn Fn(Option<u64>) -> Option<u64> + Send>,
}

impl Meddled {
    fn meddle(&self) -> Result<(), ApplyError> {
        (self.happens)().map_err(|source| ApplyError {
            path: PathBuf::new(),
            source,
            applied: Box::default(),
        })
    }
}

impl Endpoint for Meddled {
    fn obey(&mut self, rules: &RuleTexts) -> Result<(), EndpointError> {
        self.inner.obey(rules)
    }

    fn rules(
        &mut self,
        profile: Option<&str>,
        anew: bool,
    ) -> Result<Option<RuleTexts>, EndpointError> {
        self.inner.rules(profile, anew)
    }

    fn watch(&mut self, wake: Wake) -> Result<(), EndpointError> {
        self.inner.watch(wake)
    }

    fn look(&mut self, dirty: &Dirty, base: Option<&Node>) -> Result<Looked, EndpointError> {
        self.inner.look(dirty, base)
    }

    fn is_quiet(&self) -> bool {
        self.inner.is_quiet()
    }

    fn room(&self) -> Result<Option<u64>, EndpointError> {
        self.inner.room().map(&self.room)
    }

    fn apply(
        &mut self,
        cycle: CycleId,
        plan: &Plan,
        contents: &dyn Contents,
    ) -> Result<Applied, ApplyError> {
        self.meddle()?;
        self.inner.apply(cycle, plan, contents)
    }

    fn contents(&self) -> Box<dyn Contents + '_> {
        self.inner.contents()
    }

    fn history(&mut self, recall: &Recall) -> Result<Vec<Past>, EndpointError> {
        self.inner.history(recall)
    }

    fn take_back(
        &mut self,
        cycle: CycleId,
        what: &TakeBack,
    ) -> Result<Option<TakenBack>, ApplyError> {
        self.meddle()?;
        self.inner.take_back(cycle, what)
    }

    fn rest(&mut self) {
        self.inner.rest();
    }
}

/// A link to a side of which something happens right before it is changed.
pub(super) fn meddled(
    fixture: &Fixture,
    side: Side,
    happens: impl Fn() -> std::io::Result<()> + Send + 'static,
) -> Link {
    meddled_with_room(fixture, side, happens, |room| room)
}

/// The same, of which the disk says another thing of its room.
pub(super) fn meddled_with_room(
    fixture: &Fixture,
    side: Side,
    happens: impl Fn() -> std::io::Result<()> + Send + 'static,
    room: impl Fn(Option<u64>) -> Option<u64> + Send + 'static,
) -> Link {
    let mut link = fixture.link();
    *link.sides.of(side) = Box::new(Meddled {
        inner: fixture.side(&side.to_string()),
        happens: Box::new(happens),
        room: Box::new(room),
    });
    link
}

#[test]
fn a_version_that_changes_while_it_is_decided_stays_and_is_a_conflict_still() {
    for keep in [Keep::Host, Keep::Both] {
        for changes in ["container", "host"] {
            let fixture = disputed();
            let place = fixture.path(&format!("{changes}/a.txt"));
            let mut link = meddled(&fixture, Side::Container, move || {
                write(&place, "later\n");
                Ok(())
            });
            let resolved = link.resolve(&at("a.txt"), keep).unwrap();
            assert!(resolved.cycle.failures().count() > 0, "{keep} {changes}");
            let read =
                |side: &str| fs::read_to_string(fixture.path(&format!("{side}/a.txt"))).unwrap();
            let expected = match changes {
                "container" => ["host\n", "later\n"],
                _ => ["later\n", "container\n"],
            };
            assert_eq!(["host", "container"].map(read), expected, "{keep}");
            let conflicts = link.conflicts(&Both::everything()).unwrap();
            let paths: Vec<_> = conflicts.into_iter().map(|found| found.path).collect();
            assert_eq!(paths, [at("a.txt")], "{keep} {changes}");
        }
    }
}

#[test]
fn what_was_kept_beside_on_one_side_only_goes_over_later() {
    let fixture = disputed();
    let mut link = meddled(&fixture, Side::Host, || {
        Err(std::io::ErrorKind::StorageFull.into())
    });
    let error = link.resolve(&at("a.txt"), Keep::Both).unwrap_err();
    assert!(matches!(
        error,
        AskError::Cycle(CycleError::Apply(Side::Host, _))
    ));
    assert_eq!(fixture.tree("host"), ["a.txt=host\n", "b=1"]);
    let theirs = fixture.tree("container");
    assert_eq!(theirs.len(), 3, "{theirs:?}");
    assert!(fixture.once().unwrap().is_in_step());
    assert_eq!(fixture.tree("host"), theirs);
    assert_eq!(fixture.tree("container"), theirs);
}

#[test]
fn how_a_place_stands_is_told_with_its_reason() {
    let fixture = disputed();
    fixture.write("host/.gitignore", "out/\n*.log\n");
    fixture.write("host/out/x", "1");
    fixture.write("host/same", "1");
    fixture.write("container/same", "1");
    fixture.write("container/new/x", "1");
    fixture.write("host/.env", "1");
    symlink("/outside", fixture.path("container/link")).unwrap();
    let mut link = fixture.link();
    let rules = RuleSource::new(&fixture.path("host"), None, None).unwrap();
    link.ruled_by(rules).unwrap();
    let mut why = |path: &str| link.why(&at(path)).unwrap();
    assert_eq!(why("a.txt"), Standing::Conflict(at("a.txt")));
    assert_eq!(why("same"), Standing::InStep);
    assert_eq!(why("b"), Standing::InStep);
    assert_eq!(why("new/x"), Standing::Pending(Side::Host));
    assert_eq!(why("none"), Standing::Nowhere);
    assert_eq!(
        why("link"),
        Standing::Problem {
            at: at("link"),
            side: Side::Container,
            why: Unsyncable::LinkOutside
        }
    );
    assert_eq!(
        why(""),
        Standing::Partly {
            conflicts: 1,
            problems: 1,
            pending: 2
        }
    );
    let kept_back = |path: &str, standing| match standing {
        Standing::KeptBack { at, why } => (at.to_string(), why.to_string()),
        other => panic!("{path}: {other:?}"),
    };
    for (path, expected, rule) in [
        ("out/x", "out", "`out/` in .gitignore"),
        ("out", "out", "`out/` in .gitignore"),
        ("none/out", "none/out", "`out/` in .gitignore"),
        ("new/y.log", "new/y.log", "`*.log` in .gitignore"),
        (".git/HEAD", ".git", &Ignored::VersionControl.to_string()),
        (".env", ".env", &Ignored::Secret.to_string()),
    ] {
        let standing = why(path);
        let expected = (expected.to_owned(), rule.to_owned());
        assert_eq!(kept_back(path, standing), expected);
    }
    assert_eq!(why(".mizzen-tmp-x"), Standing::Temporary);
}

#[test]
fn a_place_where_the_last_cycle_did_not_get_further_says_why() {
    let fixture = Fixture::new(Mode::TwoWaySafe);
    fixture.write("host/d/a", "1");
    fixture.once().unwrap();
    fixture.write("host/d/a", "22");
    let place = fixture.path("container/d/a");
    let mut link = meddled(&fixture, Side::Container, move || {
        write(&place, "333");
        Ok(())
    });
    link.cycle(&Both::everything(), false).unwrap();
    assert_eq!(link.why(&at("d/a")).unwrap(), Standing::Conflict(at("d/a")));

    fixture.write("host/d/b", "1");
    let place = fixture.path("container/d/b");
    let mut link = meddled(&fixture, Side::Container, move || {
        fs::create_dir(&place)?;
        symlink("/outside", place.join("link"))
    });
    link.cycle(&Both::everything(), false).unwrap();
    remove(&fixture.path("container/d/b"));
    let Standing::Failed {
        at: place, side, ..
    } = link.why(&at("d/b")).unwrap()
    else {
        panic!("it failed")
    };
    assert_eq!((place, side), (at("d/b"), Side::Container));
}

#[test]
fn what_the_mode_does_not_carry_is_left() {
    let fixture = Fixture::new(Mode::OneWaySafe);
    fixture.write("container/a", "1");
    let mut link = fixture.link();
    assert_eq!(link.why(&at("a")).unwrap(), Standing::Left);
}

#[test]
fn a_plan_of_a_decision_names_what_it_takes_away() {
    let fixture = disputed();
    let mut link = fixture.link();
    link.resolve(&at("a.txt"), Keep::Host).unwrap();
    let changes = |past: &Past| -> Vec<String> {
        past.changes
            .iter()
            .map(|change| change.path.to_string())
            .collect()
    };
    let history = link.history(&Recall::last(1)).unwrap();
    assert_eq!(history[0].sides.host, None);
    assert_eq!(
        changes(history[0].sides.container.as_ref().unwrap()),
        ["a.txt"]
    );
}
