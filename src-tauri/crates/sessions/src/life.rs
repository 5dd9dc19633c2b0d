//! What accompanies a container while it runs: the wire to its supervisor, and its reports.

use mizzen_docker::Engine;
use mizzen_tasks::{Owner, Task};
use tokio::sync::mpsc;

use crate::para::ParaDirs;
use crate::record::Record;
use crate::reports::{self, Heard};
use crate::wiring::{self, LinePort, Peer};

/// Where a session's life is published; the same for all its containers.
#[derive(Clone)]
pub(crate) struct LifePorts {
    pub(crate) line: LinePort,
    pub(crate) heard: mpsc::Sender<Heard>,
}

/// Dropped, both tasks stop.
pub(crate) struct Life {
    _wire: Task,
    _reports: Task,
}

impl Life {
    /// Follows a container that runs.
    pub(crate) fn begin(
        owner: &Owner,
        engine: &Engine,
        record: &Record,
        container: &str,
        ports: &LifePorts,
    ) -> Self {
        let status = ParaDirs::of(&record.project, &record.name).status;
        let peer = Peer {
            engine: engine.clone(),
            container: container.to_owned(),
            status: status.clone(),
            user: record.user,
        };
        let keep = wiring::keep(owner.clone(), peer, ports.line.clone());
        Self {
            _wire: owner.spawn_held("wire", keep),
            _reports: owner.spawn_held(
                "reports",
                reports::follow(status, record.user.uid, ports.heard.clone()),
            ),
        }
    }
}
