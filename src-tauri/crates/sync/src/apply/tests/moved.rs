//! Directories that only get another name.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mizzen_sync_core::Node;
use proptest::prelude::*;

use super::*;

/// Two sides with the same files of the same age, of which one then gave a directory another name.
fn pair(sketch: &str, from: &str, to: &str) -> (Side, Side) {
    let (here, there) = (Side::new(sketch), Side::new(sketch));
    here.age();
    there.age();
    rename(&there, from, to);
    (here, there)
}

#[expect(clippy::disallowed_methods, reason = "people move without care")]
fn rename(side: &Side, from: &str, to: &str) {
    fs::create_dir_all(side.path(to).parent().unwrap()).unwrap();
    fs::rename(side.path(from), side.path(to)).unwrap();
}

/// How often the disk is changed while one becomes like the other.
fn changes(here: &mut Side, there: &Side) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    here.tap = Tap::new(move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    here.follow(there).unwrap();
    here.tap = Tap::none();
    count.load(Ordering::Relaxed)
}

fn many(files: usize) -> String {
    let files = (0..files).map(|number| format!("old/d{}/{number}={number}", number % 7));
    files.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_directory_is_renamed_in_as_few_steps_however_much_is_in_it() {
    let [few, lots] = [10, 200].map(|files| {
        let (mut here, there) = pair(&many(files), "old", "new");
        let inode = fs::metadata(here.path("old/d3/3")).unwrap().ino();
        let changes = changes(&mut here, &there);
        assert_eq!(here.words(), there.words());
        assert_eq!(fs::metadata(here.path("new/d3/3")).unwrap().ino(), inode);
        assert_eq!(here.tidy(), Leftovers::default());
        changes
    });
    assert_eq!(few, lots);
    assert!(lots < 10, "{lots}");
}

#[test]
fn directories_that_look_alike_come_to_their_own_places() {
    let all = (0..30).map(|number| format!("old{number}/LICENSE=same old{number}/own={number}"));
    let sketch = all.collect::<Vec<_>>().join(" ");
    let (here, there) = (Side::new(&sketch), Side::new(&sketch));
    here.age();
    there.age();
    for number in 0..30 {
        rename(&there, &format!("old{number}"), &format!("new{number}"));
    }
    let inode = |path: String| fs::metadata(here.path(&path)).unwrap().ino();
    let before: Vec<u64> = (0..30)
        .map(|number| inode(format!("old{number}")))
        .collect();
    here.follow(&there).unwrap();
    assert_eq!(here.words(), there.words());
    let inode = |path: String| fs::metadata(here.path(&path)).unwrap().ino();
    let after: Vec<u64> = (0..30)
        .map(|number| inode(format!("new{number}")))
        .collect();
    assert_eq!(before, after);
}

#[test]
fn what_was_moved_is_not_read_again() {
    let (here, there) = pair(&many(20), "old", "new");
    let before = here.scan();
    let plan = decide(&there.scan(), &before).container;
    let applied = here.apply_from(&plan, &before, &there).unwrap();
    assert_eq!(applied.reused, 20);
    let texts = RuleTexts::default();
    let options = ScanOptions {
        rules: &Rules::new(&texts).unwrap(),
        size_max: u64::MAX,
        links: Links::Portable,
        look_for_secrets: false,
        now: here.now,
        made: &applied.made,
        agreed: None,
    };
    let dirty = applied.done.iter().map(|edit| &edit.path).collect();
    let found = scan(&here.root(), &options, Some(&before), &dirty).unwrap();
    assert_eq!(found.hashed, 0);
    assert_eq!(found.scan.tree(), there.scan().tree());
}

#[test]
fn what_is_not_synced_in_it_stays_where_it_was() {
    let (here, there) = pair(&many(5), "old", "new");
    here.put("old/ignored=i");
    let applied = here.follow(&there).unwrap();
    assert_eq!(applied.failed.len(), 1, "{applied:?}");
    assert_eq!(
        here.words()[..4],
        ["new/", "new/d0/", "new/d0/0=0", "new/d1/"]
    );
    assert!(here.path("old/ignored").exists());
    assert!(!here.path("old/d1").exists());
}

#[test]
fn what_is_edited_in_the_last_moment_goes_back_with_its_directory() {
    for op in [Op::RenameNew, Op::Sync] {
        let (mut here, there) = pair(&many(5), "old", "new");
        here.options.durability = Durability::Data;
        let edited = here.path("old/d1/1");
        here.tap = Tap::new(move |found, _| {
            if found == op && edited.exists() {
                write(&edited, b"edited");
            }
            Ok(())
        });
        let applied = here.follow(&there).unwrap();
        here.tap = Tap::none();
        let failed: Vec<_> = applied
            .failed
            .iter()
            .map(|it| it.path.to_string())
            .collect();
        assert_eq!(failed, ["old", "new"], "{applied:?}");
        assert!(
            applied
                .failed
                .iter()
                .all(|it| matches!(it.why, Why::ChangedHere))
        );
        assert!(applied.done.is_empty());
        assert_eq!(fs::read(here.path("old/d1/1")).unwrap(), b"edited");
        assert!(!here.path("new").exists());
        assert_eq!(here.tidy(), Leftovers::default());
    }
}

#[test]
fn what_has_taken_the_new_name_stays_there() {
    let (mut here, there) = pair(&many(5), "old", "new");
    let (old, new) = (here.path("old"), here.path("new"));
    here.tap = Tap::new(move |op, _| {
        if op == Op::RenameNew && !old.exists() {
            let _ = fs::create_dir(&new);
        }
        Ok(())
    });
    let applied = here.follow(&there).unwrap();
    here.tap = Tap::none();
    assert_eq!(applied.failed.len(), 2, "{applied:?}");
    assert!(here.path("old/d1/1").exists());
    assert_eq!(fs::read_dir(here.path("new")).unwrap().count(), 0);
    assert_eq!(here.tidy(), Leftovers::default());
}

/// Lower layers, quotas.
#[test]
fn where_directories_cannot_be_moved_their_entries_are() {
    let (mut here, there) = pair(&many(5), "old", "new");
    here.tap = Tap::new(
        move |op, name| match op == Op::RenameNew && name == b"old" {
            true => Err(ErrorKind::CrossesDevices.into()),
            false => Ok(()),
        },
    );
    let applied = here.follow(&there).unwrap();
    assert!(applied.moves_nothing_whole);
    assert!(applied.done.is_empty());
    assert!(here.path("old/d1/1").exists());
    here.options.moves_whole = false;
    here.follow(&there).unwrap();
    assert_eq!(here.words(), there.words());
}

#[test]
fn a_link_that_would_lead_out_from_the_new_place_is_not_moved_along() {
    let here = Side::new("a/b/old/f=1 a/b/old/l->../../../f f=2");
    here.age();
    let before = here.scan();
    let tree = before.tree();
    let at = |path: &str| RelPath::new(path.as_bytes()).unwrap();
    let old = tree.get(&at("a/b/old")).cloned();
    let changes = vec![
        mizzen_sync_core::Change {
            path: at("a/b/old"),
            old: old.clone(),
            new: None,
        },
        mizzen_sync_core::Change {
            path: at("new"),
            old: None,
            new: old,
        },
    ];
    let applied = here.apply_from(&Plan { changes }, &before, &here).unwrap();
    assert!(!here.path("new/l").exists(), "{applied:?}");
    assert!(here.path("new/f").exists());
}

#[test]
fn a_rename_is_taken_back_and_the_trash_keeps_nothing_of_it() {
    let (mut here, there) = pair(&many(8), "old", "new");
    let was = here.words();
    let inode = fs::metadata(here.path("old/d3/3")).unwrap().ino();
    let id = here.follow(&there).unwrap().cycle.unwrap();
    let past = here
        .trash()
        .history(&crate::trash::Recall::last(1))
        .unwrap();
    assert_eq!((past[0].places, past[0].files), (2, 0));
    let undo = here.trash().undo(id, &here.scan()).unwrap().unwrap();
    assert!(undo.refused.is_empty());
    here.options.cycle = CycleId(2_000);
    let contents = here.trash().contents(id).unwrap();
    let trash = here.trash();
    let applied = apply(
        &here.root(),
        &undo.plan,
        &here.scan(),
        &contents,
        &trash,
        &here.options,
    );
    assert_eq!(applied.unwrap().failed.len(), 0);
    assert_eq!(here.words(), was);
    assert_eq!(fs::metadata(here.path("old/d3/3")).unwrap().ino(), inode);
}

/// A directory's files, of which some are the same.
fn files() -> impl Strategy<Value = Vec<(usize, u8)>> {
    proptest::collection::vec((0..6_usize, 0..4_u8), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn it_comes_to_what_it_comes_to_file_by_file(
        dirs in proptest::collection::vec(files(), 1..4),
        renames in proptest::collection::vec((0..5_usize, 0..5_usize), 1..4),
        edits in proptest::collection::vec((0..5_usize, 0..6_usize, 4..6_u8), 0..3),
    ) {
        const NAMES: [&str; 6] = ["a", "b", "s/a", "s/b", "t", "s/t/c"];
        const FILES: [&str; 6] = ["1", "2", "i/1", "i/2", "i/j/3", "run"];
        let new = || {
            let side = Side::new("s/keep=0");
            for (dir, files) in dirs.iter().enumerate() {
                for (file, text) in files {
                    side.put(&format!("{}/{}={text}", NAMES[dir], FILES[*file]));
                }
            }
            side.age();
            side
        };
        let (there, mut whole, mut single) = (new(), new(), new());
        for (from, to) in &renames {
            let (from, to) = (NAMES[*from], NAMES[*to]);
            let is_inside = Path::new(to).starts_with(from) || Path::new(from).starts_with(to);
            if there.path(from).is_dir() && !there.path(to).exists() && !is_inside {
                rename(&there, from, to);
            }
        }
        for (dir, file, text) in &edits {
            if there.path(NAMES[*dir]).is_dir() && !there.path(NAMES[*dir]).join(FILES[*file]).exists() {
                there.put(&format!("{}/{}={text}", NAMES[*dir], FILES[*file]));
            }
        }
        let mut came = [(&mut whole, true), (&mut single, false)].map(|(side, moves_whole)| {
            side.options.moves_whole = moves_whole;
            let before = side.scan().tree();
            let applied = side.follow(&there).unwrap();
            assert!(applied.failed.is_empty(), "{applied:?}");
            let mut done = applied.done;
            done.sort_by(|one, two| one.path.cmp(&two.path));
            assert_eq!(side.tidy(), Leftovers::default());
            (Node::overlaid(Some(&before), &done), side.scan().tree(), applied.reused + applied.files)
        });
        prop_assert_eq!(&came[0].0, &came[1].0);
        prop_assert_eq!(&came[0].1, &came[1].1);
        let all = there.scan().tree();
        prop_assert!(came[0].1.same(&all));
        let [(_, _, one), (_, _, other)] = &mut came;
        prop_assert_eq!(one, other);
    }
}
