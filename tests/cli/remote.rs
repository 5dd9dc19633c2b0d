//! A session on an engine that sees no files of this machine: nothing is mounted, and all the same its files stand here.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mizzen_tests::rig::{Mizzen, PATIENCE};
use serde_json::Value;

/// A Mizzen that takes its engine for a remote one, and a project folder `p`.
fn remote() -> (Mizzen, PathBuf) {
    let mizzen = Mizzen::new();
    mizzen.set("remote_engines = [\"default\"]");
    let folder = mizzen.project("p");
    (mizzen, folder)
}

/// Files come over a wire: they are there soon.
fn until(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn json(file: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// Runs a script in the session's container, from outside of Mizzen.
fn inside(mizzen: &Mizzen, script: &str) -> String {
    let id = mizzen.session("p")["container_id"].clone();
    let id = id.as_str().expect("a container");
    mizzen.docker(&["exec", id, "sh", "-c", script]).stdout
}

#[test]
fn the_whole_life_of_a_session_whose_engine_sees_no_files_of_this_machine() {
    let (mizzen, folder) = remote();
    let dir = folder.to_str().expect("UTF-8");
    for kind in ["bind", "mirror"] {
        let refused = mizzen.run(&["up", dir, "--workspace", kind, "--json"]);
        assert_eq!(refused.code, 6, "{refused:?}");
        let error = refused.error();
        let message = error["message"].as_str().expect("a message");
        assert!(
            message.contains("does not see this machine's files"),
            "{message}"
        );
        assert!(
            error["hint"]
                .as_str()
                .expect("a hint")
                .contains("--workspace sync")
        );
    }

    mizzen.json(&["up", dir]);
    let session = mizzen.session("p");
    let id = session["container_id"].as_str().expect("a container");
    let mounts = mizzen
        .docker(&["inspect", "--format", "{{json .Mounts}}", id])
        .stdout;
    assert!(!mounts.contains("\"bind\""), "{mounts}");
    assert!(mizzen.log().contains("way=Stdio"), "no direct line");

    // What the container reports stands here, for every reader of files.
    let status = folder.join(".para/state/docker/p");
    until("a report", || {
        json(&status.join("status.json")).is_some_and(|said| said["status"] == "running")
    });
    // What it uses as well, whole and as it changes.
    let used = || {
        let text = fs::read_to_string(status.join("metrics.json")).ok()?;
        let there = inside(&mizzen, "cat /para/status/metrics.json");
        let is_whole = json(&status.join("metrics.json"))?["memory_bytes"].as_u64() > Some(0);
        (text == there && is_whole).then_some(text)
    };
    let mut first = None;
    until("what is used", || {
        first = first.take().or_else(used);
        first.is_some()
    });
    until("what is used later", || {
        used().is_some_and(|text| Some(text) != first)
    });
    until("fresh", || mizzen.session("p")["freshness"] == "fresh");

    // What the host writes stands there, where other agents look for it too.
    let shared = "/workspace/.para/state/docker/shared/registry.json";
    until("the registry", || {
        inside(&mizzen, &format!("cat {shared}")).contains("\"p\"")
    });
    // To be read, and by nobody in there to be written.
    let touched = "touch /para/shared/mine; echo x >> /para/shared/registry.json; rm -f /para/shared/registry.json";
    inside(&mizzen, touched);
    let list = inside(
        &mizzen,
        "ls /para/shared; tail -c 2 /para/shared/registry.json",
    );
    assert_eq!(list.trim(), "registry.json\n}", "it is as it was");
    let seen = inside(&mizzen, "cat /workspace/.para/state/docker/p/status.json");
    assert!(seen.contains("\"running\""), "{seen}");

    let script = "echo said; echo made > made.txt; exit 3";
    let ran = mizzen.run(&["exec", "p", "--shell", "--", script]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, "said\n"), "{ran:?}");
    let shown = mizzen.json(&["show", "p"]);
    assert_eq!(shown["commands"][0]["exit_code"], 3, "{shown}");
    let command = shown["commands"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let logs = mizzen.run(&["logs", "p", "--command", &command]);
    assert_eq!(logs.stdout, "said\n", "{logs:?}");
    mizzen.json(&["sync", "flush", "p"]);
    assert_eq!(
        fs::read_to_string(folder.join("made.txt")).unwrap(),
        "made\n"
    );

    // The editor is reached as anywhere.
    let open = mizzen.run(&["open", "p", "--print"]);
    assert!(open.stdout.starts_with("http://p.localhost:"), "{open:?}");
    assert_eq!(mizzen.session("p")["services"]["code-server"], "running");

    // Another core goes on where this one was.
    assert_eq!(mizzen.run(&["serve", "--stop"]).code, 0);
    let again = mizzen.run(&["exec", "p", "--", "echo", "again"]);
    assert_eq!(
        (again.code, again.stdout.as_str()),
        (0, "again\n"),
        "{again:?}"
    );

    // The last word comes through the engine: by then there is no wire.
    mizzen.json(&["stop", "p"]);
    let last = json(&status.join("status.json")).expect("a report");
    assert_eq!(last["status"], "stopped", "{last}");

    // A container that is made anew knows what was carried out before.
    mizzen.json(&["up", dir, "--memory", "300m"]);
    let ledger = inside(&mizzen, "cat /para/status/logs/commands.jsonl");
    assert!(ledger.contains(&command), "{ledger}");

    let removed = mizzen.json(&["rm", "p", "--force"]);
    let archive = mizzen.dirs().state.join("archive");
    let kept = fs::read_dir(&archive)
        .unwrap()
        .next()
        .expect("kept")
        .unwrap()
        .path();
    assert!(kept.join("status.json").is_file(), "{removed}");
    assert_eq!(
        fs::read_to_string(kept.join(format!("logs/{command}.log"))).unwrap(),
        "said\n"
    );
    assert!(!folder.join(".para").exists(), "a clean folder");
    assert_eq!(mizzen.leftovers("container"), Vec::<String>::new());
}

#[test]
fn a_container_that_dies_leaves_its_last_words() {
    let (mizzen, folder) = remote();
    mizzen.json(&["up", folder.to_str().expect("UTF-8")]);
    let id = mizzen.session("p")["container_id"].clone();
    inside(&mizzen, "echo '{\"last\":1}' > /para/status/logs/mine.log");
    mizzen.docker(&["kill", id.as_str().expect("a container")]);
    let log = folder.join(".para/state/docker/p/logs/mine.log");
    until("its log", || {
        fs::read(&log).is_ok_and(|said| said == b"{\"last\":1}\n")
    });
}
