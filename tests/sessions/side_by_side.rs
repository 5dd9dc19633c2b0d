//! Two sessions of one folder.

use mizzen_sessions::{SessionFact, State, UpRequest, deaf};

use crate::rig::{REMOVE_ALL, Rig, USER, mounted, tree};

async fn up(rig: &Rig, name: &str) -> SessionFact {
    let request = UpRequest {
        dir: rig.root.project("web"),
        name: Some(name.to_owned()),
        ..mounted()
    };
    (*rig
        .sessions
        .up(request, deaf())
        .await
        .expect("up")
        .session
        .unwrap())
    .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_30_and_31_two_sessions_of_one_folder_share_files_and_nothing_else() {
    let rig = Rig::new();
    let (one, two) = (up(&rig, "one").await, up(&rig, "two").await);
    assert_ne!(one.container_id, two.container_id);
    rig.inside("one", &["touch", "/workspace/from-one"]);
    assert_eq!(
        rig.inside("two", &["ls", "/workspace/from-one"]),
        "/workspace/from-one"
    );
    assert_eq!(
        rig.inside("one", &["ls", "/workspace/.para/state/docker"]),
        "one\nshared",
        "no sight of the other"
    );
    rig.inside(
        "one",
        &[
            "sh",
            "-c",
            "! touch /workspace/.para/x && ! touch /para/shared/x && touch /para/status/x",
        ],
    );
    rig.inside(
        "one",
        &["sh", "-c", "! echo '{}' > /para/shared/registry.json"],
    );

    let dir = rig.root.project("web");
    let shared = || -> Vec<String> {
        let text = std::fs::read(dir.join(".para/state/docker/shared/registry.json")).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let all = json["containers"].as_array().unwrap().iter();
        let line = |entry: &serde_json::Value| {
            let [name, status, at] = ["session_name", "status", "started_at"].map(|it| &entry[it]);
            format!("{name} {status} {at}").replace('"', "")
        };
        all.map(line).collect()
    };
    let running = |name: &str, fact: &SessionFact| {
        let started_at = fact.started_at.expect("it has started");
        format!("{name} running {started_at}")
    };
    assert_eq!(shared(), [running("one", &one), running("two", &two)]);
    rig.wish("one", REMOVE_ALL).await.expect("removed");
    assert_eq!(rig.state("two"), Some(State::Running));
    assert!(
        !dir.join(".para/state/docker/one").exists() && dir.join(".para/state/docker/two").is_dir()
    );
    assert_eq!(shared(), [running("two", &two)]);
    for (path, owner) in tree(&dir) {
        assert_eq!(owner, USER, "{}", path.display());
    }
    rig.end().await;
}
