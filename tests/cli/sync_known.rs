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
