//! A core that is killed at any step leaves a state that the next one resolves.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use mizzen_sessions::{State, UpRequest, Wish, deaf};

use crate::rig::{Rig, Root, SOCKET, settings};

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
    let status = Command::new(env!("CARGO_BIN_EXE_doomed-core"))
        .args([root.path(), dir])
        .args([verb, step, &crate::rig::tiny()])
        .status()
        .unwrap();
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
        rig.wish(
            "web",
            Wish::Remove {
                force: true,
                volumes: true,
            },
        )
        .await
        .expect("removed");
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
        let done = rig
            .sessions
            .up(
                UpRequest {
                    dir,
                    ..UpRequest::default()
                },
                deaf(),
            )
            .await;
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
