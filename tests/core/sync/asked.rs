//! What a person asks of a session's workspace.

use std::fs;

use mizzen_core::view::SyncState;
use mizzen_tests::rig::{Mizzen, until};
use serde_json::{Value, json};

use super::{flush, inside, is, synced, write};

/// The lines of an answer, each a value.
fn lines(mizzen: &Mizzen, words: &[&str]) -> (i32, Vec<Value>) {
    let said = mizzen.run(&[&["sync"], words, &["--json"]].concat());
    let value = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {said:?}"));
    (said.code, said.stdout.lines().map(value).collect())
}

fn only(mizzen: &Mizzen, words: &[&str]) -> Value {
    let (code, mut values) = lines(mizzen, words);
    assert_eq!((code, values.len()), (0, 1), "{words:?}: {values:?}");
    values.remove(0)
}

#[tokio::test]
async fn a_conflict_is_shown_decided_and_taken_back() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let client = synced(&mizzen, &folder).await;
    assert_eq!(
        only(&mizzen, &["why", "./hello.txt", "web"])["standing"],
        "in step"
    );
    mizzen.json(&["sync", "pause", "web"]);
    write(&folder, "hello.txt", "from here\n");
    inside(&mizzen, "echo from there > /workspace/hello.txt");
    mizzen.json(&["sync", "resume", "web"]);
    until(&client, "in conflict", is(SyncState::Conflicts)).await;

    let (code, conflicts) = lines(&mizzen, &["conflicts", "web"]);
    assert_eq!((code, conflicts.len()), (1, 1));
    assert_eq!(conflicts[0]["path"], "hello.txt");
    let diff = conflicts[0]["diff"].as_str().unwrap();
    assert!(diff.contains("-from here\n+from there"), "{diff}");
    let shown = mizzen.run(&["sync", "conflicts", "web"]).stdout;
    assert!(shown.contains("  host  file, 10 B"), "{shown}");

    let resolved = only(
        &mizzen,
        &["resolve", "hello.txt", "--keep", "container", "web"],
    );
    let cycle = resolved["resolved"]["cycle"].as_str().unwrap().to_owned();
    assert_eq!(fs::read(folder.join("hello.txt")).unwrap(), b"from there\n");
    until(&client, "in step", is(SyncState::InStep)).await;

    let (_, history) = lines(&mizzen, &["history", "web"]);
    assert_eq!(history[0]["cycle"], cycle);
    assert_eq!(history[0]["host"]["changes"][0]["path"], "hello.txt");
    only(&mizzen, &["undo", &cycle, "web"]);
    assert_eq!(fs::read(folder.join("hello.txt")).unwrap(), b"from here\n");
    until(&client, "in conflict again", is(SyncState::Conflicts)).await;
}

#[tokio::test]
async fn a_plan_says_what_would_be_carried_and_carries_nothing() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let client = synced(&mizzen, &folder).await;
    mizzen.json(&["sync", "pause", "web"]);
    write(&folder, "new", "here");
    inside(&mizzen, "echo there > /workspace/hello.txt");
    let (code, mut steps) = lines(&mizzen, &["plan", "web"]);
    steps.sort_by_key(|step| step["event"].to_string());
    let expected = json!([
        {"event": "create", "path": "new", "side": "container"},
        {"event": "replace", "path": "hello.txt", "side": "host"},
    ]);
    assert_eq!((code, Value::from(steps)), (0, expected));
    let unchanged = fs::read(folder.join("hello.txt")).unwrap();
    assert_eq!(unchanged, b"hello\n", "nothing was carried");
    mizzen.json(&["sync", "resume", "web"]);
    until(&client, "in step", is(SyncState::InStep)).await;
    let said = mizzen.run(&["sync", "plan", "web"]);
    assert_eq!(said.stdout, "In step: nothing to do.\n");
}

#[tokio::test]
async fn what_was_deleted_in_the_container_comes_back() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    for name in ["a", "b", "c"] {
        write(&folder, name, name);
    }
    let client = synced(&mizzen, &folder).await;
    inside(&mizzen, "rm /workspace/b");
    flush(&client).await;
    assert!(!folder.join("b").exists());
    only(&mizzen, &["restore", "b", "web"]);
    flush(&client).await;
    assert_eq!(fs::read(folder.join("b")).unwrap(), b"b");
    assert_eq!(inside(&mizzen, "cat /workspace/b"), "b");
}

#[tokio::test]
async fn what_cannot_be_asked_is_explained() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let _client = synced(&mizzen, &folder).await;
    for (words, code, expected) in [
        (
            &["resolve", "hello.txt", "--keep", "host", "web"][..],
            5,
            "no conflict at hello.txt",
        ),
        (
            &["undo", "20260102T030405.000000006Z", "web"],
            5,
            "is known",
        ),
        (
            &["why", "../outside", "web"],
            2,
            "no place of the workspace",
        ),
        (&["history", "nobody"], 5, "nobody"),
        (&["conflicts", "web", "--no-fsync"], 2, "mizzen.toml"),
    ] {
        let said = mizzen.run(&[&["sync"], words].concat());
        assert_eq!(said.code, code, "{words:?}: {said:?}");
        assert!(said.stderr.contains(expected), "{words:?}: {said:?}");
    }
}
