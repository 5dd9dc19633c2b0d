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

fn words(pair: &Pair, side: &str) -> String {
    pair.words(side).join(" ")
}

/// The files that hold what both agreed on.
fn bases(pair: &Pair) -> Vec<PathBuf> {
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
            } else if matches!(&*name, "base.0" | "base.1") {
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
