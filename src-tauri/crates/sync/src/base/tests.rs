use std::fs;
use std::path::Path;

use tempfile::TempDir;

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
        let bytes = generation::write(number, &link(), &new);
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

#[test]
fn what_cannot_be_used_is_set_aside_and_named() {
    let newer = |bytes: &[u8]| [&bytes[..12], &[9, 0, 0, 0], &bytes[16..]].concat();
    let damaged = |bytes: &[u8]| [&bytes[..bytes.len() - 1], &[!bytes[bytes.len() - 1]]].concat();
    let cut = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let foreign = |bytes: &[u8]| {
        let other = LinkId::new([&b"elsewhere"[..]]);
        let found = generation::write(9, &other, &of_one(9));
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
