//! Two folders kept in step, without a session and without a core.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use mizzen_tests::rig::{Mizzen, Said};
use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};
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

    /// Asks something of the two folders.
    fn ask(&self, words: &[&str]) -> Said {
        let mut command = self.mizzen.command(["sync"]);
        command.args(words).arg(&self.a).arg(&self.b);
        command.output().expect("mizzen runs").into()
    }

    /// The same, for programs: a value for each line.
    fn values(&self, words: &[&str]) -> (i32, Vec<Value>) {
        let said = self.ask(&[words, &["--json"]].concat());
        let lines = said.stdout.lines();
        let value = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {said:?}"));
        (said.code, lines.map(value).collect())
    }

    /// What both hold at a place.
    fn both(&self, path: &str) -> [String; 2] {
        [&self.a, &self.b].map(|folder| read(&folder.join(path)))
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

/// More than go over within a quarter of a second.
const MANY: usize = 8000;

#[test]
fn a_long_cycle_says_on_a_terminal_how_far_it_is_and_how_fast_and_nowhere_else() {
    let pair = Pair::new();
    fill(&pair.a);
    let (said, drawn) = on_terminal(pair.command(&["--once"]));
    assert_eq!(said.code, 0, "{said:?}");
    let shown = drawn.split('\r').find(|line| line.contains(" left, "));
    let shown = shown.unwrap_or_else(|| panic!("{drawn:?}"));
    assert!(shown.contains(" of 8 00"), "{shown:?}");
    assert!(shown.ends_with("/s"), "{shown:?}");
    // What is said next has the line for itself.
    assert!(drawn.ends_with("\r\x1b[K"), "{drawn:?}");

    let again = Pair::new();
    fill(&again.a);
    let piped = again.sync(&["--once"]);
    assert_eq!((piped.code, piped.stderr.as_str()), (0, ""), "{piped:?}");
}

fn fill(folder: &Path) {
    for number in 0..MANY {
        let mut file = fs::File::create(folder.join(number.to_string())).expect("a file");
        write!(file, "file {number}").expect("a file");
    }
}

/// Runs a command whose errors go to a terminal, and says what was drawn there.
fn on_terminal(mut command: Command) -> (Said, String) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    unlockpt(&ours).expect("a terminal");
    let name = ptsname(&ours, Vec::new()).expect("a name");
    let theirs = fs::File::options()
        .write(true)
        .open(OsStr::from_bytes(name.to_bytes()));
    command
        .stderr(theirs.expect("a terminal"))
        .stdout(Stdio::piped());
    let reading = thread::spawn(move || {
        let mut drawn = Vec::new();
        // When nobody has the other end any more, that is an error.
        let _hung_up = fs::File::from(ours).read_to_end(&mut drawn);
        String::from_utf8_lossy(&drawn).into_owned()
    });
    let said = command.output().expect("mizzen runs").into();
    drop(command);
    (said, reading.join().expect("a reader"))
}

#[test]
fn a_summary_for_programs_has_all_its_numbers() {
    let pair = Pair::new();
    for (name, text) in [("one", "1"), ("two", "22"), ("goes", "3"), ("both", "4")] {
        write(&pair.a.join(name), text);
    }
    assert_eq!(pair.sync(&["--once"]).code, 0);
    fs::remove_file(pair.a.join("goes")).unwrap();
    write(&pair.a.join("one"), "12345");
    write(&pair.b.join("both"), "theirs");
    write(&pair.a.join("both"), "ours");
    std::os::unix::fs::symlink("/", pair.a.join("outside")).unwrap();
    let (code, summary) = pair.summary(&[]);
    assert_eq!(code, 1);
    let number = |name: &str| {
        let number = summary[name].as_u64();
        number.unwrap_or_else(|| panic!("{name}: {summary}"))
    };
    for (name, expected) in [
        ("cycles", 1),
        ("scanned", 4),
        ("transferred_files", 1),
        ("transferred_bytes", 5),
        ("deleted", 1),
        ("conflicts", 1),
        ("problems", 1),
        ("retries", 0),
    ] {
        assert_eq!(number(name), expected, "{name}: {summary}");
    }
    assert!(
        summary["duration_ms"].as_f64().is_some_and(|ms| ms > 0.0),
        "{summary}"
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
    // Neither of two folders is a host's or a container's.
    assert_eq!(said.error()["message"], "Stopped: B was emptied.");
    assert!(pair.a.join("hello.txt").exists());
    let (code, summary) = pair.summary(&["--force"]);
    assert_eq!((code, &summary["deleted"]), (0, &1.into()));
    assert!(!pair.a.join("hello.txt").exists());
}

#[test]
fn a_sync_that_cannot_be_remembered_fails_with_a_code_of_its_own() {
    let pair = Pair::new();
    let state = pair.mizzen.dirs().state.join("sync");
    write(&state, "in the way");
    let said = pair.sync(&["--once", "--json"]);
    assert_eq!(
        (said.code, &said.error()["code"]),
        (4, &"failed".into()),
        "{said:?}"
    );
    assert!(said.stderr.contains(state.to_str().unwrap()), "{said:?}");
}

#[test]
fn folders_that_cannot_be_joined_are_named() {
    let pair = Pair::new();
    let refused = |a: &Path, b: &Path| -> Said {
        let mut command = pair.mizzen.command(["sync", "--once"]);
        command.arg(a).arg(b).output().unwrap().into()
    };
    let [inner, none] = ["inner", "none"].map(|name| pair.a.join(name));
    fs::create_dir(&inner).unwrap();
    let (a, nested) = (&pair.a, "are not two folders apart");
    let missing =
        "none cannot be used: No such file or directory (os error 2). Name two folders that exist";
    for (a, b, why) in [
        (a, &none, missing),
        (&none, a, missing),
        (a, &inner, nested),
        (a, a, nested),
    ] {
        let said = refused(a, b);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.stderr.contains(why), "{said:?}");
    }
    write(&pair.a.join("mizzen.toml"), "[sync]\nignor = []\n");
    let said = refused(a, &pair.b);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("mizzen.toml"), "{said:?}");
}

/// Both sides have changed hello.txt.
fn disputed() -> Pair {
    let pair = Pair::new();
    pair.summary(&[]);
    write(&pair.a.join("hello.txt"), "a\n");
    write(&pair.b.join("hello.txt"), "b\n");
    assert_eq!(pair.sync(&["--once"]).code, 1);
    pair
}

#[test]
fn a_conflict_is_shown_and_decided() {
    for (keep, expected) in [("host", "a\n"), ("container", "b\n"), ("both", "a\n")] {
        let pair = disputed();
        let said = pair.ask(&["conflicts"]);
        assert_eq!(said.code, 1, "{said:?}");
        for part in ["conflict  hello.txt", "  A  file, 2 B, of ", "  -a", "  +b"] {
            assert!(said.stdout.contains(part), "{part}: {said:?}");
        }
        let (code, values) = pair.values(&["conflicts"]);
        assert_eq!((code, &values[0]["path"]), (1, &"hello.txt".into()));
        assert_eq!(values[0]["diff"], "@@ -1 +1 @@\n-a\n+b\n");

        let (code, values) = pair.values(&["resolve", "hello.txt", "--keep", keep]);
        assert_eq!(code, 0, "{keep}: {values:?}");
        assert_eq!(pair.both("hello.txt"), [expected, expected]);
        let beside = values[0]["resolved"]["beside"].as_str();
        assert_eq!(beside.is_some(), keep == "both");
        if let Some(beside) = beside {
            assert_eq!(pair.both(beside), ["b\n", "b\n"]);
        }
        let said = pair.ask(&["conflicts"]);
        assert_eq!((said.code, &*said.stdout), (0, "No conflicts.\n"));
        assert_eq!(pair.summary(&[]).0, 0);
        let said = pair.ask(&["resolve", "hello.txt", "--keep", keep, "--json"]);
        assert_eq!((said.code, &said.error()["code"]), (5, &"not_found".into()));
    }
}

#[test]
fn a_cycle_is_found_in_the_history_and_taken_back() {
    let pair = Pair::new();
    pair.summary(&[]);
    write(&pair.b.join("hello.txt"), "changed");
    write(&pair.b.join("new"), "1");
    pair.summary(&[]);
    let (code, values) = pair.values(&["history", "-n", "1"]);
    assert_eq!((code, values.len()), (0, 1));
    let cycle = values[0]["cycle"].as_str().unwrap();
    assert_eq!(values[0]["container"], Value::Null);
    assert_eq!(
        values[0]["host"]["changes"],
        serde_json::json!([
            { "path": "hello.txt", "was": "replace" },
            { "path": "new", "was": "create" },
        ])
    );
    let said = pair.ask(&["history", "--of", "hello.txt"]);
    assert!(said.stdout.contains(cycle), "{said:?}");
    assert!(said.stdout.contains("  replace  A  hello.txt"), "{said:?}");

    let said = pair.ask(&["undo", cycle]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.starts_with("Undone at 2 places"), "{said:?}");
    assert_eq!(pair.both("hello.txt"), ["hello\n", "hello\n"]);
    assert!(!pair.a.join("new").exists() && !pair.b.join("new").exists());
    let (code, summary) = pair.summary(&[]);
    assert_eq!((code, &summary["transferred_files"]), (0, &0.into()));

    write(&pair.a.join("hello.txt"), "later");
    let said = pair.ask(&["undo", cycle]);
    assert_eq!(said.code, 1, "{said:?}");
    let kept = "kept  A  hello.txt  it has changed since";
    assert!(said.stdout.contains(kept), "{said:?}");
    assert_eq!(pair.both("hello.txt"), ["later", "later"]);

    let said = pair.ask(&["undo", "20260102T030405.000000006Z", "--json"]);
    assert_eq!((said.code, &said.error()["code"]), (5, &"not_found".into()));
}

#[test]
fn a_file_that_was_deleted_everywhere_comes_back() {
    let pair = Pair::new();
    write(&pair.a.join("below/one"), "1");
    pair.summary(&[]);
    fs::remove_file(pair.b.join("below/one")).unwrap();
    pair.summary(&[]);
    assert!(!pair.a.join("below/one").exists());
    // However it is named.
    let path = pair.b.join("below/one");
    let (code, values) = pair.values(&["restore", path.to_str().unwrap()]);
    assert_eq!((code, &values[0]["restored"]["changed"]), (0, &1.into()));
    assert_eq!(pair.both("below/one"), ["1", "1"]);
    let said = pair.ask(&["restore", "none", "--json"]);
    assert_eq!((said.code, &said.error()["code"]), (5, &"not_found".into()));
    let said = pair.ask(&["restore", "../outside", "--json"]);
    assert_eq!((said.code, &said.error()["code"]), (2, &"usage".into()));
}

#[test]
fn why_a_file_stands_as_it_does_is_said() {
    let pair = disputed();
    write(&pair.a.join(".gitignore"), "*.log\n");
    write(&pair.a.join("new"), "1");
    for (path, expected) in [
        ("hello.txt", "hello.txt: conflict: changed on both sides."),
        ("x.log", "x.log: not carried: `*.log` in .gitignore."),
        (
            ".git/HEAD",
            ".git/HEAD: not carried by .git: version control's own files are never synced.",
        ),
        (
            "./new",
            "new: pending on B: the next cycle changes it there.",
        ),
        ("none", "none: nowhere: neither side has it."),
    ] {
        let said = pair.ask(&["why", path]);
        assert_eq!((said.code, said.stdout.trim_end()), (0, expected));
    }
    let (_, values) = pair.values(&["why", "new"]);
    assert_eq!(values[0]["standing"], "pending");
}

#[test]
fn a_folder_that_is_called_like_a_verb_is_named_by_its_path() {
    let mizzen = Mizzen::new();
    let undo = mizzen.project("undo");
    assert!(undo.is_dir());
    let b = mizzen.project("b");
    let folder = b.parent().unwrap();
    let run = |args: &[&str]| -> Said {
        let mut command = mizzen.command(["sync"]);
        command.args(args).current_dir(folder);
        command.output().unwrap().into()
    };
    let said = run(&["./undo", "b", "--once"]);
    assert_eq!(said.code, 0, "{said:?}");
    let said = run(&["undo", "b", "--once"]);
    assert_eq!(said.code, 2, "{said:?}");
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

/// What is written to a file under a name elsewhere is told to nobody who watches here: only a look finds it.
#[test]
fn what_no_event_tells_of_goes_over_with_the_next_look_at_everything() {
    check_next_look(&Pair::new(), &["--watch", "--interval", "1"]);
}

#[test]
fn a_project_says_how_often_everything_is_looked_at() {
    let pair = Pair::new();
    write(&pair.a.join("mizzen.toml"), "[sync]\ninterval = 1\n");
    check_next_look(&pair, &["--watch"]);
}

fn check_next_look(pair: &Pair, how: &[&str]) {
    let elsewhere = pair.a.with_file_name("elsewhere");
    write(&elsewhere, "1");
    fs::hard_link(&elsewhere, pair.a.join("linked")).expect("a name");
    let mut command = pair.command(how);
    let child = command.stdout(Stdio::piped()).spawn();
    let mut watching = Watching(child.expect("mizzen runs"));
    let mut lines = BufReader::new(watching.0.stdout.take().expect("a pipe")).lines();
    let mut until = |text: &str| {
        while read(&pair.b.join("linked")) != text {
            lines.next().expect("a line for each cycle").expect("text");
        }
    };
    until("1");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .open(&elsewhere)
        .expect("ours");
    file.write_all(b"2").expect("room");
    until("2");
}
