//! What is remembered of folders that were joined: listed, and forgotten.

use std::fs;
use std::path::Path;

use mizzen_tests::rig::{Mizzen, Said};
use serde_json::Value;

fn sync(mizzen: &Mizzen, words: &[&str], folders: &[&Path]) -> Said {
    let mut command = mizzen.command(["sync"]);
    command.args(words).args(folders);
    command.output().expect("mizzen runs").into()
}

fn listed(mizzen: &Mizzen) -> Vec<Value> {
    let said = sync(mizzen, &["links", "--json"], &[]);
    assert_eq!(said.code, 0, "{said:?}");
    let lines = said.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn folders_that_are_gone_are_listed_and_forgotten_unless_their_trash_is_wanted() {
    let mizzen = Mizzen::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| mizzen.project(name));
    assert_eq!(
        sync(&mizzen, &["links"], &[]).stdout,
        "No folders were joined yet.\n"
    );
    for other in [&b, &c] {
        assert_eq!(sync(&mizzen, &["--once"], &[&a, other]).code, 0);
    }
    fs::remove_file(a.join("hello.txt")).unwrap();
    mizzen_fsx::write_atomic(a.join("other.txt"), b"other").unwrap();
    assert_eq!(sync(&mizzen, &["--once", "--force"], &[&a, &b]).code, 0);

    let links = listed(&mizzen);
    assert_eq!(links.len(), 2);
    let of = |folder: &Path| {
        let text = folder.to_str().unwrap();
        let mut links = links.iter().filter(|link| link["b"] == text);
        links
            .next()
            .unwrap_or_else(|| panic!("{text}: {links:?}", links = listed(&mizzen)))
    };
    assert_eq!(of(&b)["a"], a.to_str().unwrap());
    assert!(of(&b)["trash_until"].is_string() && of(&c)["trash_until"].is_null());
    assert!(of(&b)["bytes"].as_u64() > Some(0) && of(&b)["in_use"] == false);

    // Nothing is in the way of one whose folder is gone.
    fs::remove_file(c.join("hello.txt")).unwrap();
    fs::remove_dir(&c).unwrap();
    let said = sync(&mizzen, &["forget"], &[&a, &c]);
    assert_eq!(said.code, 0, "{said:?}");
    let said = sync(&mizzen, &["forget", "--json"], &[&a, &c]);
    assert_eq!((said.code, &said.error()["code"]), (5, &"not_found".into()));

    let said = sync(&mizzen, &["forget", "--json"], &[&a, &b]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(
        said.stderr.contains("can be brought back until 20"),
        "{said:?}"
    );
    let id = of(&b)["link"].as_str().unwrap().to_owned();
    let said = sync(&mizzen, &["forget", "--force", &id[..8]], &[]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(listed(&mizzen), [Value::Null; 0]);

    // When they meet again, nothing is deleted.
    fs::remove_file(b.join("other.txt")).unwrap();
    assert_eq!(sync(&mizzen, &["--once"], &[&a, &b]).code, 0);
    assert!(a.join("other.txt").exists() && b.join("other.txt").exists());
}

#[test]
fn folders_that_are_both_gone_and_were_not_joined_for_long_are_forgotten_by_themselves() {
    let mizzen = Mizzen::new();
    let [a, b, c, kept, other] = ["a", "b", "c", "kept", "other"].map(|name| mizzen.project(name));
    for [one, two] in [[&a, &b], [&a, &c], [&kept, &c], [&kept, &a]] {
        assert_eq!(sync(&mizzen, &["--once"], &[one, two]).code, 0);
    }
    // The trash of these keeps something.
    mizzen_fsx::write_atomic(a.join("hello.txt"), b"changed").unwrap();
    assert_eq!(sync(&mizzen, &["--once"], &[&a, &c]).code, 0);
    let of = |one: &Path, two: &Path| {
        let links = listed(&mizzen);
        let is_it = |link: &&Value| {
            link["a"] == one.to_str().unwrap() && link["b"] == two.to_str().unwrap()
        };
        Some(
            links.iter().find(is_it)?["link"]
                .as_str()
                .unwrap()
                .to_owned(),
        )
    };
    let age = |link: String| {
        let lock = mizzen.dirs().state.join("sync").join(link).join("lock");
        let lock = fs::File::open(lock).unwrap();
        let taken = lock.metadata().unwrap().modified().unwrap();
        let long = std::time::Duration::from_secs(31 * 24 * 60 * 60);
        lock.set_modified(taken - long).unwrap();
    };
    for [one, two] in [[&a, &b], [&a, &c], [&kept, &c]] {
        age(of(one, two).unwrap());
    }
    for gone in [&a, &b, &c] {
        fs::remove_file(gone.join("hello.txt")).unwrap();
        fs::remove_dir(gone).unwrap();
    }
    assert_eq!(sync(&mizzen, &["--once"], &[&kept, &other]).code, 0);
    assert_eq!(of(&a, &b), None);
    for (what, one, two) in [
        ("its trash keeps something", &a, &c),
        ("one of the two is there", &kept, &c),
        ("it was joined lately", &kept, &a),
    ] {
        assert!(of(one, two).is_some(), "{what}");
    }
}
