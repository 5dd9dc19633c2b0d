//! What both sides had agreed on cannot be used any more: then nothing is deleted, and it is said.

use std::fs;
use std::path::{Path, PathBuf};

use crate::pair::{Pair, remove, write};

/// What happens to a file that holds it, and what is said then.
type Row = (&'static str, fn(&Path, &Path), &'static str);

const ROWS: [Row; 5] = [
    (
        "a flipped bit",
        |base, _| change(base, |bytes| bytes[100] ^= 1),
        "it is damaged",
    ),
    (
        "an early end",
        |base, _| change(base, |bytes| bytes.truncate(bytes.len() / 2)),
        "it is cut off",
    ),
    (
        "nothing in it",
        |base, _| change(base, Vec::clear),
        "it is cut off",
    ),
    (
        "another pair's",
        |base, other| put(base, &fs::read(other).expect("a base")),
        "belongs to another pair",
    ),
    (
        "a newer version's",
        |base, _| change(base, |bytes| bytes[12] = 9),
        "a newer version of Mizzen wrote it",
    ),
];

#[test]
fn without_a_base_that_can_be_used_nothing_is_deleted_and_what_differs_is_a_conflict() {
    let other = Pair::new();
    other.put("a/x=1");
    assert_eq!(other.once().code, 0);
    for (what, damage, told) in ROWS {
        let pair = Pair::new();
        pair.put("a/goes=1 a/edited=3 a/same=4");
        pair.put("a/comes=5");
        assert_eq!(pair.once().code, 0);
        pair.put("a/goes- b/comes- a/edited=33 b/edited=333");
        for base in bases(&pair) {
            damage(&base, &bases(&other)[0]);
        }
        let said = pair.once();
        assert_eq!(said.code, 1, "{what}: {said:?}");
        assert!(said.stderr.contains(told), "{what}: {said:?}");
        assert!(
            said.stderr.contains("Nothing is deleted this time"),
            "{what}: {said:?}"
        );
        let sides = ["33", "333"].map(|edited| format!("comes=5 edited={edited} goes=1 same=4"));
        assert_eq!(["a", "b"].map(|side| words(&pair, side)), sides, "{what}");
        // It was kept, and from here on both know again what they agree on.
        pair.put("a/goes- b/edited- b/edited=33");
        let said = pair.once();
        assert_eq!((said.code, &*said.stderr), (0, ""), "{what}");
        let both = "comes=5 edited=33 same=4";
        assert_eq!(
            ["a", "b"].map(|side| words(&pair, side)),
            [both, both],
            "{what}"
        );
    }
}

/// What becomes of all that holds the base: it is gone, ends early, or is what it was some time ago.
const LOSSES: [&str; 3] = ["gone", "torn", "old"];

fn lose(pair: &Pair, how: &str, old: &[(PathBuf, Vec<u8>)]) {
    for base in all_of_base(pair) {
        match how {
            "torn" => change(&base, |bytes| bytes.truncate(bytes.len() / 2)),
            _ => remove(&base),
        }
    }
    for (path, bytes) in old.iter().filter(|_| how == "old") {
        put(path, bytes);
    }
}

/// Two sides that have agreed twice, and the base of the first time.
fn agreed_twice() -> (Pair, Vec<(PathBuf, Vec<u8>)>) {
    let pair = Pair::new();
    pair.put("a/edited=1 a/goes=2 a/left=3 a/kept/x=4 a/kept/y=5 a/kept/z=6");
    assert_eq!(pair.once().code, 0);
    let old = all_of_base(&pair).into_iter().map(|path| {
        let bytes = fs::read(&path).expect("a base");
        (path, bytes)
    });
    let old = old.collect();
    pair.put("a/edited=11 b/new=7 a/goes-");
    assert_eq!(pair.once().code, 0);
    (pair, old)
}

#[test]
fn whatever_became_of_the_base_no_content_of_either_side_is_lost() {
    for how in LOSSES {
        let (pair, old) = agreed_twice();
        pair.put("a/edited=111 b/edited=1111 a/new- b/left- b/kept/x=44 a/goes=2");
        let held = pair.written();
        lose(&pair, how, &old);
        let said = pair.once();
        assert_eq!(said.code, 1, "{how}: {said:?}");
        assert!(
            said.stdout.contains("conflict    edited"),
            "{how}: {said:?}"
        );
        let edited =
            ["a", "b"].map(|side| fs::read_to_string(pair.path(side).join("edited")).unwrap());
        assert_eq!(edited, ["111", "1111"], "{how}");
        assert!(
            pair.path("a/new").exists() && pair.path("b/new").exists(),
            "{how}"
        );
        let lost: Vec<_> = held.difference(&pair.kept()).cloned().collect();
        assert!(lost.is_empty(), "{how}: {lost:?}");
        // A person decides, and both are in step as ever.
        for path in ["edited", "kept/x"] {
            let decided = pair.ask(&["resolve", path, "--keep", "host"]);
            assert!(matches!(decided.code, 0 | 5), "{how}: {decided:?}");
        }
        let said = pair.once();
        assert_eq!((said.code, &*said.stderr), (0, ""), "{how}: {said:?}");
        assert_eq!(words(&pair, "a"), words(&pair, "b"), "{how}");
    }
}

#[test]
fn whatever_became_of_the_base_no_empty_side_empties_the_other() {
    for how in LOSSES {
        for side in ["a", "b"] {
            let (pair, old) = agreed_twice();
            let full = pair.words("a");
            for name in ["edited", "left", "kept", "new"] {
                remove(&pair.path(side).join(name));
            }
            lose(&pair, how, &old);
            let said = pair.once();
            // What it knows of makes it ask; where it knows of nothing it fills the empty side.
            let (code, left) = if how == "old" {
                (3, Vec::new())
            } else {
                (0, full.clone())
            };
            assert_eq!(said.code, code, "{how} {side}: {said:?}");
            let other = if side == "a" { "b" } else { "a" };
            assert_eq!(pair.words(other), full, "{how} {side}");
            assert_eq!(pair.words(side), left, "{how} {side}");
        }
    }
}

fn words(pair: &Pair, side: &str) -> String {
    pair.words(side).join(" ")
}

/// The files that hold what both agreed on.
fn bases(pair: &Pair) -> Vec<PathBuf> {
    held_in(pair, |name| matches!(name, "base.0" | "base.1"))
}

/// The same with what was learnt since.
fn all_of_base(pair: &Pair) -> Vec<PathBuf> {
    held_in(pair, |name| name.starts_with("base."))
}

fn held_in(pair: &Pair, is_one: fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut places = vec![pair.path("home")];
    while let Some(place) = places.pop() {
        for entry in fs::read_dir(&place).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                places.push(path);
            } else if is_one(&name) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "there is a base");
    found
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("a base");
    change(&mut bytes);
    put(path, &bytes);
}

fn put(path: &Path, bytes: &[u8]) {
    remove(path);
    write(path, bytes);
}
