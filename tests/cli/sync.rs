//! Two folders kept in step, without a session and without a core.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mizzen_tests::rig::{Mizzen, Said};
use serde_json::Value;

struct Pair {
    mizzen: Mizzen,
    a: PathBuf,
    b: PathBuf,
}

impl Pair {
    fn new() -> Self {
        let mizzen = Mizzen::new();
        let (a, b) = (mizzen.project("a"), mizzen.project("b"));
        Self { mizzen, a, b }
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = self.mizzen.command(["sync"]);
        command.arg(&self.a).arg(&self.b).args(more);
        command
    }

    fn sync(&self, more: &[&str]) -> Said {
        self.command(more).output().expect("mizzen runs").into()
    }

    /// The last line of a run that came to its end.
    fn summary(&self, more: &[&str]) -> (i32, Value) {
        let said = self.sync(&[more, &["--once", "--json"]].concat());
        let last = said.stdout.lines().last().unwrap_or_default();
        let line: Value = serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {said:?}"));
        (said.code, line["summary"].clone())
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    mizzen_fsx::write_atomic(path, text.as_bytes()).expect("a file");
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| format!("{}: {error}", path.display()))
}

#[test]
fn two_folders_come_in_step_and_stay_so() {
    let pair = Pair::new();
    write(&pair.a.join("below/one"), "1");
    write(&pair.b.join("two"), "22");
    let (code, summary) = pair.summary(&[]);
    assert_eq!(code, 0);
    // hello.txt is in both already.
    assert_eq!(
        (&summary["transferred_files"], &summary["transferred_bytes"]),
        (&2.into(), &3.into())
    );
    assert_eq!(read(&pair.b.join("below/one")), "1");
    assert_eq!(read(&pair.a.join("two")), "22");
    let (code, summary) = pair.summary(&[]);
    assert_eq!((code, &summary["transferred_files"]), (0, &0.into()));
    assert_eq!(
        pair.sync(&["--dry-run"]).stdout,
        "In step: nothing to do.\n"
    );
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let pair = Pair::new();
    write(&pair.a.join("below/one"), "1");
    let said = pair.sync(&["--dry-run"]);
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (0, "create  B  below\ncreate  B  below/one\n")
    );
    assert!(!pair.b.join("below").exists());
}

#[test]
fn what_both_changed_is_left_and_said() {
    let pair = Pair::new();
    pair.summary(&[]);
    write(&pair.a.join("hello.txt"), "a");
    write(&pair.b.join("hello.txt"), "b");
    let said = pair.sync(&["--once"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(
        said.stdout
            .contains("conflict    hello.txt  changed on both sides"),
        "{said:?}"
    );
    assert_eq!(
        (
            read(&pair.a.join("hello.txt")),
            read(&pair.b.join("hello.txt"))
        ),
        ("a".to_owned(), "b".to_owned())
    );
    let (code, _) = pair.summary(&["--mode", "two-way-host-wins"]);
    assert_eq!((code, read(&pair.b.join("hello.txt"))), (0, "a".to_owned()));
}

#[test]
fn an_emptied_folder_empties_the_other_only_when_somebody_agrees() {
    let pair = Pair::new();
    pair.summary(&[]);
    fs::remove_file(pair.b.join("hello.txt")).unwrap();
    let said = pair.sync(&["--once", "--json"]);
    assert_eq!(
        (said.code, &said.error()["code"]),
        (3, &"needs_person".into())
    );
    assert!(pair.a.join("hello.txt").exists());
    let (code, summary) = pair.summary(&["--force"]);
    assert_eq!((code, &summary["deleted"]), (0, &1.into()));
    assert!(!pair.a.join("hello.txt").exists());
}

#[test]
fn folders_that_cannot_be_joined_are_named() {
    let pair = Pair::new();
    let refused = |b: &Path| -> Said {
        let mut command = pair.mizzen.command(["sync", "--once"]);
        command.arg(&pair.a).arg(b).output().unwrap().into()
    };
    let inner = pair.a.join("inner");
    fs::create_dir(&inner).unwrap();
    for (b, why) in [
        (pair.a.join("none"), "No such file or directory"),
        (inner, "are not two folders apart"),
        (pair.a.clone(), "are not two folders apart"),
    ] {
        let said = refused(&b);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.stderr.contains(why), "{said:?}");
    }
    write(&pair.a.join("mizzen.toml"), "[sync]\nignor = []\n");
    let said = refused(&pair.b);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("mizzen.toml"), "{said:?}");
}

/// Ends with the test.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ended");
    }
}

#[test]
fn while_it_watches_changes_go_over_by_themselves_and_no_other_may_join_in() {
    let pair = Pair::new();
    let child = pair.command(&["--watch"]).stdout(Stdio::piped()).spawn();
    let mut watching = Watching(child.unwrap());
    let mut lines = BufReader::new(watching.0.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert_eq!(first, "In step: nothing to do.");
    write(&pair.b.join("below/one"), "1");
    // The file that takes its place may go over before it.
    let theirs = pair.a.join("below/one");
    while fs::read_to_string(&theirs).unwrap_or_default() != "1" {
        lines.next().expect("a line for each cycle").unwrap();
    }

    let said = pair.sync(&["--once"]);
    assert_eq!(said.code, 6, "{said:?}");
    let holder = watching.0.id().to_string();
    assert!(said.stderr.contains(&holder), "{said:?}");
}
