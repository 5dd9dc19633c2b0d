//! An engine that goes away and comes back, or is slow to answer, played by a proxy before the real one.

use mizzen_sessions::{ErrorKind, State, Wish, deaf};
use mizzen_tests::proxy::Proxy;
use tokio::sync::mpsc;

use crate::rig::{Rig, Root, of_folder, settings};

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_lost_with_their_engine_and_return_to_the_truth() {
    let root = Root::new();
    let socket = root.path().join("engine.sock");
    let proxy = Proxy::start(&socket).unwrap();
    let rig = Rig::on(root.clone(), socket.to_str().unwrap(), settings());
    rig.up("runs").await;
    let stopped = rig.up("stops").await.container_id.unwrap();

    proxy.cut().await.unwrap();
    for name in ["runs", "stops"] {
        let fact = rig.until_state(name, State::Lost).await;
        assert!(
            fact.reason
                .as_ref()
                .is_some_and(|reason| !reason.hint.is_empty()),
            "{fact:?}"
        );
    }
    let error = rig.wish("runs", Wish::Stop).await.expect_err("no engine");
    assert_eq!(error.kind, ErrorKind::EngineUnreachable);
    let dir = root.project("new");
    let error = rig
        .sessions
        .up(of_folder(&dir), deaf())
        .await
        .expect_err("no engine");
    assert_eq!(error.kind, ErrorKind::EngineUnreachable);
    assert!(!dir.join(".para").exists());

    crate::rig::docker(&["stop", &stopped]);
    let _proxy = Proxy::start(&socket).unwrap();
    rig.engine.retry_now();
    rig.until("runs", "running and wired", |fact| {
        fact.state == State::Running && fact.wired
    })
    .await;
    let fact = rig.until_state("stops", State::Stopped).await;
    assert_eq!(
        fact.reason.as_ref().unwrap().message,
        "Its container was stopped outside Mizzen."
    );
    rig.end().await;
}

/// An engine answers no look at a container before it has taken its network and mounts down.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_outside_is_shown_before_the_engine_lets_anybody_look() {
    let root = Root::new();
    let socket = root.path().join("engine.sock");
    let proxy = Proxy::start(&socket).unwrap();
    let rig = Rig::on(root.clone(), socket.to_str().unwrap(), settings());
    let id = rig.up("web").await.container_id.unwrap();
    let (changed, mut changes) = mpsc::unbounded_channel();
    let _watch = mizzen_fsx::Watch::new([root.state_dir()], move || {
        let _ = changed.send(());
    })
    .unwrap();

    proxy.holds_looks.send_replace(true);
    crate::rig::docker(&["stop", &id]);
    let fact = rig.until_state("web", State::Stopped).await;
    assert_eq!(
        fact.reason.as_ref().unwrap().message,
        "Its container was stopped outside Mizzen."
    );

    // Files follow the look.
    proxy.holds_looks.send_replace(false);
    let registry = root.state_dir().join("registry.json");
    let kept = async {
        while !std::fs::read_to_string(&registry)
            .unwrap()
            .contains(r#""wanted": "down""#)
        {
            changes.recv().await.unwrap();
        }
    };
    tokio::time::timeout(crate::rig::SOON, kept).await.unwrap();
    rig.end().await;
}
