//! An engine that goes away and comes back, played by a proxy before the real one.

use std::path::{Path, PathBuf};

use mizzen_sessions::{ErrorKind, State, UpRequest, Wish, deaf};
use mizzen_tasks::Owner;
use tokio::net::{UnixListener, UnixStream};

use crate::rig::{Rig, Root, SOCKET, settings};

/// Passes connections on to the engine until it is dropped: then all break, and its socket is gone.
struct Proxy {
    owner: Owner,
    socket: PathBuf,
}

impl Proxy {
    fn start(socket: &Path) -> Self {
        let owner = Owner::root("proxy");
        let listener = UnixListener::bind(socket).unwrap();
        let connections = owner.clone();
        owner.child("accept").spawn("accept", async {});
        let accept = async move {
            while let Ok((mut client, _)) = listener.accept().await {
                connections.spawn("pass", async move {
                    if let Ok(mut engine) = UnixStream::connect(SOCKET).await {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut engine).await;
                    }
                });
            }
        };
        owner.spawn("listen", accept);
        Self {
            owner,
            socket: socket.to_owned(),
        }
    }

    async fn cut(self) {
        self.owner.shut_down(crate::rig::SOON).await;
        std::fs::remove_file(&self.socket).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_lost_with_their_engine_and_return_to_the_truth() {
    let root = Root::new();
    let socket = root.path().join("engine.sock");
    let proxy = Proxy::start(&socket);
    let rig = Rig::on(root.clone(), socket.to_str().unwrap(), settings());
    rig.up("runs").await;
    let stopped = rig.up("stops").await.container_id.unwrap();

    proxy.cut().await;
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
        .up(
            UpRequest {
                dir: dir.clone(),
                ..UpRequest::default()
            },
            deaf(),
        )
        .await
        .expect_err("no engine");
    assert_eq!(error.kind, ErrorKind::EngineUnreachable);
    assert!(!dir.join(".para").exists());

    crate::rig::docker(&["stop", &stopped]);
    let _proxy = Proxy::start(&socket);
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
