//! Where the session stands, and all that follows from it.

use mizzen_docker::ContainerFact;
use tokio::sync::oneshot;

use super::{Actor, Asked, Flow, Told, Waiting};
use crate::error::SessionError;
use crate::fact::{
    CodeServer, Done, Health, Notice, NoticeKind, PhaseFact, PhaseState, Reason, Report,
};
use crate::health::Verdict;
use crate::job::Ended;
use crate::life::Life;
use crate::machine::{Cause, Phase, State, Wanted, Wish, after_work};
use crate::skew::Skew;
use crate::{archive, commands, listing, para, words};

impl Actor {
    /// The job is over: answers those who waited for it, and stands where the engine says.
    pub(super) async fn on_ended(&mut self, ended: Ended) -> Flow {
        let Some(job) = self.job.take() else {
            return Flow::On;
        };
        let Ended {
            record,
            vanished,
            life,
            code_server,
            heard,
            history_trouble,
            touched,
            result,
        } = ended;
        self.record = record;
        self.fact.image.clone_from(&self.record.image);
        self.fact.branch.clone_from(&self.record.branch);
        self.fact.only_there.clone_from(&self.record.only_there);
        self.fact.history_trouble = history_trouble;
        self.fact.code_server = code_server;
        if vanished {
            self.vanish(job.askers, &result).await;
            return Flow::Over;
        }
        if life.is_some() {
            self.life = life;
        }
        let heard = heard.filter(|_| result.is_ok());
        let (seen, fact) = self.look(None).await;
        let (state, cause) = match after_work(job.work, result.is_ok(), seen) {
            // Somebody gave it up: that is no failure.
            (State::Failed, None) if job.cancel.is_cancelled() => (State::Stopped, None),
            standing => standing,
        };
        match (state, &result) {
            // Refused before anything was changed: it stands where it stood, and nobody is told again.
            (State::Failed, Err(_)) if !touched => {
                let (state, cause, reason) = job.before;
                self.rest(state, None, fact.as_ref());
                (self.cause, self.fact.reason) = (cause, reason);
            }
            (State::Failed, Err(error)) => {
                self.fact.reason = Some(Reason::from(error));
                self.rest(state, cause, fact.as_ref());
            }
            _ => self.rest(state, cause, fact.as_ref()),
        }
        if let Some(heard) = heard {
            self.hear(heard);
        }
        // Whoever hears of the end finds it in the facts and in the files.
        self.keep().await;
        for asked in job.askers {
            let answer = match &result {
                Ok(()) => Ok(self.done(asked.wish, State::Lost)),
                Err(error) => Err(error.clone()),
            };
            let _ = asked.reply.send(answer);
        }
        self.take_waiting(result.as_ref().err());
        Flow::On
    }

    /// Stands somewhere at rest, and keeps it.
    pub(super) async fn settle(
        &mut self,
        state: State,
        cause: Option<Cause>,
        fact: Option<&ContainerFact>,
    ) {
        self.rest(state, cause, fact);
        self.keep().await;
    }

    /// Stands somewhere at rest: what accompanies a running container begins or ends.
    fn rest(&mut self, state: State, cause: Option<Cause>, fact: Option<&ContainerFact>) {
        if state != State::Lost {
            self.fact.container_id = fact.map(|fact| fact.id.clone());
        }
        self.stand(state, cause);
        self.note(fact);
    }

    /// Publishes where it stands and then writes it down: a disk takes its time, and files are copies of the truth. A
    /// core that is killed in between finds the truth on the engine again.
    pub(super) async fn keep(&mut self) {
        self.tend_commands().await;
        self.refresh_freshness();
        self.publish();
        let word = words::state_word(self.fact.state);
        self.world
            .step(&format!("published: {} {word}", self.record.name.key()));
        self.adopt_wish();
        self.remember().await;
        self.write_files().await;
    }

    /// What others did to the container is what the person wants of it from now on.
    pub(super) fn adopt_wish(&mut self) {
        self.record.wanted = match (self.fact.state, self.cause) {
            (State::Running | State::Paused, _) => Wanted::Up,
            (State::Stopped, Some(Cause::StoppedOutside)) => Wanted::Down,
            _ => self.record.wanted,
        };
    }

    /// Changes the state and all that hangs on it in memory.
    pub(super) fn stand(&mut self, state: State, cause: Option<Cause>) {
        if self.fact.state != state {
            self.fact.state = state;
            self.fact.since = self.world.now();
        }
        self.cause = cause;
        self.fact.out_of_reach = false;
        match cause {
            Some(cause) => self.give_cause(cause),
            None if state != State::Failed => self.fact.reason = None,
            None => {}
        }
        let key = self.record.name.key();
        let slot = (self.engine.name(), key.as_str());
        match state {
            State::Running | State::Paused => {
                self.world.slots.hold(slot, self.record.limits.memory_bytes)
            }
            State::Stopped | State::Failed | State::Lost | State::Removing => {
                self.world.slots.free(slot)
            }
            // Work under way has taken its slot, or keeps it until its end.
            State::Creating
            | State::Starting
            | State::Pausing
            | State::Resuming
            | State::Stopping => {}
        }
        match state {
            State::Running => self.accompany(),
            State::Stopped | State::Failed | State::Lost | State::Removing => self.leave_alone(),
            State::Pausing | State::Paused => {
                self.heard_at = None;
                if let Some(life) = &mut self.life {
                    life.let_rest();
                }
            }
            State::Creating | State::Starting | State::Resuming | State::Stopping => {}
        }
    }

    /// Begins to accompany a container that runs, when nobody does yet.
    fn accompany(&mut self) {
        let id = self
            .record
            .container
            .as_ref()
            .and_then(|container| container.id.clone());
        let (engine, record, ports) = (&self.engine, &self.record, &self.ports);
        if self.life.is_none()
            && let Some(id) = id
        {
            self.life = Some(Life::begin(&self.owner, engine, record, &id, ports));
            self.commands.show_again();
        }
        if let Some(life) = &mut self.life {
            life.keep_in_step(&self.world, engine, record, ports);
            if record.history_is_due {
                life.catch_up(&self.owner, (&self.world, record), ports, &self.tell);
            }
        }
        // A container that was frozen or is new has its time to report.
        self.heard_at = Some(self.heard_at.unwrap_or_else(tokio::time::Instant::now));
        self.ports.line.retry.notify_one();
        // A container that runs is neither dead nor gone; how well it is, it says itself.
        self.settle_notices(|kind| matches!(kind, NoticeKind::Unhealthy | NoticeKind::Stale));
    }

    /// History that was due: brought, with the branch that its repository was made on, or not yet.
    pub(super) async fn on_history(&mut self, ended: Result<Option<String>, Reason>) {
        match ended {
            Ok(branch) => {
                self.record.history_is_due = false;
                self.record.branch = branch;
                self.fact.branch.clone_from(&self.record.branch);
                self.fact.history_trouble = None;
                let failed = |phase: &&mut PhaseFact| {
                    phase.phase == Phase::Git && phase.state == PhaseState::Failed
                };
                if let Some(phase) = self.fact.phases.iter_mut().find(failed) {
                    phase.state = PhaseState::Done;
                    "It came through later.".clone_into(&mut phase.message);
                }
                // A job under way writes the record, and finds that nothing is due.
                if self.job.is_none() {
                    self.remember().await;
                }
            }
            Err(reason) => self.fact.history_trouble = Some(reason),
        }
    }

    fn leave_alone(&mut self) {
        self.commands.read_last_words(&self.record);
        self.life = None;
        self.heard_at = None;
        self.beat = None;
        self.skew = Skew::default();
        self.verdict = Verdict::default();
        self.fact.clock_ahead = None;
        self.fact.report = Report::default();
        self.fact.health = Health::Unknown;
        self.fact.code_server = CodeServer::Unknown;
    }

    /// Says why the session stands where it stands, and tells a person when it matters at once.
    pub(super) fn give_cause(&mut self, cause: Cause) {
        self.cause = Some(cause);
        let offline = self.offline.as_ref();
        let reason = words::reason(cause, &self.record, offline.map(|away| &away.reason));
        self.fact.out_of_reach = match cause {
            Cause::Elsewhere => true,
            Cause::Unreachable => offline.is_some_and(|away| away.is_nowhere),
            Cause::StoppedOutside | Cause::OutOfMemory | Cause::Died(_) | Cause::Gone => false,
        };
        // A session at rest loses nothing that a person must hear of at once.
        let kind = words::notice(cause).filter(|_| self.fact.state == State::Failed);
        if let Some(kind) = kind {
            let message = format!(
                "Session `{}`: {}",
                self.record.name,
                lower_first(&reason.message)
            );
            self.notify(kind, message, reason.hint.clone());
        }
        self.fact.reason = Some(reason);
    }

    /// Keeps what a person wants; a disk that is full costs the memory of it, not the session.
    pub(super) async fn remember(&self) {
        if let Err(error) = self.world.registry.put(self.record.clone()).await {
            tracing::warn!(session = %self.record.name, %error, "the registry was not written");
        }
    }

    /// Writes the project's files about this session; they are copies of the truth, so a failure costs nothing.
    async fn write_files(&self) {
        let (world, record, fact) = (self.world.clone(), self.record.clone(), self.fact.clone());
        let written = move || para::write_session(&world.identity, &record, &fact, world.now());
        listing::in_background(&self.record.name, written).await;
        listing::write(&self.world, &self.record, Some(&self.fact)).await;
    }

    pub(super) fn notify(&mut self, kind: NoticeKind, message: String, hint: String) {
        if !self.noticed.contains(&kind) {
            self.noticed.push(kind);
        }
        self.send(kind, message, hint);
    }

    /// Lets notices go that no longer stand; with the last one, the alert is over.
    pub(super) fn settle_notices(&mut self, stands: impl Fn(NoticeKind) -> bool) {
        let stood = !self.noticed.is_empty();
        self.noticed.retain(|kind| stands(*kind));
        if stood && self.noticed.is_empty() {
            let message = format!("Session `{}` needs nobody any more.", self.record.name);
            self.send(NoticeKind::Over, message, String::new());
        }
    }

    fn send(&self, kind: NoticeKind, message: String, hint: String) {
        let notice = Notice {
            kind,
            session: self.record.name.clone(),
            engine: self.record.engine.clone(),
            message,
            hint,
            at: self.world.now(),
        };
        // Nobody may be listening.
        let _ = self.world.notices.send(notice);
    }

    /// Ends when nobody can reach the engine, and leaves the session to who forgets it.
    pub(super) fn on_forget(&mut self, reply: oneshot::Sender<bool>) -> Flow {
        let is_let_go = self.fact.out_of_reach && self.job.is_none();
        if is_let_go {
            self.settle_notices(|_| false);
        }
        // Whoever asked may have left.
        let is_heard = reply.send(is_let_go).is_ok();
        if is_let_go && is_heard {
            Flow::Over
        } else {
            Flow::On
        }
    }

    /// The session is gone: takes it off the list and tells whoever waited.
    async fn vanish(&mut self, askers: Vec<Asked>, result: &Result<(), SessionError>) {
        let key = self.record.name.key();
        self.life = None;
        self.world.slots.free((self.engine.name(), &key));
        self.settle_notices(|_| false);
        self.world.publish(&key, None);
        commands::forget(&self.world.state_dir, &key);
        self.world.step(&format!("published: {key} gone"));
        listing::write(&self.world, &self.record, None).await;
        for asked in askers {
            let answer = match result {
                Ok(()) => Ok(self.removed(asked.wish)),
                Err(error) => Err(error.clone()),
            };
            let _ = asked.reply.send(answer);
        }
        for Waiting { asked, .. } in std::mem::take(&mut self.waiting) {
            self.answer_gone(*asked);
        }
        self.inbox.close();
        while let Ok(told) = self.inbox.try_recv() {
            if let Told::Wish(asked) = told {
                self.answer_gone(*asked);
            }
        }
    }

    /// A removal has come about. Any other wish is dropped unanswered: its sender finds out that there is no such
    /// session, or makes one.
    fn answer_gone(&self, asked: Asked) {
        if matches!(asked.wish, Wish::Remove { .. }) {
            let _ = asked.reply.send(Ok(self.removed(asked.wish)));
        }
    }

    fn removed(&self, wish: Wish) -> Done {
        let archived = archive::place(&self.world.state_dir, &self.record);
        let archived = Some(archived).filter(|at| at.is_dir());
        let (record, owner) = (&self.record, &self.world.identity);
        Done {
            message: words::removed(wish, record, owner, archived.as_deref()),
            name: self.record.name.clone(),
            session: None,
        }
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars
        .next()
        .map(|c| c.to_lowercase().collect())
        .unwrap_or_default();
    format!("{first}{}", chars.as_str())
}
