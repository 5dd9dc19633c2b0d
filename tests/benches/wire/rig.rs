//! A session of the tiny image, the wire that it has, and programs in its container through the engine's API.

use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::available_parallelism;

use jiff::Timestamp;
use mizzen_docker::{Endpoint, Engine, ExecIo, ExecSpec};
use mizzen_sessions::{
    Identity, SessionSettings, Sessions, SessionsDeps, SupervisorFiles, UpRequest, WorkspaceKind,
    deaf,
};
use mizzen_tasks::Owner;
use mizzen_tests::engines;
use mizzen_tests::on_engine::OnEngine;
use mizzen_tests::own_core::{USER, supervisor, tiny_image};
use mizzen_tests::syncing::NothingToSync;
use mizzen_wire::{Hello, Way, Wire, connect};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::alone;

const NAME: &str = "bench";

pub(crate) struct Rig {
    owner: Owner,
    engine: Engine,
    sessions: Sessions,
    container: String,
    on_engine: OnEngine,
    _folder: TempDir,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().join("state");
        let identity = Identity::load(&state_dir).unwrap();
        let on_engine = OnEngine::of(identity.as_str(), None);
        let dir = folder.path().join(NAME);
        std::fs::create_dir(&dir).unwrap();
        chown(&dir, Some(USER), Some(USER)).expect("engine benches run as root");

        let owner = Owner::root("bench");
        let socket = Endpoint::Unix("/var/run/docker.sock".into());
        // All of the machine's processors: nothing is held back.
        let settings = SessionSettings {
            max_running: 1,
            memory_budget_bytes: None,
            remote_engines: Vec::new(),
            image: Some(tiny_image().unwrap()),
            memory_bytes: 1 << 30,
            cpus: available_parallelism().unwrap().get() as f64,
        };
        let deps = SessionsDeps {
            identity,
            engines: engines::only("bench", socket),
            state_dir,
            home: None,
            supervisors: SupervisorFiles::One(supervisor()),
            extra_ca: Vec::new(),
            syncing: Arc::new(NothingToSync),
            settings: watch::channel(settings).1,
            clock: Arc::new(Timestamp::now),
            at_step: None,
        };
        let sessions = Sessions::spawn(&owner, deps).unwrap();
        let engine = sessions.engine_in_use("bench").expect("it is selected");
        let request = UpRequest {
            dir,
            workspace: Some(WorkspaceKind::Bind),
            ..UpRequest::default()
        };
        let done = sessions.up(request, deaf()).await.unwrap();
        Self {
            owner,
            engine,
            sessions,
            container: done.session.unwrap().container_id.clone().unwrap(),
            on_engine,
            _folder: folder,
        }
    }

    /// A program's output and input, without anything of ours in between.
    pub(crate) async fn exec(&self, argv: &[&str]) -> ExecIo {
        let spec = ExecSpec::new(argv.iter().copied());
        self.engine.exec(&self.container, &spec).await.unwrap().io
    }

    /// The same without our client.
    pub(crate) fn exec_alone(&self, argv: &[&str]) -> UnixStream {
        alone::exec(&self.container, argv)
    }

    /// The session's own wire.
    pub(crate) async fn wire(&self) -> Wire {
        let wire = self.sessions.wire(NAME).await.unwrap();
        assert_eq!(wire.way(), Way::DirectLine);
        wire
    }

    /// The wire as it is where there is no direct line.
    pub(crate) async fn wire_on_stdio(&self) -> Wire {
        let io = self
            .exec(&["/usr/local/bin/mizzen-supervisor", "attach"])
            .await;
        connect(&self.owner, io, Hello::new("bench", "0"), None)
            .await
            .unwrap()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.on_engine.remove_all();
    }
}
