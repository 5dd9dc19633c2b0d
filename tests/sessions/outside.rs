//! What others do to containers behind our back.

use std::time::Duration;

use mizzen_sessions::{Health, NoticeKind, SessionSettings, State, Wish};

use crate::rig::{REMOVE_ALL, Rig, Root, SOCKET, docker, image_with_check, settings};

fn id(rig: &Rig) -> String {
    rig.fact("web")
        .and_then(|fact| fact.container_id.clone())
        .expect("a container")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_outside_is_followed_and_so_is_a_start() {
    let rig = Rig::new();
    rig.up("web").await;
    docker(&["stop", &id(&rig)]);
    let fact = rig.until_state("web", State::Stopped).await;
    assert_eq!(
        fact.reason.as_ref().unwrap().message,
        "Its container was stopped outside Mizzen."
    );
    docker(&["start", &id(&rig)]);
    let fact = rig
        .until("web", "running and wired", |fact| {
            fact.state == State::Running && fact.wired
        })
        .await;
    assert_eq!(fact.reason, None);
    docker(&["pause", &id(&rig)]);
    rig.until_state("web", State::Paused).await;
    docker(&["unpause", &id(&rig)]);
    rig.until_state("web", State::Running).await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_outside_is_a_failure_that_a_person_hears_of() {
    let rig = Rig::new();
    rig.up("web").await;
    docker(&["kill", &id(&rig)]);
    let fact = rig.until_state("web", State::Failed).await;
    assert_eq!(
        fact.reason.as_ref().unwrap().message,
        "Its container ended with exit code 137."
    );
    let notice = rig.notice().await;
    assert_eq!(
        (notice.kind, notice.session.as_str()),
        (NoticeKind::Died, "web")
    );
    rig.wish("web", Wish::Start).await.expect("started again");
    assert_eq!(rig.notice().await.kind, NoticeKind::Over);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_removed_outside_is_made_anew_by_a_start() {
    let rig = Rig::new();
    let first = rig.up("web").await;
    rig.inside("web", &["touch", "/home/coder/.config/kept"]);
    docker(&["rm", "--force", &id(&rig)]);
    let fact = rig.until_state("web", State::Failed).await;
    assert_eq!(
        fact.reason.as_ref().unwrap().message,
        "Its container was removed outside Mizzen."
    );
    assert_eq!(rig.notice().await.kind, NoticeKind::Gone);
    let fact = rig
        .wish("web", Wish::Start)
        .await
        .expect("made anew")
        .session
        .unwrap();
    assert_eq!(fact.state, State::Running);
    assert_ne!(fact.container_id, first.container_id);
    assert_eq!(
        rig.inside("web", &["ls", "/home/coder/.config/kept"]),
        "/home/coder/.config/kept"
    );
    assert_eq!(
        rig.root.on_engine("network").len(),
        1,
        "the old network is gone"
    );
    rig.end().await;
}

/// As `docker network prune` does with the networks of containers that are down.
#[tokio::test(flavor = "multi_thread")]
async fn a_network_removed_outside_is_made_anew_by_a_start() {
    let rig = Rig::new();
    let first = rig.up("web").await;
    docker(&["stop", &id(&rig)]);
    rig.until_state("web", State::Stopped).await;
    for network in rig.root.on_engine("network") {
        docker(&["network", "rm", &network]);
    }
    let done = rig.wish("web", Wish::Start).await.expect("started");
    let fact = done.session.expect("it is there");
    assert_eq!(
        (fact.state, &fact.container_id),
        (State::Running, &first.container_id)
    );
    assert_eq!(rig.root.on_engine("network").len(), 1);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_container_removed_outside_is_no_alarm() {
    let rig = Rig::new();
    rig.up("web").await;
    rig.wish("web", Wish::Stop).await.expect("stopped");
    docker(&["rm", &id(&rig)]);
    let fact = rig
        .until("web", "without a container", |fact| {
            fact.container_id.is_none()
        })
        .await;
    assert_eq!((fact.state, fact.reason.is_some()), (State::Stopped, true));
    assert!(
        rig.notices.lock().await.try_recv().is_err(),
        "nobody is alarmed"
    );
    rig.up("web").await;
    rig.end().await;
}

/// The kernel kills a process of a container with 16 MiB; a person hears of it, whoever survives.
#[tokio::test(flavor = "multi_thread")]
async fn out_of_memory_is_noticed() {
    let rig = Rig::with(SessionSettings {
        memory_bytes: 32 << 20,
        ..settings()
    });
    rig.up("web").await;
    docker(&[
        "update",
        "--memory",
        "16m",
        "--memory-swap",
        "16m",
        &id(&rig),
    ]);
    // The engine's client fails with the process it ran.
    let mut hog = std::process::Command::new("docker");
    hog.args(["exec", &id(&rig), "tail", "/dev/zero"]);
    let status = tokio::task::spawn_blocking(move || hog.status())
        .await
        .unwrap()
        .unwrap();
    assert!(!status.success());
    let notice = rig.notice().await;
    assert_eq!(notice.kind, NoticeKind::OutOfMemory, "{notice:?}");
    rig.end().await;
}

/// The same for the container's own process 1, which takes the container with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_the_kernel_ended_for_want_of_memory_says_so() {
    let rig = Rig::new();
    rig.up("web").await;
    let first = docker(&["inspect", "--format", "{{.State.Pid}}", &id(&rig)]);
    let score = format!("/proc/{first}/oom_score_adj");
    // The kernel picks the process with the highest score, however little it uses.
    let mut score = std::fs::File::options().write(true).open(score).unwrap();
    std::io::Write::write_all(&mut score, b"1000").unwrap();
    let mut hog = std::process::Command::new("docker");
    // Two of them: one alone would use as much as process 1 is said to.
    let hogs = "tail /dev/zero & tail /dev/zero";
    hog.args(["exec", &id(&rig), "sh", "-c", hogs]);
    let status = tokio::task::spawn_blocking(move || hog.status()).await;
    assert!(!status.unwrap().unwrap().success());
    let fact = rig.until_state("web", State::Failed).await;
    let reason = &fact.reason.as_ref().unwrap().message;
    assert!(reason.contains("memory"), "{reason}");
    let notice = rig.notice().await;
    assert_eq!(notice.kind, NoticeKind::OutOfMemory, "{notice:?}");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_health_check_that_fails_is_told_until_it_passes() {
    let root = Root::new();
    let image = image_with_check(&root, "test ! -e /workspace/ill");
    let settings = SessionSettings {
        image: Some(image.clone()),
        ..settings()
    };
    let rig = Rig::on(root, SOCKET, settings);
    rig.up("web").await;
    rig.inside("web", &["touch", "/workspace/ill"]);
    let notice = rig.notice().await;
    assert_eq!(notice.kind, NoticeKind::Unhealthy, "{notice:?}");
    rig.until("web", "unhealthy", |fact| fact.health == Health::Unhealthy)
        .await;
    rig.inside("web", &["rm", "/workspace/ill"]);
    assert_eq!(rig.notice().await.kind, NoticeKind::Over);
    let force = REMOVE_ALL;
    rig.wish("web", force).await.expect("removed");
    docker(&["rmi", &image]);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wire_that_is_cut_is_made_again() {
    let rig = Rig::new();
    rig.up("web").await;
    let wire = rig.sessions.wire("web").await.expect("a wire");
    rig.inside("web", &["sh", "-c", "for p in /proc/[0-9]*; do \
        tr '\\0' ' ' <$p/cmdline | grep -q '[m]izzen-supervisor attach' && kill -9 ${p#/proc/}; done; true"]);
    tokio::time::timeout(Duration::from_secs(20), wire.closed())
        .await
        .expect("the old wire ends");
    let again = rig.sessions.wire("web").await.expect("another wire");
    assert!(!again.is_closed());
    assert_eq!(rig.state("web"), Some(State::Running));
    rig.end().await;
}
