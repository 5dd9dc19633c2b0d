//! Somebody writes at the worst moment.

use std::io::{Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// What a writer does, and to which file.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// Writes over it.
    InPlace,
    /// Puts another file in its place.
    Instead,
}

/// Long enough to be told from all else by its length alone.
const EDIT: &[u8] = b"somebody's edit";

#[expect(
    clippy::disallowed_methods,
    reason = "the side that writes without care"
)]
fn edit(path: &Path, deed: Deed) -> bool {
    match deed {
        Deed::InPlace => fs::write(path, EDIT).is_ok(),
        Deed::Instead => {
            let aside = path.with_file_name("aside");
            fs::write(&aside, EDIT).is_ok()
                && (fs::rename(&aside, path).is_ok() || fs::remove_file(&aside).is_err())
        }
    }
}

#[test]
fn whenever_somebody_writes_it_is_kept() {
    let files = ["file", "gone/a", "moved", "kind/x", "fresh", "elsewhere"];
    for (file, deed) in files
        .into_iter()
        .flat_map(|file| [(file, Deed::InPlace), (file, Deed::Instead)])
    {
        for moment in 0.. {
            let mut here = Side::new("file=old1 gone/a=old2 moved=old3 kind/x=old4");
            let there = Side::new("file=new1 elsewhere=old3 kind=new2 fresh=new3");
            here.age();
            there.age();
            let mut held = here.all_contents();
            let path = here.path(file);
            let count = Arc::new(AtomicUsize::new(0));
            let (counted, written) = (count.clone(), Arc::new(AtomicUsize::new(0)));
            let wrote = written.clone();
            here.tap = Tap::new(move |_, _| {
                if counted.fetch_add(1, Ordering::Relaxed) == moment && edit(&path, deed) {
                    wrote.store(1, Ordering::Relaxed);
                }
                Ok(())
            });
            let before = here.scan();
            let plan = decide(&there.scan(), &before).container;
            let over = fs::read(here.path(file)).ok();
            here.apply_from(&plan, &before, &there).unwrap();
            here.tap = Tap::none();
            let leftovers = here.tidy();
            assert_eq!(leftovers, Leftovers::default(), "{file} at {moment}");
            if written.load(Ordering::Relaxed) == 1 {
                held.insert(EDIT.to_vec());
                // The writer wrote over this.
                held.remove(&over.unwrap_or_default());
                if file == "moved" || file == "elsewhere" {
                    held.remove(&b"old3"[..]);
                }
            }
            let holds = here.all_contents();
            assert!(
                holds.is_superset(&held),
                "{file} {deed:?} at {moment}: {holds:?}"
            );
            if count.load(Ordering::Relaxed) <= moment {
                assert!(moment > 20, "only {moment} changes");
                break;
            }
        }
    }
}

/// Runs with somebody who acts before the first change of a kind at a name that begins so.
fn with_somebody(
    op: Op,
    name: &'static str,
    (here, there): (&str, &str),
    deed: impl Fn(&Path) + Send + Sync + 'static,
) -> (Side, Applied) {
    let (mut here, there) = (Side::new(here), Side::new(there));
    here.age();
    // Nothing that was seen is surely settled.
    here.now = || 0;
    let root = here.path("");
    let acted = Arc::new(AtomicUsize::new(0));
    let acts = acted.clone();
    here.tap = Tap::new(move |found, at| {
        let is_it = found == op && at.starts_with(name.as_bytes());
        if is_it && acts.fetch_add(1, Ordering::Relaxed) == 0 {
            deed(&root);
        }
        Ok(())
    });
    let applied = here.follow(&there).unwrap();
    assert!(acted.load(Ordering::Relaxed) > 0, "there is such a moment");
    here.tap = Tap::none();
    (here, applied)
}

fn before_the(
    op: Op,
    name: &'static str,
    sides: (&str, &str),
    deed: impl Fn(&Path) + Send + Sync + 'static,
) -> Side {
    let (here, applied) = with_somebody(op, name, sides, deed);
    assert_eq!(applied.failed.len(), 1, "{applied:?}");
    here
}

#[test]
fn what_was_written_last_stays_in_its_place() {
    let in_place =
        |name: &'static str| move |root: &Path| assert!(edit(&root.join(name), Deed::InPlace));
    let instead =
        |name: &'static str| move |root: &Path| assert!(edit(&root.join(name), Deed::Instead));
    let edited = "a=somebody\\'s edit";
    let side = before_the(Op::Exchange, "a", ("a=1", "a=22"), in_place("a"));
    assert_eq!(side.words(), [edited]);
    let side = before_the(Op::Exchange, "a", ("a=1", "a=22"), instead("a"));
    assert_eq!(side.words(), [edited]);
    let side = before_the(Op::RenameNew, "a", ("a=1", ""), in_place("a"));
    assert_eq!(side.words(), [edited]);
    let side = before_the(Op::RenameNew, "a", ("a=1", ""), instead("a"));
    assert_eq!(side.words(), [edited]);
    let side = before_the(Op::RenameNew, "d", ("d/a=1 d/b=1", ""), in_place("d/a"));
    assert_eq!(side.words(), ["d/", "d/a=somebody\\'s edit"]);
    let side = before_the(Op::RenameNew, "d", ("d/a=1", ""), in_place("d/new"));
    assert_eq!(side.words(), ["d/", "d/new=somebody\\'s edit"]);
    let side = before_the(Op::Exchange, "d", ("d/a=1", "d=22"), in_place("d/new"));
    assert_eq!(side.words(), ["d/", "d/a=1", "d/new=somebody\\'s edit"]);
}

#[test]
fn a_file_that_is_edited_while_it_moves_does_not_move() {
    for deed in [Deed::InPlace, Deed::Instead] {
        let (mut here, there) = (Side::new("old/a=1 old/b=22"), Side::new("new/a=1 new/b=22"));
        here.options.moves_whole = false;
        here.age();
        there.age();
        let edited = here.path("old/a");
        let path = edited.clone();
        here.tap = Tap::new(move |op, at| {
            if op == Op::RenameNew && at == b"old" {
                assert!(edit(&path, deed));
            }
            Ok(())
        });
        let applied = here.follow(&there).unwrap();
        assert_eq!(applied.failed.len(), 2, "{applied:?}");
        assert_eq!(
            here.words(),
            ["new/", "new/b=22", "old/", "old/a=somebody\\'s edit"]
        );
        assert_eq!(edited.metadata().unwrap().nlink(), 1);
    }
}

/// The times and the size of a file say nothing then.
#[test]
fn an_edit_without_a_trace_is_found_by_the_contents() {
    let without_a_trace = |root: &Path| {
        let path = root.join("a");
        let file = fs::File::options().write(true).open(&path).unwrap();
        let times = file.metadata().unwrap().modified().unwrap();
        assert!((&file).write_all(b"9").is_ok());
        file.set_modified(times).unwrap();
    };
    let side = before_the(Op::Exchange, "a", ("a=1", "a=22"), without_a_trace);
    assert_eq!(side.words(), ["a=9"]);
    let side = before_the(Op::RenameNew, "a", ("a=1", ""), without_a_trace);
    assert_eq!(side.words(), ["a=9"]);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the side that moves without care"
)]
#[test]
fn a_directory_that_moves_away_meanwhile_takes_nothing_out_of_the_root() {
    let out = |root: &Path| {
        fs::create_dir(root.join("../outside")).unwrap();
        fs::rename(root.join("d"), root.join("e")).unwrap();
        symlink("../outside", root.join("d")).unwrap();
    };
    let early = "d->../outside e/ e/a=1";
    for (op, there, words) in [
        (Op::CreateFile, "d/a=1 d/b=1", early),
        (Op::CreateFile, "d/a=22", early),
        (Op::CreateDir, "d/a=1 d/b/c=1", early),
        (Op::CreateLink, "d/a=1 d/b->a", early),
        (Op::RenameNew, "d/a=1 d/b=1", "d->../outside e/ e/a=1 e/b=1"),
        (Op::Exchange, "d/a=22", "d->../outside e/ e/a=22"),
    ] {
        let name = if op == Op::Exchange {
            "a"
        } else {
            ".mizzen-tmp"
        };
        let (side, _) = with_somebody(op, name, ("d/a=1", there), out);
        side.tidy();
        assert_eq!(side.words().join(" "), words, "{op:?} {there}");
        assert_eq!(fs::read_dir(side.path("../outside")).unwrap().count(), 0);
    }
}

/// Puts a link that leads out of the root in the place of a directory, or the directory back.
#[expect(
    clippy::disallowed_methods,
    reason = "the side that moves without care"
)]
fn swap(root: &Path) {
    let (dir, aside) = (root.join("d"), root.join("../aside"));
    if aside.exists() {
        fs::remove_file(&dir).unwrap();
        fs::rename(&aside, &dir).unwrap();
    } else if fs::rename(&dir, &aside).is_ok() {
        symlink("../outside", &dir).unwrap();
    }
}

/// As one side may do that the other has no reason to trust: what lies outside is called as what is written.
#[test]
fn whenever_a_directory_becomes_a_link_nothing_outside_is_read_or_written() {
    const OUTSIDE: &str =
        "a=secret gone=secret x/b=secret moved/c=secret kind=secret new=secret y/z=secret";
    for goes_on in [false, true] {
        for moment in 0.. {
            let mut here = Side::new("d/a=1 d/gone=2 d/x/b=3 d/moved/c=4 d/kind=5 d/e/f=6");
            let there = Side::new("d/a=11 d/x/b=33 d/new=7 d/y/z=8 d/other/c=4 d/kind/k=9 d/l->a");
            for word in OUTSIDE.split(' ') {
                here.put(&format!("../outside/{word}"));
            }
            here.age();
            there.age();
            let before = Side::new(OUTSIDE).words();
            let held = here.all_contents();
            let (root, count) = (here.path(""), Arc::new(AtomicUsize::new(0)));
            let counted = count.clone();
            here.tap = Tap::new(move |_, _| {
                let now = counted.fetch_add(1, Ordering::Relaxed);
                if now == moment || goes_on && now > moment {
                    swap(&root);
                }
                Ok(())
            });
            // It may be told that this does not go, or be left with nowhere to go.
            let _ = here.follow(&there);
            here.tap = Tap::none();
            if here.path("../aside").exists() {
                swap(&here.path(""));
            }
            here.tidy();
            let mut outside = Vec::new();
            tell(&here.path("../outside"), "", &mut outside);
            assert_eq!(outside, before, "{goes_on} {moment}");
            let inside = [here.path(""), here.trash_path()].map(|path| {
                let mut found = BTreeSet::new();
                contents(&path, &mut found);
                found.contains(&b"secret"[..])
            });
            assert_eq!(inside, [false, false], "{goes_on} {moment}");
            assert!(here.all_contents().is_superset(&held), "{goes_on} {moment}");
            assert!(here.follow(&there).unwrap().failed.is_empty());
            assert_eq!(here.words(), there.words(), "{goes_on} {moment}");
            if count.load(Ordering::Relaxed) <= moment {
                assert!(moment > 20, "only {moment} changes");
                break;
            }
        }
    }
}

#[test]
fn a_directory_that_became_a_link_there_hands_over_nothing_from_outside() {
    let (here, there) = (Side::new("d/a=1"), Side::new("d/a=222222 d/b=333333"));
    for word in ["a=secret", "b=secret"] {
        there.put(&format!("../outside/{word}"));
    }
    let before = here.scan();
    let plan = decide(&there.scan(), &before).container;
    swap(&there.path(""));
    let applied = here.apply_from(&plan, &before, &there).unwrap();
    assert_eq!(here.words(), ["d/", "d/a=1"]);
    let changed = |failure: &Failure| matches!(failure.why, Why::ChangedThere);
    assert!(applied.failed.len() == 2 && applied.failed.iter().all(changed));
}

#[test]
fn what_is_written_through_an_open_file_is_in_the_trash() {
    let (mut here, there) = (Side::new("a=1 b=1"), Side::new("a=22"));
    here.age();
    let open = |name: &str| {
        fs::File::options()
            .write(true)
            .open(here.path(name))
            .unwrap()
    };
    let files = std::sync::Mutex::new([open("a"), open("b")]);
    here.follow(&there).unwrap();
    for file in files.lock().unwrap().iter_mut() {
        file.rewind().unwrap();
        file.write_all(EDIT).unwrap();
    }
    here.tap = Tap::none();
    assert_eq!(here.words(), ["a=22"]);
    let mut trash = BTreeSet::new();
    contents(&here.trash_path(), &mut trash);
    assert!(trash.contains(EDIT));
}
