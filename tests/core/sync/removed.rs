//! A removal that is cut off by the end of its core, at each of its steps: the next core carries it on, and what was
//! written in the container until then is here.

use std::path::Path;
use std::process::{Child, Stdio};

use mizzen_core::Client;
use mizzen_core::verb::{RemoveParams, Verb};
use mizzen_core::view::SyncState;
use mizzen_tests::own_core::docker;
use mizzen_tests::rig::{Mizzen, until, within};

use super::{inside, is, synced, volume, write};

const STEPS: [&str; 4] = [
    "remove: intent",
    "remove: stopped",
    "remove: container",
    "remove: files",
];

/// Ends with the test, if it has not before.
struct Doomed(Child);

impl Drop for Doomed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Removes the session `web` by a core that dies at a step of that.
async fn removed_until(mizzen: &Mizzen, step: &str, volumes: bool) {
    assert_eq!(mizzen.run(&["serve", "--stop"]).code, 0);
    let mut core = mizzen.program("doomed-core");
    let core = core
        .args(["serve", step])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut core = Doomed(core.spawn().expect("it runs"));
    let connected = async {
        loop {
            match Client::connect(&mizzen.dirs()).await {
                Ok(client) if client.core_pid() == core.0.id() => return client,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    let client = within("a core that is about to die", connected).await;
    until(&client, "in step", is(SyncState::InStep)).await;
    // Whether that is carried before the removal begins or by it: nobody waits.
    inside(mizzen, "echo last > /workspace/last.txt");
    let params = RemoveParams {
        session: "web".to_owned(),
        force: true,
        volumes,
    };
    let removed = within("the end of the core", client.run(Verb::Remove(params))).await;
    assert!(removed.is_err(), "{step}: it died before its answer");
    within("the end of the core", client.closed()).await;
    let ended = core.0.wait().expect("it ends");
    assert_eq!(ended.code(), None, "{step}: it died there");
}

async fn is_carried_on(mizzen: &Mizzen, folder: &Path, step: &str) {
    let client = mizzen.client().await;
    until(&client, "gone", |snapshot| snapshot.sessions.is_empty()).await;
    let left = ["container", "network"].map(|kind| mizzen.leftovers(kind));
    assert_eq!(left, [[""; 0]; 2], "{step}");
    let last = std::fs::read_to_string(folder.join("last.txt"));
    assert_eq!(last.ok().as_deref(), Some("last\n"), "{step}");
    assert!(folder.join("hello.txt").exists(), "{step}");
}

#[tokio::test]
async fn a_removal_that_is_cut_off_goes_on_and_leaves_the_volume_with_what_is_only_there() {
    for step in STEPS {
        let mizzen = Mizzen::new();
        let folder = mizzen.project("p");
        write(&folder, ".env", "OURS=1\n");
        drop(synced(&mizzen, &folder).await);
        // No rule of the folder's lets it out: it is nowhere else.
        inside(&mizzen, "echo THEIRS=1 > /workspace/.env");
        removed_until(&mizzen, step, false).await;
        is_carried_on(&mizzen, &folder, step).await;
        let image = mizzen_tests::own_core::tiny_image().expect("an image");
        let mount = format!("{}:/v", volume(&mizzen));
        let read = [
            "run",
            "--rm",
            "--network=none",
            "--user=0",
            "--entrypoint=cat",
            "-v",
            &mount,
            &image,
        ];
        let held = docker(&[&read[..], &["/v/.env", "/v/last.txt"]].concat());
        assert_eq!(held.expect("a volume"), "THEIRS=1\nlast", "{step}");
        let again = folder.to_str().expect("UTF-8");
        mizzen.json(&["up", again, "--name", "web", "--workspace", "sync"]);
        assert_eq!(inside(&mizzen, "cat /workspace/.env"), "THEIRS=1", "{step}");
    }
}

#[tokio::test]
async fn a_removal_with_volumes_that_is_cut_off_brings_what_was_written_and_leaves_nothing() {
    for step in STEPS {
        let mizzen = Mizzen::new();
        let folder = mizzen.project("p");
        drop(synced(&mizzen, &folder).await);
        removed_until(&mizzen, step, true).await;
        is_carried_on(&mizzen, &folder, step).await;
        assert_eq!(mizzen.leftovers("volume"), [""; 0], "{step}");
        assert!(!folder.join(".para").exists(), "{step}");
    }
}
