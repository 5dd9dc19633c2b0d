//! A folder of the host and a volume, kept in step inside a plain container: nothing of Mizzen runs on the host.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Instant;

use mizzen_fsx::{Watch, write_atomic, write_atomic_with};
use serde_json::Value;
use tempfile::TempDir;

use crate::rig::{Container, Reports, SOON, TINY, UID, docker, folder};

/// A folder of the host and a volume, which goes with the test.
struct Pair {
    host: TempDir,
    volume: String,
    reports: Reports,
}

impl Pair {
    fn new() -> Self {
        Self {
            host: folder(),
            volume: docker(&["volume", "create", "--label=dev.mizzen.test=supervisor"]),
            reports: Reports::new(),
        }
    }

    /// As a person starts it, who need not be the image's `coder`.
    fn start(&self) -> Container {
        let host = format!("{}:/host", self.host.path().display());
        let volume = format!("{}:/workspace", self.volume);
        let mount = self.reports.mount();
        Container::run(&[
            "--user=0",
            "--mount",
            &mount,
            "-v",
            &host,
            "-v",
            &volume,
            &TINY,
            "mizzen-supervisor",
            "run",
            "--mirror",
        ])
    }

    fn until(&self, state: &str) {
        self.reports.until(state, |status| {
            status.services.get("sync").map(String::as_str) == Some(state)
        });
    }

    /// Puts a file there as its person would.
    fn write(&self, name: &str, text: &str) {
        let path = self.host.path().join(name);
        write_atomic(&path, text.as_bytes()).unwrap();
        chown(&path, Some(UID), Some(UID)).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.host.path().join(name)).unwrap()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        // Its containers are gone by now, or it stays and says so by its label.
        let _ = mizzen_tests::own_core::docker(&["volume", "rm", "--force", &self.volume]);
    }
}

/// The verb's exit code, and what it said.
fn mirror(container: &Container, words: &[&str]) -> (i32, String) {
    let asked = Command::new("docker")
        .args(["exec", &container.id, "mizzen-supervisor", "mirror"])
        .args(words)
        .output()
        .unwrap();
    let said = [asked.stdout, asked.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    (asked.status.code().unwrap(), said.trim().to_owned())
}

fn asked(container: &Container, words: &[&str]) -> (i32, Value) {
    let (code, said) = mirror(container, &[words, &["--json"]].concat());
    let said = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    (code, said)
}

/// Has the engine run a script as the folder's owner, beside the supervisor.
fn exec_detached(container: &Container, script: &str) {
    let exec = ["exec", "--detach", "--user=coder", &container.id];
    docker(&[&exec[..], &["bash", "-c", script]].concat());
}

/// Waits until a file of the host holds what it should.
fn until_it_holds(path: &Path, text: &str) {
    let (tell, hints) = channel();
    let _watch = Watch::new([path.parent().unwrap()], move || {
        let _ = tell.send(());
    })
    .unwrap();
    let deadline = Instant::now() + SOON;
    while fs::read_to_string(path).ok().as_deref() != Some(text) {
        let left = deadline.saturating_duration_since(Instant::now());
        let told = hints.recv_timeout(left);
        assert!(told.is_ok(), "{} never held {text:?}", path.display());
    }
}

#[test]
fn both_sides_stay_in_step_without_anything_on_the_host() {
    let pair = Pair::new();
    pair.write("ours", "from the host");
    let container = pair.start();
    pair.until("in step");
    let status = pair.reports.until_ready();
    assert_eq!(
        (status.warnings.len(), status.errors.len()),
        (0, 0),
        "{status:#?}"
    );
    assert_eq!(container.exec(&["cat", "/workspace/ours"]), "from the host");
    // It is the folder's owner, under a name; root is nobody here any more.
    let owner = container.exec(&["stat", "--format=%U %u", "/workspace/ours", "/workspace"]);
    assert_eq!(owner, format!("coder {UID}\ncoder {UID}"));
    let ids = container.exec(&["grep", "^Uid", "/proc/1/status"]);
    assert_eq!(ids, format!("Uid:\t{UID}\t{UID}\t{UID}\t{UID}"));

    let write = ["sh", "-c", "echo there > /workspace/theirs"];
    docker(&[&["exec", "--user", "coder", &container.id][..], &write].concat());
    let theirs = pair.host.path().join("theirs");
    until_it_holds(&theirs, "there\n");
    assert_eq!(fs::metadata(&theirs).unwrap().uid(), UID);

    // `tail` is told of the file when it comes.
    pair.write("later", "now\n");
    let wait = "timeout 60 tail --lines=+1 -F /workspace/later 2> /dev/null | head --lines=1";
    assert_eq!(container.exec(&["sh", "-c", wait]), "now");
    assert_eq!(
        mirror(&container, &["status"]),
        (0, "in step: In step.".to_owned())
    );
    assert!(
        !pair.host.path().join(".mizzen").exists(),
        "what it remembers stays there"
    );
}

#[test]
fn what_is_written_at_the_very_end_is_carried_before_the_end() {
    let pair = Pair::new();
    let container = pair.start();
    pair.until("in step");
    container.exec(&["mkfifo", "--mode=666", "/tmp/ready"]);
    // Of an engine's exec, and so nobody's child in there; it takes its time once it is told to end.
    let last_words = "trap 'trap \"\" TERM; sleep 1; echo bye > /workspace/bye; exit' TERM; \
                      echo up > /tmp/ready; sleep infinity & wait";
    exec_detached(&container, last_words);
    assert_eq!(container.exec(&["cat", "/tmp/ready"]), "up");
    assert_eq!(container.stop(), "0");
    assert_eq!(pair.read("bye"), "bye\n", "{}", container.log());
    let log = container.log();
    // RACE: the change may be carried as any other one before the last look.
    assert!(log.contains("last sync: In step"), "{log}");
}

#[test]
fn what_does_not_end_is_ended_before_the_last_look() {
    let pair = Pair::new();
    let container = pair.start();
    pair.until("in step");
    container.exec(&["mkfifo", "--mode=666", "/tmp/ready"]);
    let deaf = "trap '' TERM; echo up > /tmp/ready; while :; do echo . >> /workspace/dots; done";
    exec_detached(&container, deaf);
    assert_eq!(container.exec(&["cat", "/tmp/ready"]), "up");
    assert_eq!(container.stop(), "0");
    let log = container.log();
    assert!(log.contains("killed what was left"), "{log}");
    assert!(log.contains("last sync: In step"), "{log}");
    // Nothing was written after the look: both hold the same.
    let there = format!("{}:/workspace/dots", container.id);
    let copy = folder();
    docker(&["cp", &there, copy.path().to_str().unwrap()]);
    let there = fs::read(copy.path().join("dots")).unwrap();
    assert_eq!(there.len(), pair.read("dots").len());
}

#[test]
fn a_new_volume_is_a_new_side_and_deletes_nothing() {
    let mut pair = Pair::new();
    for name in ["a", "b", "c"] {
        pair.write(name, name);
    }
    let container = pair.start();
    pair.until("in step");
    docker(&["exec", "--user=coder", &container.id, "rm", "/workspace/c"]);
    assert_eq!(mirror(&container, &["flush"]).0, 0);
    assert!(
        !pair.host.path().join("c").exists(),
        "an agreed deletion is carried"
    );
    assert_eq!(container.stop(), "0");
    drop(container);
    docker(&["volume", "rm", &pair.volume]);
    pair.volume = docker(&["volume", "create", "--label=dev.mizzen.test=supervisor"]);
    pair.reports = Reports::new();
    let container = pair.start();
    pair.until("in step");
    assert_eq!([pair.read("a"), pair.read("b")], ["a", "b"]);
    assert_eq!(container.exec(&["ls", "/workspace"]), "a\nb");
}

#[test]
fn an_emptied_folder_halts_until_a_person_agrees() {
    let pair = Pair::new();
    pair.write("a", "a");
    let container = pair.start();
    pair.until("in step");
    fs::remove_file(pair.host.path().join("a")).unwrap();
    pair.until("halted");
    let warned = pair.reports.now().unwrap().warnings;
    let warned = &warned[0].message;
    assert!(
        warned.starts_with("Sync has stopped: the host's folder was emptied.")
            && warned.ends_with("mizzen-supervisor mirror flush --consent"),
        "{warned}"
    );
    let (code, plan) = asked(&container, &["plan"]);
    assert_eq!(code, 0);
    assert_eq!(
        plan["answer"]["plan"]["halt"],
        "the host's folder was emptied"
    );
    assert_eq!(mirror(&container, &["flush"]).0, 3);
    assert_eq!(container.exec(&["cat", "/workspace/a"]), "a");
    assert_eq!(mirror(&container, &["flush", "--consent"]).0, 0);
    assert_eq!(container.exec(&["ls", "/workspace"]), "");
    let (code, _) = mirror(&container, &["restore", "a"]);
    assert_eq!(code, 0);
    until_it_holds(&pair.host.path().join("a"), "a");
}

#[test]
fn a_conflict_is_shown_and_decided_from_inside() {
    let pair = Pair::new();
    pair.write("f", "first\n");
    let container = pair.start();
    pair.until("in step");
    assert_eq!(
        mirror(&container, &["pause"]),
        (0, "Sync is paused.".to_owned())
    );
    pair.until("paused");
    pair.write("f", "here\n");
    let write = ["sh", "-c", "echo there > /workspace/f"];
    docker(&[&["exec", "--user=coder", &container.id][..], &write].concat());
    let (_, plan) = mirror(&container, &["plan"]);
    assert_eq!(plan, "merge  f  when the changes go together");
    assert_eq!(mirror(&container, &["resume"]).0, 0);
    pair.until("conflicts");
    let warned = &pair.reports.now().unwrap().warnings[0].message;
    assert_eq!(warned, "1 in conflict: mizzen-supervisor mirror conflicts");
    let (code, said) = mirror(&container, &["conflicts"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("conflict  f") && said.contains("-here"),
        "{said}"
    );
    assert_eq!(mirror(&container, &["resolve", "g", "--keep", "host"]).0, 5);
    let (code, done) = asked(&container, &["resolve", "f", "--keep", "container"]);
    assert_eq!(code, 0);
    assert_eq!(pair.read("f"), "there\n");
    pair.until("in step");
    let (_, history) = mirror(&container, &["history"]);
    let cycle = done["answer"]["done"]["cycle"].as_str().unwrap();
    assert!(history.starts_with(cycle), "{history}");
    assert_eq!(
        mirror(&container, &["why", "f"]),
        (0, "f: in step.".to_owned())
    );
}

#[test]
fn a_container_that_is_killed_in_the_middle_goes_on_and_loses_nothing() {
    const FILES: usize = 2000;
    let pair = Pair::new();
    for number in 0..FILES {
        pair.write(&format!("f{number:04}"), &number.to_string());
    }
    let container = pair.start();
    pair.reports.until("carrying", |status| {
        let total = status.progress.as_ref().and_then(|progress| progress.total);
        status.phase.as_deref() == Some("sync") && total == Some(FILES as f64)
    });
    docker(&["kill", "--signal=KILL", &container.id]);
    container.wait();
    docker(&["start", &container.id]);
    pair.reports.until_ready();
    pair.until("in step");
    let sums =
        "cd /workspace && ls | wc -l && cat f* | sha256sum && cd /host && cat f* | sha256sum";
    let said = container.exec(&["sh", "-c", sums]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], FILES.to_string());
    assert_eq!(lines[1], lines[2]);
    assert_eq!(mirror(&container, &["plan"]).1, "In step: nothing to do.");
    assert_eq!(fs::read_dir(pair.host.path()).unwrap().count(), FILES);
}

#[test]
fn nobody_but_its_user_asks_it() {
    let pair = Pair::new();
    let container = pair.start();
    pair.until("in step");
    let modes = [
        "stat",
        "--format=%a %U",
        "/tmp/mizzen",
        "/tmp/mizzen/mirror.sock",
    ];
    assert_eq!(container.exec(&modes), "700 coder\n600 coder");
    let other = [
        "exec",
        "--user=5555",
        &container.id,
        "mizzen-supervisor",
        "mirror",
        "status",
    ];
    let said = Command::new("docker").args(other).output().unwrap();
    assert_eq!(said.status.code(), Some(4));
}

#[test]
fn folders_that_cannot_be_mirrored_are_explained_and_the_rest_serves() {
    let root = tempfile::tempdir().unwrap();
    let ours = folder();
    let both = format!("{}:/host", ours.path().display());
    let again = format!("{}:/workspace", ours.path().display());
    let of_root = format!("{}:/host", root.path().display());
    for (mounts, expected) in [
        (&[][..], "/host cannot be used: No such file or directory"),
        (&["-v", &of_root], "/host belongs to root"),
        (
            &["-v", &both, "-v", &again],
            "/host and /workspace are one folder",
        ),
    ] {
        let reports = Reports::new();
        let mount = reports.mount();
        let start = [
            &["--user=0", "--mount", &mount][..],
            mounts,
            &[&TINY, "run", "--mirror"],
        ];
        let _container = Container::run(&start.concat());
        // Without an owner to become it is the image's coder, who may not report there.
        let status = match expected.contains("one folder") {
            true => reports.until_ready(),
            false => {
                let log = _container.log_until(|line| line.contains("Sync does not work"));
                assert!(log.iter().any(|line| line.contains(expected)), "{log:#?}");
                continue;
            }
        };
        assert_eq!(status.services["sync"], "failed");
        assert_eq!(status.services["code-server"], "running");
        let warned = &status.warnings[0].message;
        assert!(warned.contains(expected), "{warned}");
    }
}

#[test]
fn a_queue_has_a_mirror_look_at_both_folders_again() {
    let pair = Pair::new();
    pair.write("ours", "from the host");
    let _container = pair.start();
    pair.until("in step");
    pair.reports.until_ready();
    let queue =
        r#"{"commands":[{"id":"again","type":"signal","signal":"reload_config"}],"processed":[]}"#;
    let place = pair.reports.folder.path().join("commands.json");
    write_atomic_with(&place, queue.as_bytes(), 0o640, Some((UID, UID))).unwrap();
    let end = |status: &mizzen_status::Status| {
        let mut acks = status.commands.iter();
        let ack = acks.find(|ack| ack.id.as_str() == "again")?;
        ack.state.is_final().then(|| ack.clone())
    };
    let status = pair
        .reports
        .until("it is heeded", |status| end(status).is_some());
    assert_eq!(
        end(&status).unwrap().state,
        mizzen_status::AckState::Succeeded
    );
    // It goes on mirroring.
    pair.write("later", "now");
    pair.until("in step");
}
