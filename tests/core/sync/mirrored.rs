//! Sessions whose container keeps the workspace in step by itself.

use std::fs;

use mizzen_core::view::SyncState;
use mizzen_tests::rig::{Mizzen, until};

use super::{flush, inside, is, until_folder, up_as, volume, write};

#[tokio::test]
async fn a_mirror_is_kept_by_its_container_and_asked_from_outside() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    up_as(&mizzen, &folder, "mirror");
    let client = mizzen.client().await;
    until(&client, "in step", is(SyncState::InStep)).await;
    // Before the session counted as running.
    assert_eq!(inside(&mizzen, "cat /workspace/hello.txt"), "hello");
    // Of other sessions' files it sees nothing, on either way.
    assert_eq!(inside(&mizzen, "ls -A /host/.para"), "");
    assert_eq!(
        inside(&mizzen, "ls /workspace/.para/state/docker"),
        "shared\nweb"
    );
    assert_eq!(mizzen.session("web")["workspace"], "mirror");

    inside(&mizzen, "echo there > /workspace/there.txt");
    let there = folder.join("there.txt");
    until_folder("the container's file", || there.exists()).await;
    write(&folder, "here.txt", "here");
    flush(&client).await;
    assert_eq!(inside(&mizzen, "cat /workspace/here.txt"), "here");

    mizzen.json(&["sync", "pause", "web"]);
    until(&client, "paused", is(SyncState::Paused)).await;
    write(&folder, "hello.txt", "from here\n");
    inside(&mizzen, "echo from there > /workspace/hello.txt");
    mizzen.json(&["sync", "resume", "web"]);
    until(&client, "in conflict", is(SyncState::Conflicts)).await;
    let said = mizzen.run(&["sync", "conflicts", "web"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stdout.contains("-from here"), "{said:?}");
    let said = mizzen.run(&["sync", "resolve", "nothing", "--keep", "host", "web"]);
    assert_eq!(said.code, 5, "{said:?}");
    let decide = ["sync", "resolve", "hello.txt", "--keep", "container", "web"];
    assert_eq!(mizzen.run(&decide).code, 0);
    until(&client, "in step", is(SyncState::InStep)).await;
    assert_eq!(fs::read(folder.join("hello.txt")).unwrap(), b"from there\n");
    assert_eq!(
        mizzen.run(&["sync", "plan", "web"]).stdout,
        "In step: nothing to do.\n"
    );
}

#[tokio::test]
async fn an_emptied_workspace_of_a_mirror_waits_for_a_person() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    up_as(&mizzen, &folder, "mirror");
    let client = mizzen.client().await;
    until(&client, "in step", is(SyncState::InStep)).await;
    inside(&mizzen, "rm /workspace/hello.txt");
    let (snapshot, _) = until(&client, "halted", is(SyncState::Halted)).await;
    let sync = super::sync(&snapshot).unwrap();
    assert!(sync.needs_consent);
    assert_eq!(
        (sync.reason.as_deref(), sync.hint.as_deref()),
        (
            Some("Sync has stopped: the container's folder was emptied."),
            Some("Look at both sides; when that is what you want: mizzen sync flush web --consent")
        )
    );
    let said = mizzen.run(&["sync", "flush", "web"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(folder.join("hello.txt").exists());
    mizzen.json(&["sync", "flush", "web", "--consent"]);
    assert!(!folder.join("hello.txt").exists());
}

#[tokio::test]
async fn a_mirror_outlives_its_core_and_a_stop_and_its_volume_a_removal() {
    let mizzen = Mizzen::new();
    let folder = mizzen.project("p");
    up_as(&mizzen, &folder, "mirror");
    let client = mizzen.client().await;
    until(&client, "in step", is(SyncState::InStep)).await;
    mizzen.kill_core(&client).await;
    // Nobody is there but the container.
    write(&folder, "alone.txt", "alone");
    let wait = "timeout 60 tail --lines=+1 -F /workspace/alone.txt 2> /dev/null | head --bytes=5";
    let client = mizzen.client().await;
    until(&client, "in step again", is(SyncState::InStep)).await;
    assert_eq!(inside(&mizzen, wait), "alone");
    inside(&mizzen, "echo last > /workspace/last.txt");
    mizzen.json(&["stop", "web"]);
    assert!(folder.join("last.txt").exists());
    fs::remove_file(folder.join("alone.txt")).unwrap();
    mizzen.json(&["start", "web"]);
    // What both had agreed on is known still: a deletion is one.
    assert_eq!(inside(&mizzen, "ls /workspace"), "hello.txt\nlast.txt");
    volume(&mizzen);
}
