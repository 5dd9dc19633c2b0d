//! What accompanies a container while it runs: the wire to its supervisor, and its reports.

use std::sync::Arc;

use mizzen_docker::Engine;
use mizzen_tasks::{Owner, Task};
use tokio::sync::mpsc;

use crate::actor::Told;
use crate::carrying::{self, Ends};
use crate::git;
use crate::para::ParaDirs;
use crate::record::Record;
use crate::reports::{self, Listener};
use crate::wiring::{self, LinePort, Peer};
use crate::workspace::{InStep, SyncedWorkspace, Wires};
use crate::world::World;

/// Where a session's life is published; the same for all its containers.
#[derive(Clone)]
pub(crate) struct LifePorts {
    pub(crate) line: LinePort,
    pub(crate) listener: Listener,
}

/// Dropped, all of it stops.
pub(crate) struct Life {
    in_step: Option<Arc<dyn InStep>>,
    /// Brings history that is due.
    catching_up: Option<Task>,
    _wire: Task,
    _reports: Task,
    _carried: Option<[Task; 2]>,
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
        let ParaDirs { status, shared, .. } = ParaDirs::of(&record.project, &record.name);
        let carried = record.is_carried();
        let peer = Peer {
            engine: engine.clone(),
            container: container.to_owned(),
            status: status.clone(),
            user: record.user,
            shares_files: !carried,
        };
        let keep = wiring::keep(owner.clone(), peer, ports.line.clone());
        Self {
            in_step: None,
            catching_up: None,
            _wire: owner.spawn_held("wire", keep),
            _reports: owner.spawn_held(
                "reports",
                reports::follow(status, record.reports_owner(), ports.listener.clone()),
            ),
            _carried: carried.then(|| {
                let line = ports.line.line.subscribe();
                let share = carrying::share(engine.clone(), container.to_owned(), shared);
                [
                    owner.spawn_held("status", carrying::keep(line, Ends::of(record))),
                    owner.spawn_held("shared", share),
                ]
            }),
        }
    }

    /// Who keeps the workspace in step.
    pub(crate) fn in_step(&self) -> Option<Arc<dyn InStep>> {
        self.in_step.clone()
    }

    /// Carries nothing more: a container that is frozen does not answer.
    pub(crate) fn let_rest(&mut self) {
        self.in_step = None;
        self.catching_up = None;
    }

    /// Brings history that is due, there and back, as soon as that can be.
    pub(crate) fn catch_up(
        &mut self,
        owner: &Owner,
        (world, record): (&Arc<World>, &Record),
        ports: &LifePorts,
        tell: &mpsc::Sender<Told>,
    ) {
        let Some(in_step) = self.in_step.clone() else {
            return;
        };
        let due = git::Due {
            world: world.clone(),
            record: record.clone(),
            in_step,
            line: ports.line.clone(),
        };
        let tell = tell.clone();
        let bring = async move {
            git::catch_up(&due, |ended| tell.send(Told::History(ended))).await;
        };
        self.catching_up
            .get_or_insert_with(|| owner.spawn_held("history", bring));
    }

    /// Begins to keep a synced workspace in step, when nobody does yet; none for one that is mounted.
    pub(crate) fn keep_in_step(
        &mut self,
        world: &World,
        engine: &Engine,
        record: &Record,
        ports: &LifePorts,
    ) -> Option<Arc<dyn InStep>> {
        if self.in_step.is_none() {
            self.in_step = in_step(world, engine, record, ports);
        }
        self.in_step()
    }
}

/// Begins to keep a synced workspace in step; none for one that is mounted.
pub(crate) fn in_step(
    world: &World,
    engine: &Engine,
    record: &Record,
    ports: &LifePorts,
) -> Option<Arc<dyn InStep>> {
    let volume = record.workspace_volume(&world.identity)?;
    Some(world.syncing.begin(SyncedWorkspace {
        owner: world.identity.clone(),
        session: record.name.clone(),
        created_at: record.created_at,
        project: record.project.clone(),
        engine: engine.clone(),
        kind: record.workspace,
        volume,
        wires: Wires(ports.line.line.subscribe()),
    }))
}
