//! The actor of one session: the only one that changes where it stands.
//!
//! It is told what people want, what the engine says, what the container reports and how its own work goes, one after
//! the other, and publishes a fact after each. Work runs beside it as a job, so that it always listens.

mod asked;
mod commanded;
mod engine;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mizzen_docker::{ContainerFact, Engine, Health as EngineHealth};
use mizzen_tasks::{Owner, Task as Held};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::commands::Commands;
use crate::fact::{
    Freshness, Health, NoticeKind, PhaseFact, PhaseReport, PhaseState, Reason, Report, SessionFact,
};
use crate::health::Verdict;
use crate::job::{Ended, Job, Task};
use crate::life::{Life, LifePorts};
use crate::machine::{Cause, Seen, State};
use crate::record::Record;
use crate::reports::{Beat, Heard, Listener};
use crate::skew::Skew;
use crate::wiring::{Line, LinePort};
use crate::world::World;

pub(crate) use asked::{Asked, Changes};
pub(crate) use commanded::{CommandReply, CommandWish};

/// Messages that wait for an actor before their senders do.
const INBOX: usize = 256;
/// Reports that wait; they are spaced at their source.
const REPORTS: usize = 8;
/// How long a thawed or new container may take to report again.
const FRESH: Duration = Duration::from_secs(15);
/// After this long without a report nothing it said is trusted.
const STALE: Duration = Duration::from_secs(60);
/// How long a container may be silent once this machine has woken: its own may wake later, and its wire is made again.
const AMNESTY: Duration = Duration::from_secs(60);

/// Everything an actor can be told.
pub(crate) enum Told {
    /// A person wants something.
    Wish(Box<Asked>),
    /// A person wants a command carried out, or ended.
    Command(CommandWish, CommandReply),
    /// The engine, which calls itself so, looked at the session's container.
    Fact(Box<ContainerFact>, Option<String>),
    /// The session's container has ended, at this time of the engine's; a fact follows.
    Died {
        exit_code: Option<i64>,
        at: Timestamp,
    },
    /// The engine has no such container.
    Gone,
    /// The engine does not answer.
    Offline(Away),
    /// The kernel killed a process of the container for want of memory.
    OomKill,
    /// This machine slept.
    Woke,
    /// The image's own check changed its mind.
    Health(EngineHealth),
    /// The job under way reports.
    Phase(PhaseReport),
    /// The job under way is over.
    Ended(Box<Ended>),
    /// History that was due was brought there and back, or could not be.
    History(Result<Option<String>, Reason>),
    /// The session is to be forgotten, if nobody can reach its engine; answered with whether it is let go.
    Forget(oneshot::Sender<bool>),
}

/// Why an engine does not answer.
#[derive(Clone)]
pub(crate) struct Away {
    pub(crate) reason: Reason,
    /// Its name leads to no engine at all.
    pub(crate) is_nowhere: bool,
}

/// How others reach an actor.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(crate) tell: mpsc::Sender<Told>,
    pub(crate) line: LinePort,
}

/// One session.
pub(crate) struct Actor {
    world: Arc<World>,
    owner: Owner,
    engine: Engine,
    record: Record,
    fact: SessionFact,
    /// Why it stands where it stands, when nobody asked for it.
    cause: Option<Cause>,
    /// It stands where an event put it, and no look at the container has said so yet: files have to follow.
    unconfirmed: bool,
    /// What the engine's link says while it is down.
    offline: Option<Away>,
    job: Option<Running>,
    /// Wishes to take again when the job is over.
    waiting: Vec<Waiting>,
    life: Option<Life>,
    ports: LifePorts,
    heard: mpsc::Receiver<Heard>,
    /// When the container last told something new, by our own clock; see [`Actor::last_heard`].
    heard_at: Option<Instant>,
    /// Its newest report.
    beat: Option<Beat>,
    /// Why what it wrote since then is not used: the first of the warnings.
    problem: Option<String>,
    skew: Skew,
    verdict: Verdict,
    commands: Commands,
    /// What the engine last said, for the job under way.
    seen: watch::Sender<Option<Seen>>,
    /// Notices that stand.
    noticed: Vec<NoticeKind>,
    tell: mpsc::Sender<Told>,
    inbox: mpsc::Receiver<Told>,
}

/// A job under way.
struct Running {
    work: crate::machine::Work,
    /// Where the session stood, and why.
    before: (State, Option<Cause>, Option<Reason>),
    cancel: CancellationToken,
    askers: Vec<Asked>,
    began: Instant,
    _task: Held,
}

/// A wish that waits.
struct Waiting {
    asked: Box<Asked>,
    /// Only when the job under way comes about; otherwise its failure is the answer.
    needs_success: bool,
}

impl Actor {
    /// Takes over a session that is remembered: it stands nowhere until its engine speaks.
    pub(crate) fn of(
        world: Arc<World>,
        owner: &Owner,
        engine: Engine,
        record: Record,
    ) -> (Self, Handle) {
        let (tell, inbox) = mpsc::channel(INBOX);
        let (report, heard) = mpsc::channel(REPORTS);
        let listener = Listener {
            lookout: world.lookout.clone(),
            tell: report,
            pulse: Arc::default(),
        };
        let line = LinePort::new();
        let handle = Handle {
            tell: tell.clone(),
            line: line.clone(),
        };
        let mut fact = SessionFact::of(&record);
        fact.since = world.now();
        fact.reason = Some(crate::words::reason(Cause::Unreachable, &record, None));
        let commands = Commands::open(&world.state_dir, &record);
        fact.commands = commands.asked();
        let actor = Self {
            owner: owner.child(&format!("session:{}", record.name)),
            world,
            engine,
            record,
            fact,
            cause: Some(Cause::Unreachable),
            unconfirmed: false,
            offline: None,
            job: None,
            waiting: Vec::new(),
            life: None,
            ports: LifePorts { line, listener },
            heard,
            heard_at: None,
            beat: None,
            problem: None,
            skew: Skew::default(),
            verdict: Verdict::default(),
            commands,
            seen: watch::Sender::new(None),
            noticed: Vec::new(),
            tell,
            inbox,
        };
        (actor, handle)
    }

    /// Makes a session that was not there before, for this asker.
    pub(crate) async fn create(mut self, asked: Asked) {
        self.begin(Task::Start { remake: false }, State::Creating, vec![asked]);
        self.publish();
        self.run().await;
    }

    /// Listens until the session is gone or the owner stops.
    pub(crate) async fn run(mut self) {
        let mut line = self.ports.line.line.subscribe();
        loop {
            let stale_at = self.next_freshness();
            tokio::select! {
                told = self.inbox.recv() => match told {
                    Some(told) => if self.take(told).await.is_over() { return },
                    None => return,
                },
                Some(heard) = self.heard.recv() => self.hear(heard),
                Ok(()) = line.changed() => self.fact.wired = matches!(&*line.borrow_and_update(), Line::Up(_)),
                () = tokio::time::sleep_until(stale_at) => {}
            }
            self.tend_commands().await;
            self.ports
                .listener
                .pulse
                .want_each(self.commands.is_waiting());
            self.refresh_freshness();
            self.publish();
        }
    }

    async fn take(&mut self, told: Told) -> Flow {
        match told {
            Told::Wish(asked) => self.on_wish(asked),
            Told::Command(wish, reply) => self.on_command(wish, reply).await,
            Told::Fact(fact, engine_id) => self.on_fact(*fact, engine_id).await,
            Told::Died { exit_code, at } => self.on_died(exit_code, at),
            Told::Gone => self.on_gone().await,
            Told::Offline(away) => self.on_offline(away).await,
            Told::OomKill => self.on_oom_kill(),
            Told::Woke => {
                let now = Instant::now();
                self.heard_at = self.last_heard().map(|at| pardoned(at, now));
            }
            Told::Health(health) => self.on_health(health),
            Told::Phase(report) => self.on_phase(report),
            Told::Ended(ended) => return self.on_ended(*ended).await,
            Told::History(ended) => self.on_history(ended).await,
            Told::Forget(reply) => return self.on_forget(reply),
        }
        Flow::On
    }

    /// Starts a job and stands in the given state until it is over.
    fn begin(&mut self, task: Task, state: State, askers: Vec<Asked>) {
        let cancel = CancellationToken::new();
        self.seen.send_replace(None);
        // Its end looks at the container and writes what follows.
        self.unconfirmed = false;
        let job = Job {
            world: self.world.clone(),
            owner: self.owner.clone(),
            engine: self.engine.clone(),
            record: self.record.clone(),
            ports: self.ports.clone(),
            seen: self.seen.subscribe(),
            cancel: cancel.clone(),
            phases: crate::job::phases(self.tell.clone()),
            life: None,
            in_step: self.life.as_ref().and_then(Life::in_step),
            wire: self.ports.line.now(),
            // One that is to go is let go of.
            accompanied: self.life.is_some() && state != State::Removing,
            code_server: self.fact.code_server,
            heard: None,
            history_trouble: self.fact.history_trouble.clone(),
            touched: true,
        };
        let work = task.work();
        let tell = self.tell.clone();
        let run = async move {
            let ended = job.run(task).await;
            let _ = tell.send(Told::Ended(Box::new(ended))).await;
        };
        let before = (self.fact.state, self.cause, self.fact.reason.take());
        self.fact.phases.clear();
        self.stand(state, None);
        self.job = Some(Running {
            work,
            before,
            cancel,
            askers,
            began: Instant::now(),
            _task: self.owner.spawn_held("job", run),
        });
    }

    fn on_phase(&mut self, report: PhaseReport) {
        let Some(job) = &mut self.job else { return };
        let over = report.state != PhaseState::Active;
        let elapsed = job.began.elapsed();
        let before: Duration = self
            .fact
            .phases
            .iter()
            .filter_map(|phase| phase.duration)
            .sum();
        let fact = PhaseFact {
            phase: report.phase,
            state: report.state,
            duration: over.then(|| elapsed.saturating_sub(before)),
            message: report.message.clone(),
        };
        match self
            .fact
            .phases
            .last_mut()
            .filter(|last| last.phase == report.phase)
        {
            Some(last) => *last = fact,
            None => self.fact.phases.push(fact),
        }
        for asked in &job.askers {
            (asked.on_progress)(&report);
        }
    }

    fn hear(&mut self, heard: Heard) {
        if self.life.is_none() && self.job.is_none() {
            // The last words of a container that has ended.
            return;
        }
        match heard {
            // RACE: what a start ended with may be newer than what was read from the file before.
            Heard::Report { beat, .. }
                if self.beat.as_ref().is_some_and(|last| beat.is_before(last)) => {}
            Heard::Report {
                beat,
                report,
                health,
                code_server,
                commands,
            } => {
                self.commands.told(commands);
                if self.beat.as_ref() != Some(&beat) {
                    self.fact.clock_ahead = self.skew.hear(beat.at(), self.world.now());
                    let counts = self.verdict.report_says(health);
                    self.set_health(counts);
                }
                self.beat = Some(beat);
                self.heard_at = Some(Instant::now());
                self.fact.report = report;
                self.problem = None;
                if code_server != crate::fact::CodeServer::Unknown {
                    self.fact.code_server = code_server;
                }
                self.settle_notices(|kind| kind != NoticeKind::Stale);
            }
            Heard::Problem(problem) => self.warn_of(problem),
        }
    }

    /// Stands in the place of the problem before it: a container may have another one four times a second.
    fn warn_of(&mut self, problem: String) {
        let warnings = &mut self.fact.report.warnings;
        let before = self.problem.replace(problem.clone());
        match warnings.first_mut() {
            Some(first) if before.as_ref() == Some(first) => *first = problem,
            _ => warnings.insert(0, problem),
        }
    }

    /// When the container last reported, by our own clock; none while nobody listens.
    fn last_heard(&self) -> Option<Instant> {
        let told = self.heard_at?;
        let last = self.ports.listener.pulse.last().map(Instant::from_std);
        Some(last.map_or(told, |last| last.max(told)))
    }

    /// When freshness may next change by time alone.
    fn next_freshness(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        if self.fact.state != State::Running {
            return far;
        }
        let next = self.last_heard().and_then(|at| match at.elapsed() {
            age if age <= FRESH => Some(at + FRESH),
            age if age <= STALE => Some(at + STALE),
            _ => None,
        });
        next.map_or(far, |at| on_the_second(self.world.began, at))
    }

    fn refresh_freshness(&mut self) {
        let freshness = match (self.fact.state, self.last_heard()) {
            (State::Running, Some(at)) => match mizzen_status::Freshness::of(at.elapsed()) {
                // Nothing was said yet, and there is still time to.
                mizzen_status::Freshness::Fresh if self.fact.report == Report::default() => {
                    Freshness::None
                }
                mizzen_status::Freshness::Fresh => Freshness::Fresh,
                mizzen_status::Freshness::Stale => Freshness::Stale,
                mizzen_status::Freshness::Lost => Freshness::Lost,
            },
            _ => Freshness::None,
        };
        if freshness != self.fact.freshness {
            self.tell_silence(freshness);
        }
        self.fact.freshness = freshness;
    }

    /// A person is told when a container falls silent, and again when it stays so.
    fn tell_silence(&mut self, freshness: Freshness) {
        let silence = match freshness {
            Freshness::None | Freshness::Fresh => return,
            Freshness::Stale => "has reported nothing for 15 seconds",
            Freshness::Lost => "reports nothing any more",
        };
        let name = &self.record.name;
        let message = format!("Session `{name}` {silence}, although its container runs.");
        let hint =
            format!("Look at its log (mizzen logs {name}), or restart it: mizzen restart {name}");
        self.notify(NoticeKind::Stale, message, hint);
    }

    fn set_health(&mut self, health: Health) {
        let was = std::mem::replace(&mut self.fact.health, health);
        match health {
            Health::Unhealthy if was != Health::Unhealthy => {
                let message = format!("Session `{}` is unhealthy.", self.record.name);
                let hint = format!("Look at its log: mizzen logs {}", self.record.name);
                self.notify(NoticeKind::Unhealthy, message, hint);
            }
            Health::Unhealthy => {}
            _ => self.settle_notices(|kind| kind != NoticeKind::Unhealthy),
        }
    }

    pub(crate) fn publish(&self) {
        let key = self.record.name.key();
        if !self.world.shows(&key, &self.fact) {
            self.world.publish(&key, Some(Arc::new(self.fact.clone())));
        }
    }
}

/// The first full second after a time, counted from when all of them began: many sessions then wake a processor once.
fn on_the_second(began: Instant, at: Instant) -> Instant {
    began + Duration::from_secs(at.duration_since(began).as_secs() + 1)
}

/// Since when a container counts as silent that was last heard at some time, when this machine wakes now. One that had
/// been given up is not believed to be well.
fn pardoned(heard_at: Instant, now: Instant) -> Instant {
    match now.duration_since(heard_at) {
        silent if silent <= STALE => now + AMNESTY - FRESH,
        _ => heard_at,
    }
}

/// Whether an actor goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Over,
}

impl Flow {
    fn is_over(self) -> bool {
        self == Self::Over
    }
}

#[cfg(test)]
mod tests;
