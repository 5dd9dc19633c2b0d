//! What is refused, and what fails: each names why and the next step, and leaves nothing behind.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use expect_test::{Expect, expect};
use mizzen_sessions::{
    ErrorKind, Phase, SessionError, SessionSettings, State, UpRequest, Wish, deaf,
};

use crate::rig::{Rig, docker, image_with, mounted, of_folder, settings};

async fn refused(rig: &Rig, request: UpRequest) -> SessionError {
    rig.sessions
        .up(request, deaf())
        .await
        .expect_err("must be refused")
}

fn nothing_is_left(rig: &Rig, dir: &Path) {
    for kind in ["container", "network", "volume"] {
        assert!(
            rig.root.on_engine(kind).is_empty(),
            "{kind}: {:?}",
            rig.root.on_engine(kind)
        );
    }
    assert!(!dir.join(".para").exists(), "files in the project");
    assert!(rig.sessions.watch().borrow().is_empty(), "a session");
}

fn check(what: &str, error: &SessionError, dir: &Path, expected: Expect) {
    let said = format!(
        "{:?} {:?}: {} {}",
        error.kind, error.phase, error.message, error.hint
    );
    let said = said.replace(&dir.display().to_string(), "DIR");
    expected.assert_eq(&format!("{what}: {said}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_names_and_folders() {
    let rig = Rig::new();
    let dir = rig.root.project("web");
    let long = "n".repeat(300);
    for name in ["shared", "../x", long.as_str(), "", "a/b", "-rf", "CON"] {
        let request = UpRequest {
            dir: dir.clone(),
            name: Some(name.to_owned()),
            ..mounted()
        };
        assert_eq!(
            refused(&rig, request).await.kind,
            ErrorKind::Usage,
            "{name}"
        );
    }
    let missing = dir.join("nowhere");
    check(
        "no folder",
        &refused(&rig, of_folder(&missing)).await,
        &dir,
        expect![
            "no folder: Usage Some(Check): There is no folder `DIR/nowhere`. Check the path, or make the folder first."
        ],
    );
    let root_owned = rig.root.project("roots");
    chown(&root_owned, Some(0), Some(0)).unwrap();
    check(
        "root's folder",
        &refused(&rig, of_folder(&root_owned)).await,
        &root_owned,
        expect![
            "root's folder: Policy Some(Check): `DIR` belongs to root, and a session never runs as root. Give it to a user: chown -R 1000:1000 DIR"
        ],
    );
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o000)).unwrap();
    check(
        "a locked folder",
        &refused(&rig, of_folder(&dir)).await,
        &dir,
        expect![
            "a locked folder: Policy Some(Check): The owner of `DIR` (uid 4321) may not read and write it. Allow it: chmod u+rwx DIR"
        ],
    );
    nothing_is_left(&rig, &dir);
    rig.end().await;
}

/// Whoever comes second is not told that the session of the other's folder runs. On one thread neither sees the other's yet.
#[tokio::test]
async fn of_two_folders_that_ask_for_one_name_at_once_the_second_is_refused() {
    let rig = Rig::new();
    let [one, two] = ["one", "two"].map(|name| rig.root.project(name));
    let up = |dir: &Path, name: &str| {
        let request = UpRequest {
            name: Some(name.to_owned()),
            ..of_folder(dir)
        };
        rig.sessions.up(request, deaf())
    };
    let (first, again, second) = tokio::join!(up(&one, "Web"), up(&one, "web"), up(&two, "web"));
    assert_eq!(first.unwrap().message, "Session `Web` is running.");
    again.expect("it is the same folder's");
    check(
        "name",
        &second.expect_err("must be refused"),
        &one,
        expect![
            "name: State Some(Check): There is a session `Web` already, of `DIR`. Give another name with --name."
        ],
    );
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_not_there() {
    let rig = Rig::new();
    let dir = rig.root.project("web");
    let request = UpRequest {
        dir: dir.clone(),
        image: Some("no/such:image".to_owned()),
        ..mounted()
    };
    check(
        "image",
        &refused(&rig, request).await,
        &dir,
        expect![
            "image: Failed Some(Image): The engine has no image `no/such:image`. Fetch it (docker pull no/such:image), or leave the image out to use Mizzen's own."
        ],
    );
    nothing_is_left(&rig, &dir);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_cannot_be_worked_in_is_taken_back() {
    let rig = Rig::new();
    let dir = rig.root.project("web");
    // Its mode says that it can be written, and its file system that it cannot.
    mount_read_only(&dir);
    let error = refused(&rig, of_folder(&dir)).await;
    unmount(&dir);
    assert!(
        matches!(error.phase, Some(Phase::Container | Phase::Workspace)),
        "{error:?}"
    );
    assert!(!error.hint.is_empty());
    nothing_is_left(&rig, &dir);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_leaves_the_container_as_a_stop_does() {
    let rig = Rig::new();
    let dir = rig.root.project("web");
    let first = rig.up("web").await;
    rig.wish("web", Wish::Stop).await.expect("stopped");
    mount_read_only(&dir);
    let error = rig.wish("web", Wish::Start).await.expect_err("read-only");
    unmount(&dir);
    assert_eq!(error.phase, Some(Phase::Workspace), "{error:?}");
    assert_eq!(rig.state("web"), Some(State::Failed));
    assert_eq!(rig.fact("web").unwrap().container_id, first.container_id);
    assert!(rig.root.on_engine("network").is_empty());
    rig.end().await;
}

fn mount_read_only(dir: &Path) {
    let run = |args: &[&str]| {
        let status = std::process::Command::new("mount")
            .args(args)
            .status()
            .unwrap();
        assert!(status.success(), "mount {args:?}");
    };
    let dir = dir.to_str().unwrap();
    run(&["--bind", dir, dir]);
    run(&["-o", "remount,ro,bind", dir]);
}

fn unmount(dir: &Path) {
    assert!(
        std::process::Command::new("umount")
            .arg(dir)
            .status()
            .unwrap()
            .success()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_ends_at_once_is_taken_back() {
    for (program, memory_bytes, expected) in [
        (
            "#!/bin/sh\necho no such luck >&2\nexit 3\n",
            64 << 20,
            expect![
                "ended: Failed Some(Supervisor): The container ended with exit code 3 and said: no such luck. Check the image, or leave it out to use Mizzen's own."
            ],
        ),
        (
            "#!/bin/sh\nexec tail /dev/zero\n",
            16 << 20,
            expect![
                "ended: Failed Some(Supervisor): The container ran out of memory while it started; its limit is 16 MiB. Give it more with --memory."
            ],
        ),
    ] {
        let rig = Rig::new();
        let dir = rig.root.project("web");
        let image = image_with(&rig.root, program);
        let request = UpRequest {
            dir: dir.clone(),
            memory_bytes: Some(memory_bytes),
            image: Some(image.clone()),
            ..mounted()
        };
        let error = refused(&rig, request).await;
        docker(&["rmi", &image]);
        check("ended", &error, &dir, expected);
        nothing_is_left(&rig, &dir);
        rig.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sixth_session_is_refused_and_a_paused_one_counts() {
    let rig = Rig::with(SessionSettings {
        memory_bytes: 64 << 20,
        ..settings()
    });
    for name in ["one", "two", "three", "four", "five"] {
        rig.up(name).await;
    }
    rig.wish("five", Wish::Pause).await.expect("paused");
    let dir = rig.root.project("six");
    let error = refused(&rig, of_folder(&dir)).await;
    check(
        "limit",
        &error,
        &dir,
        expect![
            "limit: Limit Some(Check): 5 sessions run already on the engine `default` (five, four, one, three, two) and `max_running` is 5. Stop one (paused ones count too), or raise `max_running` in the settings."
        ],
    );
    assert_eq!(rig.root.on_engine("container").len(), 5);
    rig.wish("one", Wish::Stop).await.expect("stopped");
    rig.up("six").await;
    let error = rig.wish("one", Wish::Start).await.expect_err("no room");
    assert_eq!(
        (error.kind, rig.state("one")),
        (ErrorKind::Limit, Some(State::Stopped))
    );
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn states_refuse_what_makes_no_sense() {
    let rig = Rig::new();
    rig.up("web").await;
    let dir = rig.root.project("web");
    let remove = Wish::Remove {
        force: false,
        volumes: false,
    };
    check(
        "running",
        &rig.wish("web", remove).await.unwrap_err(),
        &dir,
        expect![
            "running: State None: Session `web` is running and is not removed. Stop it first (mizzen stop web), or remove it all the same: mizzen rm --force web"
        ],
    );
    rig.wish("web", Wish::Stop).await.expect("stopped");
    check(
        "stopped",
        &rig.wish("web", Wish::Pause).await.unwrap_err(),
        &dir,
        expect![
            "stopped: State None: Session `web` is stopped and cannot be paused. Start it: mizzen start web"
        ],
    );
    check(
        "unknown",
        &rig.wish("nobody", Wish::Stop).await.unwrap_err(),
        &dir,
        expect!["unknown: NotFound None: There is no session `nobody`. See `mizzen list`."],
    );
    rig.end().await;
}
