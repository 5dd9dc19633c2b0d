//! Work on one session, from its first phase to its last, and back when it fails.
//!
//! A job owns the session's record while it runs. It is never dropped in the middle of a change: an interruption is
//! asked for, noticed between steps, and undone like any failure.

mod ending;
mod history;
mod make;
mod network;
mod phases;
mod start;
mod undo;

use std::sync::Arc;
use std::time::Duration;

use mizzen_docker::{DockerError, DockerErrorKind, Engine};
use mizzen_tasks::Owner;
use mizzen_wire::Wire;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::actor::Told;
use crate::carrying::{self, Ends};
use crate::error::{ErrorKind, SessionError};
use crate::fact::{CodeServer, Reason};
use crate::life::{self, Life, LifePorts};
use crate::machine::{Phase, Seen, Wanted, Work};
use crate::record::{Intent, Record};
use crate::reports::{self, Heard};
use crate::spec::STOP_GRACE;
use crate::workspace::{Flushed, InStep, WorkspaceKind};
use crate::world::World;

use phases::Phases;

/// How long a container that is to end may be waited for, so that its workspace is in step.
const LAST_SYNC: Duration = Duration::from_secs(30);
/// How long who kept it in step before a freeze may take to let go of it, and between two looks whether they have.
const HANDING_OVER: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(100);

/// What a job does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Make what is missing and start. With `remake` a container that is there is replaced.
    Start { remake: bool },
    /// Shut down.
    Stop,
    /// Freeze.
    Pause,
    /// Thaw.
    Resume,
    /// Take everything away.
    Remove { volumes: bool },
    /// Take away what a start left when Mizzen was killed.
    Undo,
}

impl Task {
    /// The machine's word for it.
    pub(crate) fn work(&self) -> Work {
        match self {
            Self::Start { .. } => Work::Start,
            Self::Stop => Work::Stop,
            Self::Pause => Work::Pause,
            Self::Resume => Work::Resume,
            Self::Remove { .. } | Self::Undo => Work::Remove,
        }
    }
}

/// Work under way.
pub(crate) struct Job {
    pub(crate) world: Arc<World>,
    pub(crate) owner: Owner,
    pub(crate) engine: Engine,
    pub(crate) record: Record,
    pub(crate) ports: LifePorts,
    /// What the engine last said, from the moment the job began.
    pub(crate) seen: watch::Receiver<Option<Seen>>,
    pub(crate) cancel: CancellationToken,
    pub(crate) phases: Phases,
    pub(crate) life: Option<Life>,
    /// Who keeps the workspace in step already.
    pub(crate) in_step: Option<Arc<dyn InStep>>,
    /// The wire that stood when the job began: a session that is to go lets go of it.
    pub(crate) wire: Option<Wire>,
    /// Whether somebody else keeps a wire to the container meanwhile.
    pub(crate) accompanied: bool,
    pub(crate) code_server: CodeServer,
    /// What the container said at the end of a start.
    pub(crate) heard: Option<Heard>,
    /// Why history was not brought there or back.
    pub(crate) history_trouble: Option<Reason>,
    /// Whether anything was changed; a start that is refused changes nothing.
    pub(crate) touched: bool,
}

/// What is left of a job.
pub(crate) struct Ended {
    pub(crate) record: Record,
    /// The session is gone, by wish or by being undone.
    pub(crate) vanished: bool,
    pub(crate) life: Option<Life>,
    pub(crate) code_server: CodeServer,
    pub(crate) heard: Option<Heard>,
    pub(crate) history_trouble: Option<Reason>,
    pub(crate) touched: bool,
    pub(crate) result: Result<(), SessionError>,
}

/// Where a job reports.
pub(crate) fn phases(tell: mpsc::Sender<Told>) -> Phases {
    Phases::new(tell)
}

impl Job {
    /// Carries a task out.
    pub(crate) async fn run(mut self, task: Task) -> Ended {
        let (result, vanished) = match &task {
            Task::Start { remake } => self.start_or_undo(*remake).await,
            Task::Stop => (self.stop().await, false),
            Task::Pause => (self.pause().await, false),
            Task::Resume => (self.resume().await, false),
            Task::Remove { volumes } => standing_if_err(self.remove(*volumes).await),
            Task::Undo => self.undo_interrupted().await,
        };
        if let Err(error) = &result {
            tracing::info!(session = %self.record.name, ?task, %error, "did not come about");
            self.phases.fail(&error.message).await;
        }
        Ended {
            vanished,
            result: result.map_err(|error| self.phases.locate(error)),
            record: self.record,
            life: self.life,
            code_server: self.code_server,
            heard: self.heard,
            history_trouble: self.history_trouble,
            touched: self.touched,
        }
    }

    async fn stop(&mut self) -> Result<(), SessionError> {
        self.phases.enter(Phase::Stop).await;
        self.remember_wanted(Wanted::Down).await?;
        if let Some(id) = self.container_id() {
            self.shut_down(&id).await?;
            self.give_network_back().await;
        }
        self.phases.leave("").await;
        Ok(())
    }

    /// Ends a container in good order, its workspace in step if that can be; one that is down or gone is no error.
    async fn shut_down(&mut self, id: &str) -> Result<(), SessionError> {
        let fact = self.engine.inspect(id).await?;
        if fact.as_ref().map(crate::words::seen) == Some(Seen::Paused) {
            // A frozen process cannot heed a signal.
            unless_gone(self.engine.unpause(id).await)?;
        }
        let is_up = fact.is_some_and(|fact| fact.is_up());
        let patience = match is_up && self.keep_in_step(id) {
            true => HANDING_OVER,
            false => Duration::ZERO,
        };
        let all_is_here = self.last_sync(patience).await.and(self.last_fetch().await);
        unless_gone(self.engine.stop(id, STOP_GRACE).await)?;
        self.fetch_last_words().await;
        self.record.only_there = all_is_here.and(self.last_of_mirror().await).err();
        Ok(())
    }

    /// Has the workspace kept in step where nobody does: a container that was frozen, or one whose removal a crash of
    /// Mizzen cut off. Answers whether that has begun.
    fn keep_in_step(&mut self, id: &str) -> bool {
        if self.in_step.is_some() || !self.record.workspace.has_volume() {
            return false;
        }
        let (engine, record, ports) = (&self.engine, &self.record, &self.ports);
        if !self.accompanied {
            self.life = Some(Life::begin(&self.owner, engine, record, id, ports));
        }
        self.in_step = life::in_step(&self.world, engine, record, ports);
        true
    }

    /// What a container wrote of itself until its end, where it did not write it here.
    async fn fetch_last_words(&self) {
        if let Some(id) = self.container_id().filter(|_| self.record.is_carried()) {
            carrying::fetch(&self.engine, &id, &Ends::of(&self.record)).await;
        }
    }

    /// What is not carried by now stays in the volume, which outlives the container. Answers whether all is here, and
    /// what is not, in a sentence.
    async fn last_sync(&self, patience: Duration) -> Result<(), String> {
        let Some(in_step) = &self.in_step else {
            // It did not run: what was known of its volume still holds.
            return self.record.only_there.clone().map_or(Ok(()), Err);
        };
        let lines = self.phases.lines(Phase::Stop);
        lines.say("The workspace is brought in step.".to_owned());
        let until = Instant::now() + patience;
        let flushing = async {
            loop {
                let saying = lines.clone();
                match in_step.flush(Box::new(move |line| saying.say(line))).await {
                    Flushed::Failed(_) if Instant::now() < until => sleep(AGAIN).await,
                    flushed => return flushed,
                }
            }
        };
        let why = match tokio::time::timeout(LAST_SYNC, flushing).await {
            Ok(Flushed::Carried { said, only_there }) => {
                lines.say(said);
                return only_there.map_or(Ok(()), Err);
            }
            Ok(Flushed::Failed(why)) => why,
            Err(_) => "It took too long.".to_owned(),
        };
        tracing::warn!(session = %self.record.name, why, "no last sync");
        lines.say(format!("Not all of the workspace was brought here: {why}"));
        Err(format!("Its last sync failed: {why}"))
    }

    /// Whether a container that keeps a mirror itself came to the end of its last sync. Known here: it has ended.
    async fn last_of_mirror(&self) -> Result<(), String> {
        let is_behind = self.record.workspace == WorkspaceKind::Mirror
            && self.in_step.is_some()
            && !reports::ended_in_step(&self.record).await;
        match is_behind {
            true => Err("Its container did not say that its last sync came to its end.".to_owned()),
            false => Ok(()),
        }
    }

    async fn pause(&mut self) -> Result<(), SessionError> {
        self.remember_wanted(Wanted::Up).await?;
        let id = self.existing_container()?;
        Ok(self.engine.pause(&id).await?)
    }

    async fn resume(&mut self) -> Result<(), SessionError> {
        self.remember_wanted(Wanted::Up).await?;
        let id = self.existing_container()?;
        self.engine.unpause(&id).await?;
        self.ports.line.retry.notify_one();
        Ok(())
    }

    async fn remove(&mut self, volumes: bool) -> Result<(), SessionError> {
        self.phases.enter(Phase::Remove).await;
        self.meet_engine().await?;
        self.record.wanted = Wanted::Down;
        self.record.intent = Some(Intent::Remove { volumes });
        self.remember().await?;
        self.world.step("remove: intent");
        if let Some(id) = self.container_id() {
            self.shut_down(&id).await?;
        }
        self.world.step("remove: stopped");
        self.archive().await;
        let volumes = if volumes {
            self.record.volumes(&self.world.identity)
        } else {
            Vec::new()
        };
        self.take_away(&volumes).await?;
        self.phases.leave("").await;
        Ok(())
    }

    /// Writes the record; it is on disk when this returns.
    async fn remember(&self) -> Result<(), SessionError> {
        Ok(self.world.registry.put(self.record.clone()).await?)
    }

    async fn remember_wanted(&mut self, wanted: Wanted) -> Result<(), SessionError> {
        self.record.wanted = wanted;
        self.remember().await
    }

    fn container_id(&self) -> Option<String> {
        self.record
            .container
            .as_ref()
            .and_then(|container| container.id.clone())
    }

    fn existing_container(&self) -> Result<String, SessionError> {
        self.container_id().ok_or_else(|| {
            let message = format!("Session `{}` has no container.", self.record.name);
            SessionError::new(
                ErrorKind::State,
                message,
                format!("Make one: mizzen start {}", self.record.name),
            )
        })
    }

    /// Refuses to go on when somebody asked for something else meanwhile.
    fn go_on(&self) -> Result<(), SessionError> {
        if self.cancel.is_cancelled() {
            Err(self.interrupted())
        } else {
            Ok(())
        }
    }

    fn interrupted(&self) -> SessionError {
        let message = format!(
            "The start of session `{}` was given up by another command.",
            self.record.name
        );
        SessionError::new(
            ErrorKind::State,
            message,
            format!("Start it again: mizzen start {}", self.record.name),
        )
    }
}

fn standing_if_err(result: Result<(), SessionError>) -> (Result<(), SessionError>, bool) {
    let vanished = result.is_ok();
    (result, vanished)
}

/// Takes "there is none" for done.
fn unless_gone(result: Result<(), DockerError>) -> Result<(), DockerError> {
    match result {
        Err(error) if error.kind == DockerErrorKind::NotFound => Ok(()),
        other => other,
    }
}
