//! Start: from a record to a session that is ready, phase by phase.

use std::time::Duration;

use mizzen_docker::{ContainerFact, ContainerState, EngineInfo, LogOptions};
use mizzen_status::sanitise;
use mizzen_wire::{Control, SupervisorReport, Wire};
use tokio::time::{Instant, sleep, timeout_at};

use super::Job;
use crate::error::{ErrorKind, SessionError};
use crate::fact::{CodeServer, Reason};
use crate::folder;
use crate::life::Life;
use crate::machine::{Cause, Phase, Seen, Wanted};
use crate::provision::USER;
use crate::reports;
use crate::wiring::{self, Line};
use crate::words;
use crate::workspace::Flushed;
use crate::world::online;

/// How long the supervisor may take to answer.
const SUPERVISOR_DEADLINE: Duration = Duration::from_secs(30);
/// How long code-server may take to answer.
const CODE_SERVER_DEADLINE: Duration = Duration::from_secs(45);
/// Between two questions when the supervisor cannot be asked to wait.
const CODE_SERVER_PAUSE: Duration = Duration::from_millis(50);
/// Lines of a dead container's log that are shown.
const LAST_WORDS: u32 = 3;

/// How much of a start has to be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// Nothing was touched.
    Nothing,
    /// A container that was there was started.
    Started,
    /// A container was made, or began to be.
    Container,
}

impl Job {
    /// Starts; a failure takes back what it made. The second value says that the session is gone with it.
    pub(super) async fn start_or_undo(&mut self, remake: bool) -> (Result<(), SessionError>, bool) {
        let newborn = self.record.container.is_none() && self.record.intent.is_some();
        let mut made = Made::Nothing;
        let Err(error) = self.start(remake, newborn, &mut made).await else {
            return (Ok(()), false);
        };
        let error = self.phases.locate(error);
        self.life = None;
        self.touched = made != Made::Nothing;
        match self.undo(made, newborn).await {
            Ok(()) => (Err(error), newborn),
            Err(undo) => {
                let message = format!(
                    "{} What was made could not be taken away yet: {}",
                    error.message, undo.message
                );
                (Err(SessionError { message, ..error }), false)
            }
        }
    }

    async fn start(
        &mut self,
        remake: bool,
        newborn: bool,
        made: &mut Made,
    ) -> Result<(), SessionError> {
        let remake = self.check().await? || remake;
        self.go_on()?;
        let id = match self.usable_container(remake).await? {
            Some(fact) => {
                self.phases.enter(Phase::Image).await;
                self.phases.leave("The container is there already.").await;
                self.phases.enter(Phase::Container).await;
                self.rejoin_network(&fact).await?;
                fact.id
            }
            None => {
                let image = self.find_image().await?;
                self.phases.enter(Phase::Container).await;
                self.drop_old_container().await?;
                *made = Made::Container;
                self.make_container(&image, newborn).await?
            }
        };
        self.go_on()?;
        // From now on it may be written to, until an end in good order says otherwise.
        self.record.only_there = words::only_there_unless_told(self.record.workspace);
        self.remember_wanted(Wanted::Up).await?;
        if *made == Made::Nothing {
            *made = Made::Started;
        }
        self.engine.start(&id).await?;
        self.world.step("up: started");
        self.phases.leave("").await;
        let wire = self.meet_supervisor(&id).await?;
        let report = self.check_workspace(&wire).await?;
        match self.first_sync(&id).await? {
            true => self.bring_history(&wire, &id).await?,
            false => self.put_history_off(),
        }
        self.wait_for_code_server(&wire, report).await?;
        self.record.intent = None;
        self.remember().await?;
        self.world.step("up: done");
        Ok(())
    }

    /// Checks folder, engine, limits and room; answers whether the container must be made anew.
    async fn check(&mut self) -> Result<bool, SessionError> {
        self.phases.enter(Phase::Check).await;
        let folder = folder::inspect(&self.record.project, &self.world.off_limits())?;
        let owner_changed = folder.user != self.record.user;
        self.record.user = folder.user;
        let info = self.meet_engine().await?;
        self.record.limits.check()?;
        self.world
            .check_workspace(&self.engine, self.record.workspace)?;
        let settings = self.world.settings.borrow().clone();
        let key = self.record.name.key();
        let memory = self.record.limits.memory_bytes;
        let room = self.world.slots.take(
            (self.engine.name(), &key),
            memory,
            &settings,
            Some(info.memory_bytes),
        )?;
        self.phases
            .leave(room.warning.as_deref().unwrap_or_default())
            .await;
        Ok(owner_changed)
    }

    /// Asks who the engine is, and refuses one that is not the session's: what is missing there is not gone.
    pub(super) async fn meet_engine(&mut self) -> Result<EngineInfo, SessionError> {
        let info = online(&self.engine).await?;
        if self.record.is_not_on(info.id.as_deref()) {
            let Reason { message, hint } = words::reason(Cause::Elsewhere, &self.record, None);
            return Err(SessionError::new(
                ErrorKind::EngineUnreachable,
                message,
                hint,
            ));
        }
        if info.id.is_some() {
            self.record.engine_id.clone_from(&info.id);
        }
        Ok(info)
    }

    /// The session's container, when it is there and can be started as it is.
    async fn usable_container(&self, remake: bool) -> Result<Option<ContainerFact>, SessionError> {
        let Some(id) = self.container_id().filter(|_| !remake) else {
            return Ok(None);
        };
        let found = self.engine.inspect(&id).await?;
        Ok(found.filter(|fact| match fact.state {
            ContainerState::Created | ContainerState::Running | ContainerState::Exited => true,
            ContainerState::Paused | ContainerState::Restarting => true,
            ContainerState::Removing | ContainerState::Dead => false,
        }))
    }

    /// Waits for the wire, as long as the container lives.
    async fn meet_supervisor(&mut self, id: &str) -> Result<Wire, SessionError> {
        self.phases.enter(Phase::Supervisor).await;
        self.life = Some(Life::begin(
            &self.owner,
            &self.engine,
            &self.record,
            id,
            &self.ports,
        ));
        let mut line = self.ports.line.line.subscribe();
        let up = line.wait_for(|line| matches!(line, Line::Up(_)));
        let deadline = Instant::now() + SUPERVISOR_DEADLINE;
        let met = tokio::select! {
            up = timeout_at(deadline, up) => match up {
                Ok(Ok(line)) => match &*line {
                    Line::Up(wire) => Some(wire.clone()),
                    Line::Down(_) => None,
                },
                _ => None,
            },
            error = self.broken_off(id) => return Err(error),
        };
        let Some(wire) = met else {
            return Err(self.silent_supervisor());
        };
        self.world.step("up: wired");
        self.phases.leave("").await;
        Ok(wire)
    }

    fn silent_supervisor(&self) -> SessionError {
        let why = match &*self.ports.line.line.borrow() {
            Line::Down(Some(why)) => format!(": {why}"),
            Line::Down(None) | Line::Up(_) => String::new(),
        };
        let seconds = SUPERVISOR_DEADLINE.as_secs();
        let message = format!("The supervisor did not answer within {seconds} s{why}.");
        let hint = format!("See what it said: mizzen logs {}", self.record.name);
        SessionError::new(ErrorKind::Failed, message, hint)
    }

    async fn check_workspace(&mut self, wire: &Wire) -> Result<SupervisorReport, SessionError> {
        self.phases.enter(Phase::Workspace).await;
        let report = ask(wire).await?;
        let expected = self.record.user;
        if report.uid != expected.uid || report.user.as_deref() != Some(USER) {
            let name = report
                .user
                .as_deref()
                .map_or("nobody".to_owned(), |user| sanitise(user, 40));
            let message = format!(
                "The container runs as {name} ({}), not as {USER} ({}).",
                report.uid, expected.uid
            );
            let hint = "Use another image, or remove the session and make it anew.";
            return Err(SessionError::new(ErrorKind::Failed, message, hint));
        }
        if !report.workspace_ok {
            let why = report
                .workspace_problem
                .as_deref()
                .map_or("no reason given".to_owned(), |why| sanitise(why, 200));
            let message = format!("The workspace cannot be worked in: {why}.");
            let hint = format!(
                "Check owner and permissions of {}",
                self.record.project.display()
            );
            return Err(SessionError::new(ErrorKind::Failed, message, hint));
        }
        self.phases.leave("").await;
        Ok(report)
    }

    /// Brings a synced workspace in step before anybody works in it. A session works without: a failure is shown, and
    /// tried again while it serves. Answers whether all of it is there.
    async fn first_sync(&mut self, id: &str) -> Result<bool, SessionError> {
        let life = self.life.as_mut().expect("BUG: there is a wire");
        let in_step = life.keep_in_step(&self.world, &self.engine, &self.record, &self.ports);
        let Some(in_step) = in_step else {
            return Ok(false);
        };
        self.phases.enter(Phase::Sync).await;
        let lines = self.phases.lines(Phase::Sync);
        let say = Box::new(move |line| lines.say(line));
        let flushed = tokio::select! {
            flushed = in_step.flush(say) => flushed,
            error = self.broken_off(id) => return Err(error),
        };
        self.world.step("up: synced");
        match flushed {
            Flushed::Carried { said, .. } => self.phases.leave(&said).await,
            Flushed::Failed(why) => {
                self.phases.give_up(&why).await;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Waits until code-server answers. A session works without it: a failure is shown, and serves on.
    async fn wait_for_code_server(
        &mut self,
        wire: &Wire,
        report: SupervisorReport,
    ) -> Result<(), SessionError> {
        self.phases.enter(Phase::CodeServer).await;
        let deadline = Instant::now() + CODE_SERVER_DEADLINE;
        let id = self.existing_container()?;
        let (outcome, report) = tokio::select! {
            outcome = code_server_outcome(wire, report, deadline) => outcome,
            error = self.broken_off(&id) => return Err(error),
        };
        self.code_server = outcome;
        self.heard = report.status_json.as_deref().and_then(reports::passed_on);
        match outcome {
            CodeServer::Running => {
                // Beside all that is left to do until a browser asks.
                self.owner
                    .spawn("editor", wiring::load_editor(wire.clone()));
                self.phases.leave("").await;
            }
            CodeServer::Missing => self.phases.leave("The image has no code-server.").await,
            CodeServer::Failed | CodeServer::Starting | CodeServer::Unknown => {
                let message = format!(
                    "code-server does not answer; see `mizzen logs {}`.",
                    self.record.name
                );
                self.phases.give_up(&message).await;
            }
        }
        Ok(())
    }

    /// Resolves when the start makes no more sense: the container ended, or somebody wants something else.
    pub(super) async fn broken_off(&self, id: &str) -> SessionError {
        let mut seen = self.seen.clone();
        loop {
            let ended = seen.wait_for(|seen| {
                matches!(
                    seen,
                    Some(Seen::Ended(_) | Seen::Gone | Seen::Elsewhere | Seen::Unreachable)
                )
            });
            tokio::select! {
                () = self.cancel.cancelled() => return self.interrupted(),
                ended = ended => if ended.is_err() { return SessionError::shutting_down() },
            }
            // RACE: what was said may be about the run before; only a fresh look decides.
            match self.engine.inspect(id).await {
                Ok(Some(fact)) if fact.is_up() => {}
                Ok(fact) => return self.ended_early(id, fact.as_ref()).await,
                Err(error) => return error.into(),
            }
            if seen.changed().await.is_err() {
                return SessionError::shutting_down();
            }
        }
    }

    async fn ended_early(&self, id: &str, fact: Option<&ContainerFact>) -> SessionError {
        let Some(fact) = fact else {
            let message = "The container was removed while it started.";
            return SessionError::new(ErrorKind::Failed, message, "Try again.");
        };
        if fact.oom_killed {
            let limit = mizzen_sync_core::sized(self.record.limits.memory_bytes);
            let message =
                format!("The container ran out of memory while it started; its limit is {limit}.");
            return SessionError::new(ErrorKind::Failed, message, "Give it more with --memory.");
        }
        let code = fact.exit_code.unwrap_or_default();
        let words = self.last_words(id).await;
        let message = format!("The container ended with exit code {code}{words}.");
        SessionError::new(
            ErrorKind::Failed,
            message,
            "Check the image, or leave it out to use Mizzen's own.",
        )
    }

    async fn last_words(&self, id: &str) -> String {
        use futures::StreamExt;
        let options = LogOptions {
            tail: Some(LAST_WORDS),
            ..LogOptions::default()
        };
        let Ok(lines) = self.engine.logs(id, options).await else {
            return String::new();
        };
        let said: Vec<String> = lines
            .filter_map(|line| std::future::ready(line.ok().map(|line| line.text)))
            .collect()
            .await;
        let said = sanitise(said.join(" / ").trim(), 300);
        if said.is_empty() {
            said
        } else {
            format!(" and said: {said}")
        }
    }
}

async fn ask(wire: &Wire) -> Result<SupervisorReport, SessionError> {
    let asked = async {
        let mut control = Control::open(wire).await.map_err(|e| e.to_string())?;
        control.report().await.map_err(|e| e.to_string())
    };
    asked.await.map_err(|error| {
        let message = format!("The supervisor gave no report: {}.", sanitise(&error, 200));
        SessionError::new(
            ErrorKind::Failed,
            message,
            "Try again; when it stays, look at the session's log.",
        )
    })
}

/// Asks until there is an answer that stays; the report that says so comes with it.
async fn code_server_outcome(
    wire: &Wire,
    mut report: SupervisorReport,
    deadline: Instant,
) -> (CodeServer, SupervisorReport) {
    loop {
        let said = reports::code_server(report.services.get("code-server").map(String::as_str));
        match said {
            CodeServer::Missing => return (said, report),
            CodeServer::Running if wiring::code_server_answers(wire).await => {
                return (said, report);
            }
            _ if Instant::now() >= deadline => return (CodeServer::Failed, report),
            // What it says and what it does differ.
            CodeServer::Running => sleep(CODE_SERVER_PAUSE).await,
            CodeServer::Starting | CodeServer::Failed | CodeServer::Unknown => {}
        }
        match timeout_at(deadline, settled(wire)).await {
            Ok(Some(settled)) => report = settled,
            // The wire is made again meanwhile, or it is over.
            Ok(None) => sleep(CODE_SERVER_PAUSE).await,
            Err(_) => {}
        }
    }
}

async fn settled(wire: &Wire) -> Option<SupervisorReport> {
    let mut control = Control::open(wire).await.ok()?;
    control.settled_report().await.ok()
}
