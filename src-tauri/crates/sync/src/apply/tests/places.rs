//! Places that are not what they were when the plan was made, and names and depths that nobody expects.

use super::*;

/// A row: what both sides hold, what somebody does on this side in between, and what is there then, with the places
/// that failed. Outside of the root lies `outside/file=0`.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Side),
    &'static str,
    &'static str,
);

fn remove(side: &Side, name: &str) {
    fs::remove_file(side.path(name)).unwrap();
}

const ROWS: &[Row] = &[
    (
        "a file was edited",
        "a=1",
        "a=22",
        |side| side.put("a=333"),
        "a=333",
        "a",
    ),
    (
        "a file that goes was edited",
        "a=1",
        "",
        |side| side.put("a=333"),
        "a=333",
        "a",
    ),
    (
        "a file went",
        "a=1 b=1",
        "a=22",
        |side| remove(side, "a"),
        "",
        "a",
    ),
    (
        "a file that goes went",
        "a=1",
        "",
        |side| remove(side, "a"),
        "",
        "a",
    ),
    (
        "a file became executable",
        "a=1",
        "a=22",
        |side| side.put("a=1*"),
        "a=1*",
        "a",
    ),
    (
        "a file became a link",
        "a=1",
        "a=22",
        |side| {
            remove(side, "a");
            side.put("a->b");
        },
        "a->b",
        "a",
    ),
    (
        "a file became a directory",
        "a=1",
        "",
        |side| {
            remove(side, "a");
            side.put("a/");
        },
        "a/",
        "a",
    ),
    (
        "a link leads elsewhere",
        "a->b",
        "a=22",
        |side| {
            remove(side, "a");
            side.put("a->c");
        },
        "a->c",
        "a",
    ),
    (
        "something came",
        "",
        "a=22",
        |side| side.put("a=1"),
        "a=1",
        "a",
    ),
    (
        "a directory came",
        "",
        "a/b=22",
        |side| side.put("a/"),
        "a/",
        "a",
    ),
    (
        "a directory got more",
        "d/a=1",
        "d=22",
        |side| side.put("d/b=1"),
        "d/ d/a=1 d/b=1",
        "d",
    ),
    (
        "a directory that goes got more",
        "d/a=1",
        "",
        |side| side.put("d/b=1"),
        "d/ d/b=1",
        "d",
    ),
    (
        "deep in it",
        "d/e/a=1 d/e/c=1",
        "",
        |side| side.put("d/e/a=22"),
        "d/ d/e/ d/e/a=22",
        "d/e/a",
    ),
    (
        "it holds what is ignored",
        "d/a=1 d/ignored=1",
        "",
        |_| {},
        "d/ d/ignored=1",
        "d",
    ),
    (
        "it holds what is ignored and would be a file",
        "d/a=1 d/ignored=1",
        "d=22",
        |_| {},
        "d/ d/a=1 d/ignored=1",
        "d",
    ),
    (
        "all else goes on",
        "a=1 b=1 c=1",
        "a=22 b=22",
        |side| side.put("a=333"),
        "a=333 b=22",
        "a",
    ),
    (
        "a directory became a link",
        "d/a=1",
        "d/a=22 d/b=1",
        swap,
        "d->../outside",
        "d/a d/b",
    ),
    (
        "and would lose a file",
        "d/a=1",
        "d/",
        swap,
        "d->../outside",
        "d/a",
    ),
    (
        "a directory is somewhere else",
        "d/a=1",
        "d/a=22 d/b=1",
        |side| move_dir(side, "d", "e"),
        "e/ e/a=1",
        "d/a d/b",
    ),
];

/// Puts a link that leads out of the root in the place of a directory.
fn swap(side: &Side) {
    move_dir(side, "d", "../was");
    side.put("d->../outside");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the side that moves without care"
)]
fn move_dir(side: &Side, from: &str, to: &str) {
    fs::rename(side.path(from), side.path(to)).unwrap();
}

#[test]
fn what_is_not_as_it_was_seen_stays_and_is_told() {
    for (name, before, after, deed, expected, failed) in ROWS {
        let (here, there) = (Side::new(before), Side::new(after));
        here.age();
        here.put("../outside/a=0");
        let seen = here.scan();
        let plan = decide(&there.scan(), &seen).container;
        deed(&here);
        let held = here.all_contents();
        let applied = here.apply_from(&plan, &seen, &there).unwrap();
        assert_eq!(here.words().join(" "), *expected, "{name}");
        let told: Vec<_> = applied
            .failed
            .iter()
            .map(|failure| failure.path.to_string())
            .collect();
        assert_eq!(told.join(" "), *failed, "{name}: {applied:?}");
        assert!(here.all_contents().is_superset(&held), "{name}");
        assert_eq!(fs::read(here.path("../outside/a")).unwrap(), b"0", "{name}");
        assert_eq!(
            fs::read_dir(here.path("../outside")).unwrap().count(),
            1,
            "{name}"
        );
        assert_eq!(here.tidy(), Leftovers::default(), "{name}");
    }
}

#[test]
fn contents_that_changed_there_come_the_next_time() {
    let here = Side::new("a=1");
    let there = Side::new("a=22 d/b=22 d/c=333 e=22 f=333 grown=22");
    let before = here.scan();
    let plan = decide(&there.scan(), &before).container;
    for word in ["a=44", "d/b=4", "e=4444", "grown=2244"] {
        there.put(word);
    }
    fs::remove_file(there.path("f")).unwrap();
    let applied = here.apply_from(&plan, &before, &there).unwrap();
    assert_eq!(here.words(), ["a=1", "d/", "d/c=333", "grown=22"]);
    let failed = applied.failed.iter();
    let mut told: Vec<_> = failed.map(|failure| failure.path.to_string()).collect();
    told.sort();
    assert_eq!(told, ["a", "d/b", "e", "f"]);
    let changed = |failure: &Failure| matches!(failure.why, Why::ChangedThere);
    assert!(applied.failed.iter().all(changed), "{applied:?}");
    assert!(here.follow(&there).unwrap().failed.is_empty());
    assert_eq!(here.words(), there.words());
}

#[test]
fn names_are_bytes_and_directories_lie_deep() {
    use std::ffi::OsStr;
    let (here, there) = (Side::new(""), Side::new(""));
    let name = OsStr::from_bytes(b"\xff\n \x1b[31m");
    write(&there.path("").join(name).join(name), b"1");
    write(&there.path(&"n".repeat(255)), b"1");
    write(&there.path(&format!("{}file", "d/".repeat(190))), b"1");
    assert!(here.follow(&there).unwrap().failed.is_empty());
    assert_eq!(here.words(), there.words());
    assert!(here.follow(&Side::new("")).unwrap().failed.is_empty());
    assert!(here.words().is_empty());
}

#[test]
fn links_that_lead_out_are_not_made_whoever_asks_for_them() {
    let there = Side::new("");
    let before = there.scan();
    let edits = [
        ("d/in", "../a"),
        ("d/out", "../../a"),
        ("d/etc", "/etc"),
        ("out", ".."),
    ];
    let edits = edits.map(|(path, target)| Edit {
        path: RelPath::new(path.as_bytes()).unwrap(),
        entry: Some(mizzen_sync_core::Node::Link(target.as_bytes().into())),
    });
    let lie = mizzen_sync_core::Node::replaced(None, &edits).unwrap();
    let plan = reconcile(None, Some(&lie), Some(&before.tree()), Mode::OneWayReplica).container;
    for (links, expected) in [
        (Links::Ignore, "d/"),
        (Links::Portable, "d/ d/in->../a"),
        (
            Links::Posix,
            "d/ d/etc->/etc d/in->../a d/out->../../a out->..",
        ),
    ] {
        let mut here = Side::new("");
        here.options.links = links;
        here.apply_from(&plan, &here.scan(), &there).unwrap();
        assert_eq!(here.words().join(" "), expected);
    }
}

#[test]
fn a_plan_that_nobody_should_make_does_nothing() {
    use mizzen_sync_core::{Change, Node};
    let (here, there) = (Side::new("a=1"), Side::new(""));
    let before = here.scan();
    let path = |text: &str| RelPath::new(text.as_bytes()).unwrap();
    let problem = Node::Unsyncable(Unsyncable::Special);
    for (at, old, new) in [
        ("", None, Some(Node::empty_dir())),
        ("", Some(before.tree()), None),
        ("a", None, None),
        ("a", None, Some(problem.clone())),
        ("b", None, Some(problem.clone())),
        ("b", Some(problem), None),
        ("a/b", None, Some(Node::empty_dir())),
        ("a", Some(Node::empty_dir()), None),
        ("b", Some(Node::empty_dir()), None),
    ] {
        let changes = vec![Change {
            path: path(at),
            old,
            new,
        }];
        let applied = here.apply_from(&Plan { changes }, &before, &there).unwrap();
        assert!(applied.done.is_empty(), "{applied:?}");
        assert_eq!(here.words(), ["a=1"]);
    }
}
