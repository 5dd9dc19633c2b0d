//! The trash looks back.

use std::time::Duration;

use super::*;
use crate::trash::{CycleId, Past, Recall, Retention, Undo, Was};

const BEFORE: &str = "a=1 run=22 gone/x=333 gone/y->x kind/z=4444 moved/m=55555 same=0";
const AFTER: &str = "a=9 run=22* new/x=88 kind=777 away/m=55555 same=0";

/// A side that was like [`BEFORE`] and is like [`AFTER`], and what the trash calls that.
fn followed() -> (Side, CycleId) {
    let (here, there) = (Side::new(BEFORE), Side::new(AFTER));
    here.age();
    there.age();
    let applied = here.follow(&there).unwrap();
    (here, applied.cycle.unwrap())
}

fn carry_out(side: &mut Side, undo: &Undo) -> Applied {
    side.options.cycle.0 += 1;
    let contents = side.trash().contents(undo.id).unwrap();
    let (root, before, trash) = (side.root(), side.scan(), side.trash());
    apply(&root, &undo.plan, &before, &contents, &trash, &side.options).unwrap()
}

fn sketch(words: &str) -> Vec<String> {
    Side::new(words).words()
}

#[test]
fn a_clock_that_was_set_back_gives_no_name_twice() {
    let (here, first) = followed();
    let there = Side::new("a=other");
    there.age();
    let second = here.follow(&there).unwrap().cycle.unwrap();
    assert_eq!(second, first.next());
    let told = here.trash().history(&Recall::last(10)).unwrap();
    assert_eq!(
        told.iter().map(|past| past.id).collect::<Vec<_>>(),
        [second, first]
    );
}

#[test]
fn history_tells_what_was_done() {
    let (here, id) = followed();
    let history = here.trash().history(&Recall::last(10)).unwrap();
    let [
        Past {
            changes,
            files,
            bytes,
            places: 7,
            id: told,
        },
    ] = &history[..]
    else {
        panic!("{history:?}")
    };
    assert_eq!((*told, id), (id, CycleId(1_000)));
    let told = |was| -> Vec<String> {
        let told = changes.iter().filter(|change| change.was == was);
        told.map(|change| change.path.to_string()).collect()
    };
    assert_eq!(told(Was::Created), ["away", "new"]);
    assert_eq!(told(Was::Replaced), ["a", "kind", "run"]);
    assert_eq!(told(Was::Removed), ["gone", "moved"]);
    assert_eq!(
        (*files, *bytes),
        (4, 1 + 2 + 3 + 4),
        "what moved is no trash"
    );
}

#[test]
fn a_cycle_is_taken_back_and_that_too() {
    let (mut here, id) = followed();
    let undo = here.trash().undo(id, &here.scan()).unwrap().unwrap();
    assert_eq!(undo.refused, []);
    let undone = carry_out(&mut here, &undo);
    assert!(undone.failed.is_empty(), "{undone:?}");
    assert_eq!(here.words(), sketch(BEFORE));
    let redo = here
        .trash()
        .undo(undone.cycle.unwrap(), &here.scan())
        .unwrap()
        .unwrap();
    assert!(carry_out(&mut here, &redo).failed.is_empty());
    assert_eq!(here.words(), sketch(AFTER));
    let again = here.trash().undo(redo.id, &here.scan()).unwrap().unwrap();
    assert!(again.plan.is_empty());
    assert_eq!(again.refused, []);
}

#[test]
fn what_has_changed_since_is_not_taken_back() {
    let (mut here, id) = followed();
    for word in ["a=edited", "new/y=edited", "gone=edited"] {
        here.put(word);
    }
    fs::remove_file(here.path("kind")).unwrap();
    let undo = here.trash().undo(id, &here.scan()).unwrap().unwrap();
    let refused: Vec<_> = undo.refused.iter().map(ToString::to_string).collect();
    assert_eq!(refused, ["gone", "a", "new", "new/y"], "{undo:?}");
    assert!(carry_out(&mut here, &undo).failed.is_empty());
    assert_eq!(
        here.words(),
        sketch("a=edited gone=edited kind/z=4444 moved/m=55555 new/y=edited run=22 same=0")
    );
}

#[test]
fn a_place_is_restored_as_it_was_last_or_before() {
    let mut here = Side::new("d/a=1");
    for words in ["d/a=22", "d/a=333", "x=1"] {
        here.options.cycle.0 += 1;
        here.follow(&Side::new(words)).unwrap();
    }
    let path = RelPath::new(b"d/a").unwrap();
    let of = |path: &RelPath| Recall {
        of: Some(path.clone()),
        ..Recall::last(10)
    };
    let history = here.trash().history(&of(&path)).unwrap();
    let ids: Vec<CycleId> = history.iter().map(|past| past.id).collect();
    assert_eq!(ids, [1_003, 1_002, 1_001].map(CycleId));
    for (id, words) in [(ids[0], "d/a=333 x=1"), (ids[2], "d/a=1 x=1")] {
        let restore = here.trash().restore(&path, id, &here.scan());
        let restore = restore.unwrap().unwrap();
        assert!(carry_out(&mut here, &restore).failed.is_empty());
        assert_eq!(here.words(), sketch(words));
    }
    let nowhere = RelPath::new(b"nowhere").unwrap();
    let restore = here.trash().restore(&nowhere, ids[0], &here.scan());
    assert_eq!(restore.unwrap(), None);
    assert_eq!(here.trash().history(&of(&nowhere)).unwrap(), []);
}

#[test]
fn history_is_told_page_by_page() {
    let mut here = Side::new("a=1");
    for words in ["a=22", "a=333", "a=4444"] {
        here.options.cycle.0 += 1;
        here.follow(&Side::new(words)).unwrap();
    }
    let page = |before, most| {
        let recall = Recall {
            before,
            ..Recall::last(most)
        };
        let history = here.trash().history(&recall).unwrap();
        history.iter().map(|past| past.id.0).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 2), [1_003, 1_002]);
    assert_eq!(page(Some(CycleId(1_002)), 2), [1_001]);
    assert_eq!(page(Some(CycleId(1_001)), 2), [0; 0]);
}

#[test]
fn a_cycle_that_is_not_known_is_none_and_one_that_is_damaged_an_error_that_names_it() {
    let (here, id) = followed();
    let never = CycleId(7);
    assert_eq!(here.trash().undo(never, &here.scan()).unwrap(), None);
    assert!(here.trash().contents(never).is_err());
    write(
        &here.trash_path().join(id.to_string()).join("plan"),
        b"not what was written",
    );
    let error = here.trash().undo(id, &here.scan()).unwrap_err();
    assert!(error.to_string().contains(&id.to_string()), "{error}");
    let history = here.trash().history(&Recall::last(1)).unwrap();
    assert_eq!(history[0].changes, []);
}

#[test]
fn what_is_too_old_or_too_much_goes() {
    let mut here = Side::new("");
    for size in [1, 10, 100, 2] {
        here.options.cycle.0 += 100;
        here.follow(&Side::new(&format!("a={}", "x".repeat(size))))
            .unwrap();
    }
    here.options.cycle.0 += 100;
    here.follow(&Side::new("")).unwrap();
    let keep = |age, bytes| {
        let age = Duration::from_nanos(age);
        here.trash()
            .prune(&Retention { age, bytes }, 1_500)
            .unwrap();
        let history = here.trash().history(&Recall::last(10)).unwrap();
        history.iter().map(|past| past.bytes).collect::<Vec<_>>()
    };
    assert_eq!(keep(1_000, 1_000), [2, 100, 10, 1, 0]);
    assert_eq!(keep(300, 1_000), [2, 100, 10, 1]);
    assert_eq!(
        keep(300, 50),
        [2, 10, 1],
        "what is too much by itself makes no room for others"
    );
    assert_eq!(keep(200, 50), [2, 10]);
    assert_eq!(keep(200, 0), [] as [u64; 0]);
}
