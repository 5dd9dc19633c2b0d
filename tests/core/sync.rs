//! Sessions whose workspace is a volume that is kept in step with the folder.

mod asked;
mod left;
mod lost;
mod mirrored;
mod removed;

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use mizzen_core::Client;
use mizzen_core::verb::{ErrorCode, SessionRef, SyncFlushParams, Verb};
use mizzen_core::view::{
    AlertKind, Change, Phase, PhaseState, SessionState, Snapshot, SyncState, SyncView,
};
use mizzen_tests::own_core::USER;
use mizzen_tests::rig::{Mizzen, find, until, within};

/// Makes the session `web` of a folder, synced, and waits until both sides hold the same.
async fn synced(mizzen: &Mizzen, folder: &Path) -> Client {
    up(mizzen, folder);
    let client = mizzen.client().await;
    until(&client, "in step", is(SyncState::InStep)).await;
    client
}

fn up(mizzen: &Mizzen, folder: &Path) {
    up_as(mizzen, folder, "sync");
}

fn up_as(mizzen: &Mizzen, folder: &Path, workspace: &str) {
    let folder = folder.to_str().expect("UTF-8");
    mizzen.json(&["up", folder, "--name", "web", "--workspace", workspace]);
}

fn sync(snapshot: &Snapshot) -> Option<&SyncView> {
    find(snapshot, "web")?.sync.as_ref()
}

fn is(state: SyncState) -> impl FnMut(&Snapshot) -> bool {
    move |snapshot| sync(snapshot).is_some_and(|sync| sync.state == state)
}

/// It stands so, and an alert says something.
fn is_told(state: SyncState) -> impl FnMut(&Snapshot) -> bool {
    let mut stands = is(state);
    move |snapshot| stands(snapshot) && !snapshot.alerts.is_empty()
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    mizzen_fsx::write_atomic(&path, text.as_bytes()).expect("a file");
    chown(path, Some(USER), Some(USER)).expect("tests run as root");
}

/// Runs a command in the container, as its user; what it prints.
fn inside(mizzen: &Mizzen, script: &str) -> String {
    let id = mizzen.session("web")["container_id"].clone();
    let id = id.as_str().expect("a container");
    let said = mizzen.docker(&["exec", id, "sh", "-c", script]);
    assert_eq!(said.code, 0, "{script}: {said:?}");
    said.stdout.trim().to_owned()
}

/// Waits until the folder holds what it should.
async fn until_folder(what: &str, holds: impl Fn() -> bool) {
    let polled = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    within(what, polled).await;
}

async fn flush(client: &Client) {
    client.run(flush_verb(false)).await.expect("a flush");
}

fn flush_verb(consent: bool) -> Verb {
    Verb::SyncFlush(SyncFlushParams {
        session: "web".to_owned(),
        consent,
    })
}

fn of_web() -> SessionRef {
    SessionRef {
        session: "web".to_owned(),
    }
}

/// The one volume of the session's workspace.
fn volume(mizzen: &Mizzen) -> String {
    let mut all = mizzen.leftovers("volume");
    all.retain(|name| name.contains("-workspace-"));
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[tokio::test]
async fn what_is_written_on_one_side_appears_on_the_other() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    write(&folder, ".env", "TOKEN=1\n");
    let client = synced(&mizzen, &folder).await;
    // Before the session counted as running.
    assert_eq!(inside(&mizzen, "cat /workspace/hello.txt"), "hello");
    assert_eq!(
        inside(&mizzen, "ls -A /workspace | grep -v tmp"),
        ".para\nhello.txt"
    );

    inside(&mizzen, "echo from the container > /workspace/there.txt");
    let there = folder.join("there.txt");
    let came = || fs::read_to_string(&there).is_ok_and(|text| text == "from the container\n");
    until_folder("the container's file", came).await;

    write(&folder, "here.txt", "from the host\n");
    flush(&client).await;
    assert_eq!(inside(&mizzen, "cat /workspace/here.txt"), "from the host");

    let status = mizzen.json(&["sync", "status", "web"]);
    assert_eq!(
        (&status["state"], &status["withheld"]),
        (&"in_step".into(), &1.into())
    );
    assert!(!folder.join(".para/.para").exists());
    let not_carried = inside(&mizzen, "ls -A /workspace/.para/state");
    assert_eq!(
        not_carried, "docker",
        "the status mount, and nothing of the folder's"
    );
}

#[tokio::test]
async fn a_session_has_a_workspace_of_its_own_that_is_filled_before_anything_else_starts_in_it() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let client = mizzen.client().await;
    let up = mizzen.command(["up", folder.to_str().expect("UTF-8"), "--name", "web"]);
    let mut up = tokio::process::Command::from(up)
        .spawn()
        .expect("mizzen runs");
    let is_running = |snapshot: &Snapshot| {
        let Some(web) = find(snapshot, "web") else {
            return false;
        };
        let at = |wanted: Phase| web.phases.iter().find(|phase| phase.phase == wanted);
        let is_done = at(Phase::Sync).is_some_and(|phase| phase.state == PhaseState::Done);
        if at(Phase::CodeServer).is_some() || web.state == SessionState::Running {
            assert!(is_done, "the first sync comes first: {:?}", web.phases);
        }
        web.state == SessionState::Running
    };
    until(&client, "running", is_running).await;
    assert!(up.wait().await.expect("mizzen ends").success());
    assert_eq!(inside(&mizzen, "cat /workspace/hello.txt"), "hello");
    // A volume alone, on an engine of this machine as on any other.
    volume(&mizzen);
    assert_eq!(inside(&mizzen, "ls -d /host || echo none"), "none");
}

#[tokio::test]
async fn a_file_that_somebody_writes_is_named_while_it_waits() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let client = synced(&mizzen, &folder).await;
    let write = "head -c 16000000 /dev/zero > /workspace/busy; \
                 (until [ -e /tmp/over ]; do echo more >> /workspace/busy; done) > /dev/null 2>&1 &";
    inside(&mizzen, write);
    let held = |snapshot: &Snapshot| sync(snapshot).and_then(|sync| sync.held.clone());
    let waits = |snapshot: &Snapshot| held(snapshot).as_deref() == Some("busy");
    until(&client, "named", waits).await;
    inside(&mizzen, "touch /tmp/over");
    let stands = |snapshot: &Snapshot| is(SyncState::InStep)(snapshot) && held(snapshot).is_none();
    until(&client, "in step", stands).await;
    flush(&client).await;
    let length = inside(&mizzen, "stat -c %s /workspace/busy");
    let came = fs::metadata(folder.join("busy")).expect("a file").len();
    assert_eq!(came.to_string(), length);
}

#[tokio::test]
async fn an_empty_volume_in_the_place_of_a_full_one_wipes_nothing() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    write(&folder, "work.txt", "of days\n");
    let client = synced(&mizzen, &folder).await;
    client.run(Verb::Stop(of_web())).await.unwrap();
    let id = mizzen.session("web")["container_id"].clone();
    assert_eq!(mizzen.docker(&["rm", id.as_str().unwrap()]).code, 0);
    let name = volume(&mizzen);
    assert_eq!(mizzen.docker(&["volume", "rm", &name]).code, 0);

    client.run(Verb::Start(of_web())).await.unwrap();
    until(&client, "in step", is(SyncState::InStep)).await;
    assert_eq!(volume(&mizzen), name, "another volume of the same name");
    assert_eq!(inside(&mizzen, "cat /workspace/work.txt"), "of days");
    assert!(folder.join("work.txt").exists() && folder.join("hello.txt").exists());
}

#[tokio::test]
async fn another_core_goes_on_with_what_both_sides_had_agreed_on() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    for name in ["a", "b", "c"] {
        write(&folder, name, name);
    }
    let client = synced(&mizzen, &folder).await;
    let id = mizzen.session("web")["container_id"].clone();
    mizzen.kill_core(&client).await;
    fs::remove_file(folder.join("a")).unwrap();
    let removed = mizzen.docker(&["exec", id.as_str().unwrap(), "rm", "/workspace/b"]);
    assert_eq!(removed.code, 0, "{removed:?}");

    let client = mizzen.client().await;
    until(&client, "in step", is(SyncState::InStep)).await;
    // What is gone on one side goes on the other: without a base it would have come back.
    assert!(!folder.join("a").exists() && !folder.join("b").exists());
    assert_eq!(inside(&mizzen, "ls /workspace"), "c\nhello.txt");
}

#[tokio::test]
async fn what_changes_while_the_wire_is_down_is_carried_when_it_is_back() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let client = synced(&mizzen, &folder).await;
    let cut = "for p in /proc/[0-9]*; do if tr '\\0' ' ' < $p/cmdline | grep -q 'mizzen-supervisor attac[h]'; \
               then kill -9 ${p#/proc/}; echo cut; fi; done; echo after > /workspace/after.txt";
    let (_, mut events) = client.follow().await.unwrap();
    assert!(inside(&mizzen, cut).contains("cut"));
    let arrived =
        || fs::read_to_string(folder.join("after.txt")).is_ok_and(|text| text == "after\n");
    until_folder("the file", arrived).await;
    let mut states = Vec::new();
    while states.last() != Some(&SyncState::InStep) {
        let event = within("back in step", events.next()).await.expect("a core");
        if let Change::Session { session } = event.change {
            states.extend(session.sync.map(|sync| sync.state));
        }
    }
    write(&folder, "here.txt", "here\n");
    flush(&client).await;
    assert_eq!(inside(&mizzen, "cat /workspace/here.txt"), "here");
}

#[tokio::test]
async fn a_pause_holds_over_a_restart_of_the_core() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let client = synced(&mizzen, &folder).await;
    mizzen.json(&["sync", "pause", "web"]);
    mizzen.kill_core(&client).await;
    write(&folder, "later.txt", "later\n");

    let client = mizzen.client().await;
    let is_wired = |snapshot: &Snapshot| {
        is(SyncState::Paused)(snapshot)
            && find(snapshot, "web").is_some_and(|view| view.state == SessionState::Running)
    };
    until(&client, "paused", is_wired).await;
    assert_eq!(inside(&mizzen, "ls /workspace"), "hello.txt");
    mizzen.json(&["sync", "resume", "web"]);
    until(&client, "in step", is(SyncState::InStep)).await;
    flush(&client).await;
    assert_eq!(inside(&mizzen, "cat /workspace/later.txt"), "later");
}

#[tokio::test]
async fn an_emptied_workspace_waits_for_a_person() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let client = synced(&mizzen, &folder).await;
    inside(&mizzen, "rm /workspace/hello.txt");
    let (halted, _) = until(&client, "halted", is_told(SyncState::Halted)).await;
    assert!(folder.join("hello.txt").exists());
    let alert = halted
        .alerts
        .iter()
        .find(|alert| alert.kind == AlertKind::SyncHalted);
    let alert = alert.expect("an alert");
    assert!(
        alert.message.contains("the container's folder was emptied"),
        "{alert:?}"
    );
    assert!(
        alert.hint.contains("mizzen sync flush web --consent"),
        "{alert:?}"
    );
    let refused = client.run(flush_verb(false)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NeedsPerson, "{refused:?}");
    assert_eq!(mizzen.run(&["sync", "flush", "web"]).code, 3);

    client.run(flush_verb(true)).await.unwrap();
    assert!(!folder.join("hello.txt").exists());
    let is_calm =
        |snapshot: &Snapshot| is(SyncState::InStep)(snapshot) && snapshot.alerts.is_empty();
    until(&client, "in step and without alerts", is_calm).await;
}

#[tokio::test]
async fn what_both_sides_changed_is_told() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let client = synced(&mizzen, &folder).await;
    mizzen.json(&["sync", "pause", "web"]);
    write(&folder, "hello.txt", "from here\n");
    inside(&mizzen, "echo from there > /workspace/hello.txt");
    mizzen.json(&["sync", "resume", "web"]);
    let (torn, _) = until(&client, "in conflict", is_told(SyncState::Conflicts)).await;
    assert_eq!(sync(&torn).unwrap().conflicts, 1);
    let kinds: Vec<AlertKind> = torn.alerts.iter().map(|alert| alert.kind).collect();
    assert_eq!(kinds, [AlertKind::SyncConflicts]);
    assert_eq!(inside(&mizzen, "cat /workspace/hello.txt"), "from there");

    write(&folder, "hello.txt", "from there\n");
    let is_calm =
        |snapshot: &Snapshot| is(SyncState::InStep)(snapshot) && snapshot.alerts.is_empty();
    until(&client, "in step and without alerts", is_calm).await;
}

#[tokio::test]
async fn a_first_sync_that_fails_leaves_a_session_that_serves() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    write(&folder, "mizzen.toml", "[sync]\nignroe = []\n");
    up(&mizzen, &folder);
    let client = mizzen.client().await;
    let snapshot = client.snapshot().await.unwrap();
    let view = find(&snapshot, "web").unwrap();
    assert_eq!(view.state, SessionState::Running);
    let phase = view
        .phases
        .iter()
        .find(|phase| phase.phase == Phase::Sync)
        .unwrap();
    assert_eq!(phase.state, PhaseState::Failed);
    assert!(phase.message.contains("mizzen.toml, line 2"), "{phase:?}");

    write(&folder, "mizzen.toml", "[sync]\nignore = []\n");
    until(&client, "in step", is(SyncState::InStep)).await;
    assert_eq!(inside(&mizzen, "cat /workspace/hello.txt"), "hello");
}

#[tokio::test]
async fn a_container_cannot_ask_for_secrets() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    write(&folder, ".env", "TOKEN=1\n");
    let client = synced(&mizzen, &folder).await;
    let asked = "[sync]\ninclude = [\".env\"]\n";
    inside(
        &mizzen,
        &format!("printf '%s' '{asked}' > /workspace/mizzen.toml"),
    );
    until(&client, "asked about", is(SyncState::Conflicts)).await;
    assert!(!folder.join("mizzen.toml").exists());
    assert_eq!(inside(&mizzen, "ls /workspace/.env || echo none"), "none");
    // When a person agrees, it counts.
    mizzen.json(&[
        "sync",
        "resolve",
        "mizzen.toml",
        "--keep",
        "container",
        "web",
    ]);
    flush(&client).await;
    assert_eq!(inside(&mizzen, "cat /workspace/.env"), "TOKEN=1");
}

#[tokio::test]
async fn a_removed_session_leaves_its_workspace_unless_told_otherwise() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    write(&folder, ".gitignore", "built\n");
    let client = synced(&mizzen, &folder).await;
    inside(&mizzen, "echo made > /workspace/built");
    let said = mizzen.json(&["rm", "--force", "web"]);
    let name = volume(&mizzen);
    assert!(said["message"].as_str().unwrap().contains(&name), "{said}");

    fs::remove_file(folder.join("hello.txt")).unwrap();
    up(&mizzen, &folder);
    until(&client, "in step", is(SyncState::InStep)).await;
    assert_eq!(inside(&mizzen, "cat /workspace/built"), "made");
    assert!(
        !folder.join("hello.txt").exists(),
        "what both had agreed on is still known"
    );
    mizzen.json(&["rm", "--force", "--volumes", "web"]);
    assert_eq!(mizzen.leftovers("volume"), [""; 0]);
}

#[test]
fn a_mounted_folder_has_nothing_to_sync() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    let folder = folder.to_str().unwrap();
    mizzen.json(&["up", folder, "--name", "web", "--workspace", "bind"]);
    assert!(mizzen.session("web")["sync"].is_null());
    for verb in ["status", "flush", "pause", "resume"] {
        let said = mizzen.run(&["sync", verb, "web", "--json"]);
        assert_eq!(said.code, 6, "{verb}: {said:?}");
    }
    let other = mizzen.run(&["up", folder, "--workspace", "sync", "--json"]);
    assert_eq!(other.code, 6, "{other:?}");
    let message = other.error()["message"].to_string();
    assert!(message.contains("of kind `bind`"), "{message}");
}
