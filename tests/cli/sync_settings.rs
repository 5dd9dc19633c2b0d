//! What a project says of its sync in `mizzen.toml`, end to end; and what is never carried, whatever it says.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use mizzen_tests::rig::{Mizzen, Said};
use serde_json::Value;

use crate::sync_container::Container;

struct Pair {
    mizzen: Mizzen,
    a: PathBuf,
    b: PathBuf,
}

impl Pair {
    /// Two folders, the first one with these settings.
    fn new(settings: &str) -> Self {
        let mizzen = Mizzen::new();
        let (a, b) = (mizzen.project("a"), mizzen.project("b"));
        write(&a.join("mizzen.toml"), settings);
        Self { mizzen, a, b }
    }

    fn sync(&self, more: &[&str]) -> Said {
        let mut command = self.mizzen.command(["sync"]);
        command.arg(&self.a).arg(&self.b).args(more);
        command.output().expect("mizzen runs").into()
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    mizzen_fsx::write_atomic(path, text.as_bytes()).expect("a file");
}

/// The lines of a run for programs that are of one event, by their paths.
fn events(said: &Said, event: &str) -> Vec<String> {
    let lines = said.stdout.lines();
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let of_event = lines.filter(|line| line["event"] == event);
    let mut paths: Vec<_> = of_event
        .filter_map(|line| line["path"].as_str().map(str::to_owned))
        .collect();
    paths.sort();
    paths
}

#[test]
fn rules_sizes_and_profiles_hold() {
    let pair = Pair::new(
        "[sync]\nignore = [\"*.log\"]\ninclude = [\".env.test\"]\nmax_file_size = 10\n\
         [sync.profiles.light]\nignore = [\"docs\"]\nmax_file_size = \"1M\"\n\
         [sync.profiles.out]\nmode = \"one-way-safe\"\n",
    );
    for name in ["a.log", ".env", ".env.test", "docs/text", "small"] {
        write(&pair.a.join(name), "text");
    }
    write(&pair.a.join("large"), "more than ten bytes");
    let said = pair.sync(&["--once", "--json"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(events(&said, "problem"), ["large", "mizzen.toml"]);
    assert_eq!(events(&said, "withheld"), [".env"]);
    let has = |name: &str| pair.b.join(name).exists();
    let names = ["a.log", ".env", ".env.test", "docs/text", "small", "large"];
    assert_eq!(names.map(has), [false, false, true, true, true, false]);

    write(&pair.a.join("docs/later"), "text");
    assert_eq!(pair.sync(&["--once", "--profile", "light"]).code, 0);
    assert_eq!(["docs/later", "large"].map(has), [false, true]);

    write(&pair.b.join("theirs"), "b");
    pair.sync(&["--once", "--profile", "out"]);
    assert!(!pair.a.join("theirs").exists() && has("docs/later"));
    let said = pair.sync(&["--once", "--profile", "none", "--json"]);
    assert_eq!(said.code, 2, "{said:?}");
    let message = said.error()["message"].to_string();
    assert!(message.contains("has no profile `none`"), "{message}");
}

#[test]
fn keys_and_version_control_stay_whatever_their_place() {
    let pair = Pair::new("[sync]\ninclude = [\".git\", \"**/.git/**\"]\n");
    let key = format!("token: ghp_{}\n", "a1B2".repeat(9));
    for (name, text) in [
        ("below/notes.txt", key.as_str()),
        ("id_rsa", "any"),
        (".git/HEAD", "ref: refs/heads/main\n"),
        ("below/.git/config", "[core]\n"),
        ("below/plain.txt", "text"),
    ] {
        write(&pair.a.join(name), text);
    }
    let said = pair.sync(&["--once", "--json"]);
    assert_eq!(events(&said, "withheld"), ["id_rsa"]);
    assert_eq!(events(&said, "problem"), ["below/notes.txt"]);
    let held = ["below/notes.txt", "id_rsa", ".git", "below/.git"];
    assert_eq!(held.map(|name| pair.b.join(name).exists()), [false; 4]);
    assert!(pair.b.join("below/plain.txt").exists());
    let mut why = pair.mizzen.command(["sync", "why", "below/notes.txt"]);
    let why: Said = why.arg(&pair.a).arg(&pair.b).output().unwrap().into();
    assert!(why.stdout.contains("token"), "{why:?}");
}

#[test]
fn symbolic_links_go_as_the_project_says() {
    for (policy, outer, inner, code) in [
        ("portable", false, true, 1),
        ("ignore", false, false, 0),
        ("posix", true, true, 0),
    ] {
        let pair = Pair::new(&format!("[sync]\nsymlinks = \"{policy}\"\n"));
        symlink("/etc/hostname", pair.a.join("outer")).unwrap();
        symlink("hello.txt", pair.a.join("inner")).unwrap();
        let said = pair.sync(&["--once"]);
        assert_eq!(said.code, code, "{policy}: {said:?}");
        let is_there = |name: &str| pair.b.join(name).symlink_metadata().is_ok();
        assert_eq!(
            [is_there("outer"), is_there("inner")],
            [outer, inner],
            "{policy}"
        );
    }
}

#[test]
fn no_container_is_asked_for_links_that_lead_anywhere() {
    let container = Container::run("links");
    container.sh("mkdir /srv/data");
    let pair = Pair::new("[sync]\nsymlinks = \"posix\"\n");
    let address = format!("docker://{}/srv/data", container.name);
    let mut command = pair.mizzen.command(["sync", "--once", "--json"]);
    let said: Said = command.arg(&pair.a).arg(address).output().unwrap().into();
    assert_eq!(
        (said.code, &said.error()["code"]),
        (2, &"usage".into()),
        "{said:?}"
    );
}

#[test]
fn what_a_container_brings_that_tools_run_is_said() {
    let container = Container::run("tripwire");
    container.sh("mkdir -p /srv/data/.vscode; echo '{}' > /srv/data/.vscode/tasks.json");
    let pair = Pair::new("");
    let address = format!("docker://{}/srv/data", container.name);
    let mut command = pair.mizzen.command(["sync", "--once", "--json"]);
    let said: Said = command.arg(&pair.a).arg(address).output().unwrap().into();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(events(&said, "tripwire"), [".vscode/tasks.json"]);
}

#[test]
fn each_cycle_is_in_the_log_by_its_name_and_each_decision_in_the_audit() {
    let pair = Pair::new("");
    assert_eq!(pair.sync(&["--once"]).code, 0);
    write(&pair.a.join("hello.txt"), "other");
    assert_eq!(pair.sync(&["--once"]).code, 0);
    let ask = |words: &[&str]| -> Said {
        let mut command = pair.mizzen.command(["sync"]);
        command.args(words).arg(&pair.a).arg(&pair.b);
        command.output().expect("mizzen runs").into()
    };
    let said = ask(&["history", "--json"]);
    let first = said.stdout.lines().next().expect("a cycle");
    let cycle = serde_json::from_str::<Value>(first).unwrap()["cycle"].clone();
    let cycle = cycle.as_str().expect("a name");
    assert_eq!(ask(&["undo", cycle]).code, 0);

    let state = pair.mizzen.dirs().state.join("sync");
    let link = fs::read_dir(&state)
        .unwrap()
        .next()
        .expect("a link")
        .unwrap();
    let lines = |name: &str| -> Vec<Value> {
        let text = fs::read_to_string(link.path().join(name)).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    };
    let logged = lines("log.jsonl");
    let logged = logged.iter().filter(|line| line["cycle"] == cycle);
    assert_eq!(logged.count(), 1);
    let audited = lines("audit.jsonl");
    assert_eq!(
        (&audited[0]["asked"], &audited[0]["of"]),
        (&"undo".into(), &cycle.into())
    );
}
