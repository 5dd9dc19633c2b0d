//! A container of the tiny image, and programs in it through the engine's API.

use std::os::unix::net::UnixStream;

use jiff::Timestamp;
use mizzen_docker::{Endpoint, Engine, EngineEvent, EngineOptions, ExecIo, ExecSpec};
use mizzen_tasks::Owner;
use mizzen_tests::own_core::{docker, tiny_image};
use mizzen_wire::{Hello, Wire, connect};
use tokio::sync::mpsc;

use crate::alone;

pub(crate) struct Rig {
    owner: Owner,
    engine: Engine,
    container: String,
    /// The engine's task ends with its listener.
    _events: mpsc::Receiver<EngineEvent>,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        let image = tiny_image().unwrap();
        let label = ("dev.mizzen.test", "bench");
        let started = docker(&[
            "run",
            "--detach",
            "--network=none",
            &format!("--label={}={}", label.0, label.1),
            &image,
        ]);
        let owner = Owner::root("bench");
        let options = EngineOptions {
            label: (label.0.to_owned(), label.1.to_owned()),
            now: Timestamp::now,
        };
        let socket = Endpoint::Unix("/var/run/docker.sock".into());
        let (engine, events) = Engine::spawn(&owner, "bench", socket, options);
        Self {
            owner,
            engine,
            container: started.unwrap().trim().to_owned(),
            _events: events,
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

    pub(crate) async fn wire(&self) -> Wire {
        let io = self
            .exec(&["/usr/local/bin/mizzen-supervisor", "attach"])
            .await;
        connect(&self.owner, io, Hello::new("bench", "0"))
            .await
            .unwrap()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // A container that is left over is visible by its label.
        let _ = docker(&["rm", "--force", &self.container]);
    }
}
