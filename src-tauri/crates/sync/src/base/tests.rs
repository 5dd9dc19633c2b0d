use std::fs;
use std::path::Path;

use tempfile::TempDir;

use mizzen_sync_core::RelPath;

use super::generation::written;
use super::*;
use crate::sample::of_one;

fn link() -> LinkId {
    LinkId::new([&b"a"[..], b"b"])
}

fn open(dir: &TempDir) -> Opened {
    BaseStore::open(dir.path(), link()).unwrap()
}

/// The base that is found, without anything set aside.
fn base(dir: &TempDir) -> Option<Node> {
    let opened = open(dir);
    assert!(opened.set_aside.is_empty(), "{opened:?}");
    opened.base
}

fn names(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(dir.path()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[expect(clippy::disallowed_methods, reason = "what a fault leaves")]
fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

/// A store in which so many bases were saved: of file `1`, of file `2`, and so on.
fn saved(count: u8) -> (TempDir, BaseStore) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir).store;
    for contents in 1..=count {
        store.save(&of_one(contents)).unwrap();
    }
    (dir, store)
}

#[test]
fn the_last_base_is_found_and_the_one_before_is_kept() {
    let (dir, mut store) = saved(0);
    assert_eq!(base(&dir), None);
    for contents in 1..=5 {
        store.save(&of_one(contents)).unwrap();
        assert_eq!(base(&dir), Some(of_one(contents)));
    }
    let mut again = open(&dir).store;
    again.save(&of_one(6)).unwrap();
    assert_eq!(base(&dir), Some(of_one(6)));
    assert_eq!(names(&dir), FILES);
}

fn saves_again(mut store: BaseStore, dir: &TempDir) {
    store.save(&of_one(100)).unwrap();
    assert_eq!(base(dir), Some(of_one(100)));
}

/// What is on the disk when a save ends at one of its steps is a temporary file of any length, or a file that has taken
/// the place of the oldest; of this one any length, when the machine ended.
#[test]
fn wherever_a_save_ends_a_base_is_found() {
    for count in 1..=3 {
        let (old, new) = (of_one(count), of_one(count + 1));
        let (dir, store) = saved(count);
        let (turn, number) = store.next;
        let oldest = dir.path().join(FILES[turn]);
        let before = fs::read(&oldest).ok();
        let bytes = written(number, &link(), &new);
        for end in 0..=bytes.len() {
            if let Some(before) = &before {
                put(&oldest, before);
            }
            let temporary = format!(".{}.x1.tmp", FILES[turn]);
            put(&dir.path().join(temporary), &bytes[..end]);
            assert_eq!(base(&dir), Some(old.clone()), "temporary, {end}");
            assert!(!names(&dir).iter().any(|name| name.ends_with(".tmp")));
            put(&oldest, &bytes[..end]);
            let opened = open(&dir);
            let whole = end == bytes.len();
            let expected = if whole { &new } else { &old };
            assert_eq!(opened.base.as_ref(), Some(expected), "in place, {end}");
            assert_eq!(opened.set_aside.is_empty(), whole);
            for aside in opened.set_aside {
                fs::remove_file(aside.file).unwrap();
            }
        }
        saves_again(store, &dir);
    }
}

#[test]
fn a_save_that_fails_leaves_the_last_base() {
    let (dir, mut store) = saved(2);
    let turn = store.next.0;
    fs::remove_file(dir.path().join(FILES[turn])).unwrap();
    fs::create_dir(dir.path().join(FILES[turn])).unwrap();
    let error = store.save(&of_one(3)).unwrap_err();
    assert!(error.to_string().contains(FILES[turn]), "{error}");
    fs::remove_dir(dir.path().join(FILES[turn])).unwrap();
    assert_eq!(base(&dir), Some(of_one(2)));
    store.save(&of_one(4)).unwrap();
    assert_eq!(base(&dir), Some(of_one(4)));
}

/// The edit that makes the base of one number out of that of another.
fn edit(contents: u8) -> Vec<Edit> {
    let path = RelPath::new(b"a").unwrap();
    let entry = of_one(contents).get(&path).cloned();
    vec![Edit { path, entry }]
}

fn learn(store: &mut BaseStore, contents: u8) {
    let base = of_one(contents);
    store.learn(&edit(contents), Some(&base)).unwrap();
}

#[test]
fn what_a_base_became_is_found_wherever_an_append_ended() {
    let (dir, mut store) = saved(2);
    let file = dir.path().join(EDITS[1 - store.next.0]);
    let mut lengths = Vec::new();
    for contents in 3..=5 {
        learn(&mut store, contents);
        assert_eq!(base(&dir), Some(of_one(contents)));
        lengths.push(fs::read(&file).unwrap().len());
    }
    assert_eq!(names(&dir).len(), 3, "none was written anew");
    let whole = fs::read(&file).unwrap();
    for end in 0..=whole.len() {
        put(&file, &whole[..end]);
        let records = lengths.iter().filter(|length| **length <= end).count();
        let expected = 2 + u8::try_from(records).unwrap();
        let mut opened = open(&dir);
        assert_eq!(opened.base, Some(of_one(expected)), "{end}");
        let (generation, next) = (
            fs::read(dir.path().join("base.1")).unwrap(),
            opened.store.next,
        );
        learn(&mut opened.store, 50);
        learn(&mut opened.store, 51);
        assert_eq!(base(&dir), Some(of_one(51)), "{end}");
        // As it was before.
        let last = dir.path().join(FILES[next.0]);
        put(&last, &written(next.1 - 2, &link(), &of_one(1)));
        put(&dir.path().join("base.1"), &generation);
        let _not_there = fs::remove_file(dir.path().join(EDITS[next.0]));
    }
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        put(&file, &damaged);
        let records = lengths.iter().filter(|length| **length <= at).count();
        let records = if at < lengths[0] { 0 } else { records };
        let expected = 2 + u8::try_from(records).unwrap();
        assert_eq!(base(&dir), Some(of_one(expected)), "{at}");
    }
}

#[test]
fn edits_count_for_no_other_base_and_the_one_before_keeps_its_own() {
    let (dir, mut store) = saved(1);
    learn(&mut store, 2);
    store.save(&of_one(3)).unwrap();
    learn(&mut store, 4);
    assert_eq!(base(&dir), Some(of_one(4)));
    // The newest is damaged: the one before has become what the newest was made of.
    let newest = dir.path().join(FILES[1]);
    put(&newest, b"nothing");
    let mut opened = open(&dir);
    assert_eq!(
        (&opened.base, opened.set_aside.len()),
        (&Some(of_one(2)), 1)
    );
    learn(&mut opened.store, 5);
    assert_eq!(base(&dir), Some(of_one(5)));
    // A base that begins anew does not become what another one became that bore its number.
    let edits = fs::read(dir.path().join(EDITS[0])).unwrap();
    for file in names(&dir) {
        fs::remove_file(dir.path().join(file)).unwrap();
    }
    open(&dir).store.save(&of_one(7)).unwrap();
    put(&dir.path().join(EDITS[0]), &edits);
    assert_eq!(base(&dir), Some(of_one(7)));
    let mut store = open(&dir).store;
    learn(&mut store, 8);
    assert_eq!(base(&dir), Some(of_one(8)));
}

#[test]
fn after_a_failure_and_after_many_edits_a_base_is_written_whole() {
    let (dir, mut store) = saved(1);
    let edits = dir.path().join(EDITS[0]);
    fs::create_dir(&edits).unwrap();
    store.learn(&edit(2), Some(&of_one(2))).unwrap_err();
    assert_eq!(store.next.0, 1);
    learn(&mut store, 3);
    assert_eq!((store.next.0, base_at(&dir, 1)), (0, Some(of_one(3))));
    fs::remove_dir(&edits).unwrap();
    let mut longest = 0;
    while store.next.0 == 0 {
        learn(&mut store, 4);
        longest = longest.max(dir.path().join(EDITS[1]).metadata().unwrap().len());
    }
    assert!((FEW / 2..FEW + 100).contains(&longest), "{longest}");
    assert_eq!(base_at(&dir, 0), Some(of_one(4)));
}

/// What a file holds, without what it became.
fn base_at(dir: &TempDir, turn: usize) -> Option<Node> {
    let found = generation::load(&dir.path().join(FILES[turn]), &link());
    Some(found.unwrap()?.unwrap().base().unwrap())
}

#[test]
fn what_cannot_be_used_is_set_aside_and_named() {
    let newer = |bytes: &[u8]| [&bytes[..12], &[9, 0, 0, 0], &bytes[16..]].concat();
    let damaged = |bytes: &[u8]| [&bytes[..bytes.len() - 1], &[!bytes[bytes.len() - 1]]].concat();
    let cut = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let foreign = |bytes: &[u8]| {
        let other = LinkId::new([&b"elsewhere"[..]]);
        let found = written(9, &other, &of_one(9));
        assert_ne!(found, bytes);
        found
    };
    let same = |bytes: &[u8]| bytes.to_vec();
    type Fault<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;
    // What becomes of the older file and of the newer; the base that is found; why files are set aside.
    let rows: [(Fault<'_>, Fault<'_>, Option<u8>, &[&str]); 8] = [
        (&same, &damaged, Some(1), &["it is damaged"]),
        (&same, &cut, Some(1), &["it is cut off"]),
        (&damaged, &same, Some(2), &["it is damaged"]),
        (&cut, &damaged, None, &["it is cut off", "it is damaged"]),
        (
            &same,
            &newer,
            None,
            &[
                "another one followed it",
                "a newer version of Mizzen wrote it (format 9)",
            ],
        ),
        (
            &same,
            &foreign,
            None,
            &[
                "another one followed it",
                "it belongs to another pair of folders",
            ],
        ),
        (
            &foreign,
            &foreign,
            None,
            &["it belongs to another pair of folders"; 2],
        ),
        (
            &cut,
            &newer,
            None,
            &[
                "it is cut off",
                "a newer version of Mizzen wrote it (format 9)",
            ],
        ),
    ];
    for (number, (older, last, expected, reasons)) in rows.into_iter().enumerate() {
        let (dir, _) = saved(2);
        let mut before = Vec::new();
        for (file, fault) in FILES.iter().zip([older, last]) {
            let path = dir.path().join(file);
            let bytes = fault(&fs::read(&path).unwrap());
            put(&path, &bytes);
            before.push(bytes);
        }
        let opened = open(&dir);
        assert_eq!(opened.base, expected.map(of_one), "{number}");
        let said: Vec<_> = opened
            .set_aside
            .iter()
            .map(|aside| aside.why.to_string())
            .collect();
        assert_eq!(said, reasons, "{number}");
        for aside in &opened.set_aside {
            let kept = fs::read(&aside.file).unwrap();
            assert!(before.contains(&kept), "{number}: nothing is lost");
        }
        assert_eq!(
            base(&dir),
            expected.map(of_one),
            "{number}: and the next time"
        );
        saves_again(opened.store, &dir);
    }
}

#[test]
fn what_was_set_aside_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    for contents in ["one", "two", "three"] {
        put(&dir.path().join(FILES[0]), contents.as_bytes());
        assert_eq!(open(&dir).set_aside.len(), 1);
    }
    let kept = names(&dir).len();
    assert_eq!(kept, 3);
}

#[test]
fn the_parts_of_a_link_are_told_apart() {
    let id = |parts: &[&str]| LinkId::new(parts.iter().map(|part| part.as_bytes()));
    assert_eq!(id(&["a", "b"]), id(&["a", "b"]));
    assert_ne!(id(&["a", "b"]), id(&["b", "a"]));
    assert_ne!(id(&["ab", ""]), id(&["a", "b"]));
}
