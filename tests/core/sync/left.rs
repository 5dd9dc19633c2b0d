//! What only the volume of a session that is down holds: it does not go with the session unasked.

use std::path::Path;

use mizzen_core::view::{SessionState, SyncState};
use mizzen_tests::rig::{Mizzen, find, until};

use super::{inside, is, synced, write};

/// What `rm --volumes` is refused with: the exit code and the message.
fn refusal(mizzen: &Mizzen) -> (i32, String) {
    let said = mizzen.run(&["rm", "--volumes", "web", "--json"]);
    let message = said.error()["message"].as_str().expect("a text").to_owned();
    (said.code, message)
}

fn only_there(mizzen: &Mizzen) -> Option<String> {
    mizzen.session("web")["only_there"]
        .as_str()
        .map(str::to_owned)
}

/// Kills the container of the session `web`, and waits until that is known.
async fn kill(mizzen: &Mizzen) {
    let client = mizzen.client().await;
    let id = mizzen.session("web")["container_id"].clone();
    assert_eq!(
        mizzen
            .docker(&["kill", id.as_str().expect("a container")])
            .code,
        0
    );
    let is_down =
        |snapshot: &_| find(snapshot, "web").is_some_and(|view| view.state == SessionState::Failed);
    until(&client, "dead", is_down).await;
}

fn read(folder: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(folder.join(name)).ok()
}

#[tokio::test]
async fn a_container_that_died_keeps_its_volume_until_a_person_agrees() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let client = synced(&mizzen, &folder).await;
    mizzen.json(&["sync", "pause", "web"]);
    inside(&mizzen, "echo work > /workspace/work.txt");
    kill(&mizzen).await;

    let (code, message) = refusal(&mizzen);
    assert_eq!(code, 6, "{message}");
    assert!(
        message.contains("before all that was written there was brought here"),
        "{message}"
    );
    let volumes = mizzen.leftovers("volume");
    assert!(
        volumes.iter().any(|name| name.contains("workspace")),
        "{volumes:?}"
    );

    // The next step that it names brings the work.
    mizzen.json(&["sync", "resume", "web"]);
    mizzen.json(&["start", "web"]);
    until(&client, "in step", is(SyncState::InStep)).await;
    mizzen.json(&["stop", "web"]);
    assert_eq!(read(&folder, "work.txt").as_deref(), Some("work\n"));
    assert_eq!(only_there(&mizzen), None);
    mizzen.json(&["rm", "--volumes", "web"]);
    assert_eq!(mizzen.leftovers("volume"), [""; 0]);
}

#[tokio::test]
async fn what_a_person_agrees_to_lose_is_named() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    synced(&mizzen, &folder).await;
    kill(&mizzen).await;
    let removed = mizzen.json(&["rm", "--volumes", "--force", "web"]);
    let message = removed["message"].as_str().unwrap();
    assert!(
        message.contains("What its volume alone held went with it."),
        "{message}"
    );
    assert_eq!(mizzen.leftovers("volume"), [""; 0]);
}

#[tokio::test]
async fn what_a_last_sync_leaves_there_is_said() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    // A secret of the folder's own is no loss.
    write(&folder, ".env", "TOKEN=1\n");
    synced(&mizzen, &folder).await;
    for (script, expected) in [
        ("true", None),
        (
            "echo TOKEN=2 > /workspace/.env",
            Some("One place is there in a version that the folder does not have."),
        ),
    ] {
        inside(&mizzen, script);
        mizzen.json(&["stop", "web"]);
        assert_eq!(only_there(&mizzen).as_deref(), expected, "{script}");
        if expected.is_none() {
            mizzen.json(&["start", "web"]);
        }
    }
    assert_eq!(refusal(&mizzen).0, 6);
    mizzen.json(&["start", "web"]);
    mizzen.json(&["sync", "pause", "web"]);
    mizzen.json(&["stop", "web"]);
    let said = only_there(&mizzen).expect("a reason");
    assert!(
        said.starts_with("Its last sync failed: Sync is paused."),
        "{said}"
    );
}

#[tokio::test]
async fn a_session_that_was_frozen_is_brought_in_step_before_it_goes() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    synced(&mizzen, &folder).await;
    mizzen.json(&["pause", "web"]);
    write(&folder, "here.txt", "here\n");
    mizzen.json(&["stop", "web"]);
    assert_eq!(only_there(&mizzen), None);
    mizzen.json(&["rm", "--volumes", "web"]);
}

#[tokio::test]
async fn a_mirror_says_itself_how_it_ended() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    super::up_as(&mizzen, &folder, "mirror");
    let client = mizzen.client().await;
    until(&client, "in step", is(SyncState::InStep)).await;
    mizzen.json(&["stop", "web"]);
    assert_eq!(only_there(&mizzen), None);
    mizzen.json(&["start", "web"]);
    until(&client, "in step", is(SyncState::InStep)).await;
    kill(&mizzen).await;
    assert_eq!(refusal(&mizzen).0, 6);
    mizzen.json(&["rm", "--volumes", "--force", "web"]);
}
