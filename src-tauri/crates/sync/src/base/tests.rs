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
}

#[test]
fn what_a_base_became_and_is_damaged_is_told_and_not_gone_on_from() {
    let (dir, mut store) = saved(2);
    let file = dir.path().join(EDITS[1 - store.next.0]);
    let mut lengths = vec![52];
    for contents in 3..=5 {
        learn(&mut store, contents);
        lengths.push(fs::read(&file).unwrap().len());
    }
    let whole = FILES.map(|file| fs::read(dir.path().join(file)).unwrap());
    let edits = fs::read(&file).unwrap();
    for at in 0..edits.len() {
        let mut damaged = edits.clone();
        damaged[at] ^= 1;
        put(&file, &damaged);
        let opened = open(&dir);
        // The last record may never have been written whole.
        if at >= lengths[2] + 16 {
            assert_eq!(opened.base, Some(of_one(4)), "{at}");
            continue;
        }
        let reasons = opened.set_aside.iter().map(|aside| aside.why.to_string());
        let told = ["another one followed it", "what followed it is damaged"];
        assert_eq!(reasons.collect::<Vec<_>>(), told, "{at}");
        assert_eq!((opened.base, base(&dir)), (None, None), "{at}");
        for (file, bytes) in FILES.iter().zip(&whole) {
            put(&dir.path().join(file), bytes);
        }
    }
    // Room that was made for a record and not filled.
    put(&file, &[&edits[..], &[0; 100]].concat());
    assert_eq!(base(&dir), Some(of_one(5)));
}

#[test]
fn edits_count_for_no_other_base_and_the_one_before_keeps_its_own() {
    let (dir, mut store) = saved(1);
    learn(&mut store, 2);
    store.save(&of_one(3)).unwrap();
    learn(&mut store, 4);
    assert_eq!(base(&dir), Some(of_one(4)));
    // The newest is torn: the one before has become what the newest was made of.
    fs::remove_file(dir.path().join(EDITS[1])).unwrap();
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

/// Both agreed on more than the one before knows: what came back since is no deletion of the other side's.
#[test]
fn a_damaged_base_that_was_gone_on_from_does_not_give_way_to_the_one_before() {
    let whole = |bytes: &[u8]| bytes.len();
    let header = |_: &[u8]| 60;
    for cut in [&whole as &dyn Fn(&[u8]) -> usize, &header] {
        let (dir, mut store) = saved(2);
        learn(&mut store, 3);
        let newest = dir.path().join(FILES[1]);
        let mut bytes = fs::read(&newest).unwrap();
        bytes.truncate(cut(&bytes));
        *bytes.last_mut().unwrap() ^= 1;
        put(&newest, &bytes);
        let opened = open(&dir);
        assert_eq!((&opened.base, opened.set_aside.len()), (&None, 2));
        assert_eq!(base(&dir), None);
        saves_again(opened.store, &dir);
    }
    // But one that is older itself does not matter.
    let (dir, mut store) = saved(1);
    learn(&mut store, 2);
    store.save(&of_one(3)).unwrap();
    let older = dir.path().join(FILES[0]);
    let mut bytes = fs::read(&older).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    put(&older, &bytes);
    let opened = open(&dir);
    assert_eq!((opened.base, opened.set_aside.len()), (Some(of_one(3)), 1));
}

/// Whoever is stopped between the two would find the one that is whole, and nothing that says why not.
#[test]
fn a_base_that_another_one_outdates_is_set_aside_first() {
    for newest in [0, 1] {
        let (dir, _) = saved(3 - newest);
        let path = dir.path().join(FILES[usize::from(newest)]);
        put(&path, &written(9, &LinkId::new([&b"x"[..]]), &of_one(9)));
        let reasons = open(&dir).set_aside;
        let reasons: Vec<_> = reasons.iter().map(|aside| aside.why.to_string()).collect();
        let told = [
            "another one followed it",
            "it belongs to another pair of folders",
        ];
        assert_eq!(reasons, told);
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
