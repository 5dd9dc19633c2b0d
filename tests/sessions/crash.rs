//! A core that is killed at any step leaves a state that the next one resolves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use mizzen_sessions::{State, UpRequest, deaf};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::rig::{REMOVE_ALL, Rig, Root, SOCKET, docker, mounted, of_folder, settings};

/// Every point of `up` and `rm` where a crash must be survived.
const UP_STEPS: [&str; 10] = [
    "up: intent",
    "up: files",
    "up: network",
    "up: container",
    "up: recorded",
    "up: provisioned",
    "up: started",
    "up: wired",
    "up: done",
    "never",
];
const REMOVE_STEPS: [&str; 4] = [
    "remove: intent",
    "remove: stopped",
    "remove: container",
    "remove: files",
];

/// Runs a core on this state in a process of its own that aborts at the given step of the given verb.
fn crash(root: &Root, dir: &Path, verb: &str, step: &str) {
    crash_while(root, dir, verb, step, || {});
}

/// The same while others do something.
fn crash_while(root: &Root, dir: &Path, verb: &str, step: &str, others: impl FnOnce()) {
    let mut core = Command::new(env!("CARGO_BIN_EXE_doomed-core"))
        .args([root.path(), dir])
        .args([verb, step, &crate::rig::tiny()])
        .spawn()
        .unwrap();
    others();
    let status = core.wait().unwrap();
    assert_eq!(
        status.code(),
        (step == "never").then_some(0),
        "it dies at `{step}`, and only there"
    );
}

fn has_all(root: &Root) -> bool {
    root.on_engine("container").len() == 1
        && root.on_engine("network").len() == 1
        && root.on_engine("volume").len() == 2
}

fn has_nothing(root: &Root) -> bool {
    ["container", "network", "volume"]
        .iter()
        .all(|kind| root.on_engine(kind).is_empty())
}

async fn settled(root: &Arc<Root>) -> Rig {
    let rig = Rig::on(root.clone(), SOCKET, settings());
    let mut watch = rig.sessions.watch();
    let resting = watch.wait_for(|facts| {
        facts
            .values()
            .all(|fact| matches!(fact.state, State::Running | State::Stopped | State::Failed))
    });
    tokio::time::timeout(crate::rig::SOON, resting)
        .await
        .expect("settles")
        .unwrap();
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn an_up_that_is_killed_is_taken_over_or_taken_back_and_works_the_next_time() {
    for step in UP_STEPS {
        let root = Root::new();
        let dir = root.project("web");
        crash(&root, &dir, "up", step);
        let rig = settled(&root).await;
        match rig.state("web") {
            Some(State::Running) => assert!(has_all(&root), "{step}"),
            None => {
                assert!(
                    has_nothing(&root),
                    "{step}: {:?}",
                    root.on_engine("container")
                );
                assert!(!dir.join(".para").exists(), "{step}");
            }
            other => panic!("{step}: {other:?}"),
        }
        rig.up("web").await;
        assert!(has_all(&root), "{step}");
        rig.wish("web", REMOVE_ALL).await.expect("removed");
        assert!(has_nothing(&root), "{step}");
        rig.end().await;
    }
}

/// The impatient case: the same `up` at once, without waiting for the engine's word about what was left.
#[tokio::test(flavor = "multi_thread")]
async fn an_up_right_after_a_crash_waits_for_what_is_taken_back() {
    for step in ["up: network", "up: recorded", "up: started"] {
        let root = Root::new();
        let dir = root.project("web");
        crash(&root, &dir, "up", step);
        let rig = Rig::on(root.clone(), SOCKET, settings());
        let done = rig.sessions.up(of_folder(&dir), deaf()).await;
        done.unwrap_or_else(|error| panic!("{step}: {error}"));
        assert!(has_all(&root), "{step}");
        rig.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_is_killed_is_carried_on() {
    for step in REMOVE_STEPS {
        let root = Root::new();
        let dir = root.project("web");
        let rig = Rig::on(root.clone(), SOCKET, settings());
        rig.up("web").await;
        rig.end().await;
        crash(&root, &dir, "rm", step);
        let rig = Rig::on(root.clone(), SOCKET, settings());
        let mut watch = rig.sessions.watch();
        let gone = watch.wait_for(|facts| facts.is_empty());
        tokio::time::timeout(crate::rig::SOON, gone)
            .await
            .expect("goes")
            .unwrap();
        assert!(has_nothing(&root), "{step}");
        assert!(
            dir.join("main.rs").is_file() && !dir.join(".para").exists(),
            "{step}"
        );
        rig.end().await;
    }
}

/// What a project's files say of its sessions: each one's own file, and the list.
fn told(dir: &Path) -> BTreeMap<String, (Option<String>, Option<String>)> {
    let json = |path: PathBuf| -> Value {
        let text = std::fs::read(path).unwrap_or_else(|_| b"null".to_vec());
        serde_json::from_slice(&text).expect("whole files")
    };
    let state = dir.join(".para/state");
    let list = json(state.join("docker/shared/registry.json"));
    let listed = |name: &str| {
        let rows = list["containers"].as_array()?;
        let row = rows.iter().find(|row| row["session_name"] == name)?;
        Some(row["status"].as_str()?.to_owned())
    };
    let own = |name: &str| {
        let file = json(state.join(format!("{name}.docker")));
        Some(file["status"].as_str()?.to_owned())
    };
    ["web", "api"]
        .map(|name| (name.to_owned(), (own(name), listed(name))))
        .into()
}

/// A core publishes where a session stands before it writes that down: killed in between, it leaves files that lag
/// behind what it has said.
#[tokio::test(flavor = "multi_thread")]
async fn a_core_that_is_killed_before_it_writes_down_what_it_said_says_it_again() {
    for (verb, step, after) in [
        ("up", "published: web running", Some("running")),
        ("stop", "published: web stopped", Some("stopped")),
        ("watch", "published: web failed", Some("failed")),
        ("rm", "published: web gone", None),
    ] {
        let root = Root::new();
        let dir = root.project("web");
        let rig = Rig::on(root.clone(), SOCKET, settings());
        if verb != "up" {
            rig.up("web").await;
        }
        let neighbour = UpRequest {
            dir: dir.clone(),
            name: Some("api".to_owned()),
            ..mounted()
        };
        rig.sessions.up(neighbour, deaf()).await.expect("up");
        let id = rig.fact("web").and_then(|fact| fact.container_id.clone());
        rig.end().await;
        crash_while(&root, &dir, verb, step, || {
            if verb == "watch" {
                docker(&["kill", id.as_deref().unwrap()]);
            }
        });
        let truth = (after.map(str::to_owned), after.map(str::to_owned));
        assert_ne!(told(&dir)["web"], truth, "{step}: not written yet");

        let (changed, mut changes) = mpsc::unbounded_channel();
        let state = dir.join(".para/state");
        let _watch =
            mizzen_fsx::Watch::new([state.clone(), state.join("docker/shared")], move || {
                let _ = changed.send(());
            })
            .unwrap();
        let rig = settled(&root).await;
        let state = rig
            .state("web")
            .map(|state| format!("{state:?}").to_lowercase());
        assert_eq!(state.as_deref(), after, "{step}");
        let written = async {
            while told(&dir)["web"] != truth {
                changes.recv().await.unwrap();
            }
        };
        let written = tokio::time::timeout(crate::rig::SOON, written).await;
        assert!(written.is_ok(), "{step}: {:?}", told(&dir));
        assert_eq!(told(&dir)["api"].0.as_deref(), Some("running"), "{step}");
        rig.end().await;
    }
}
