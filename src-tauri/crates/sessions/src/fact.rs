//! What is known of a session: the only thing that leaves its actor.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mizzen_status::Asked;

use crate::limits::Limits;
use crate::machine::{Phase, State};
use crate::name::SessionName;
use crate::record::Record;
use crate::workspace::WorkspaceKind;

/// Every session by its key (the name without case).
pub type Facts = BTreeMap<String, Arc<SessionFact>>;

/// One session as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionFact {
    /// Its name, in the case it was given.
    pub name: SessionName,
    /// Project folder, absolute.
    pub project: PathBuf,
    /// Engine it lives on.
    pub engine: String,
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// Why it stands there, when nobody asked it to.
    pub reason: Option<Reason>,
    /// Whether nobody gets to its engine before a person has changed something: its name leads nowhere, or to another
    /// one. It can be forgotten.
    pub out_of_reach: bool,
    /// Health as the engine, else the container, reports it.
    pub health: Health,
    /// What the container last said of itself.
    pub report: Report,
    /// How fresh that is.
    pub freshness: Freshness,
    /// By how many seconds the container's clock is ahead of ours, when that is enough to be shown; negative when it is
    /// behind.
    pub clock_ahead: Option<i64>,
    /// Phases of the verb under way, or of the last one.
    pub phases: Vec<PhaseFact>,
    /// Image reference it was made from; empty until the image is known.
    pub image: String,
    /// The engine's id of that image; none until it has told.
    pub image_id: Option<String>,
    /// Full container id.
    pub container_id: Option<String>,
    /// Whether a wire to its supervisor stands.
    pub wired: bool,
    /// code-server, as the supervisor sees it.
    pub code_server: CodeServer,
    /// Commands that it was asked to carry out, the newest first.
    pub commands: Arc<Vec<Asked>>,
    /// Limits in force.
    pub limits: Limits,
    /// How its workspace reaches the container.
    pub workspace: WorkspaceKind,
    /// The branch that its workspace's repository was made on; none without one.
    pub branch: Option<String>,
    /// Why history was not brought there or back when that was last tried; none when it was, or there is none.
    pub history_trouble: Option<Reason>,
    /// What its volume may hold that is nowhere else while no container runs, in a sentence; none when all is here.
    pub only_there: Option<String>,
    /// When the session was made.
    pub created_at: Timestamp,
    /// When its container last started.
    pub started_at: Option<Timestamp>,
}

impl SessionFact {
    /// What a record alone says: nobody has been asked yet.
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            name: record.name.clone(),
            project: record.project.clone(),
            engine: record.engine.clone(),
            state: State::Lost,
            since: record.created_at,
            reason: None,
            out_of_reach: false,
            health: Health::Unknown,
            report: Report::default(),
            freshness: Freshness::None,
            clock_ahead: None,
            phases: Vec::new(),
            image: record.image.clone(),
            image_id: None,
            container_id: record
                .container
                .as_ref()
                .and_then(|container| container.id.clone()),
            wired: false,
            code_server: CodeServer::Unknown,
            commands: Arc::default(),
            limits: record.limits,
            workspace: record.workspace,
            branch: record.branch.clone(),
            history_trouble: None,
            only_there: record.only_there.clone(),
            created_at: record.created_at,
            started_at: None,
        }
    }
}

/// Why, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// In one sentence.
    pub message: String,
    /// The next step.
    pub hint: String,
}

impl From<&crate::error::SessionError> for Reason {
    fn from(error: &crate::error::SessionError) -> Self {
        Self {
            message: error.message.clone(),
            hint: error.hint.clone(),
        }
    }
}

/// Health of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Nobody has said.
    #[default]
    Unknown,
    /// Coming up.
    Starting,
    /// Well.
    Healthy,
    /// Works, with something missing.
    Degraded,
    /// Not well.
    Unhealthy,
}

/// code-server in the container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodeServer {
    /// Nobody has said.
    #[default]
    Unknown,
    /// Not in the image.
    Missing,
    /// On its way up, or up again after a failure.
    Starting,
    /// Answers.
    Running,
    /// Keeps failing.
    Failed,
}

/// What the container says of itself, sanitised.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Its phase, e.g. `idle`.
    pub phase: Option<String>,
    /// Its progress.
    pub progress: Option<Progress>,
    /// Services and their states.
    pub services: BTreeMap<String, String>,
    /// What is wrong, newest first.
    pub errors: Vec<String>,
    /// What may become wrong, newest first.
    pub warnings: Vec<String>,
}

/// Progress of something that takes a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Done so far.
    pub current: f64,
    /// Steps in all; 0 when unknown.
    pub total: f64,
    /// In words.
    pub message: String,
}

/// How fresh the container's own report is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// Not heard yet, or not expected.
    #[default]
    None,
    /// At most 15 s old.
    Fresh,
    /// At most 60 s old.
    Stale,
    /// Older.
    Lost,
}

/// How one phase went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseFact {
    /// Which.
    pub phase: Phase,
    /// How it stands.
    pub state: PhaseState,
    /// How long it took, when it is over.
    pub duration: Option<Duration>,
    /// Last line of progress, or the failure.
    pub message: String,
}

/// Standing of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseState {
    /// Under way.
    Active,
    /// Over, well.
    Done,
    /// Over, badly.
    Failed,
}

/// A report of a verb under way, as its caller hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseReport {
    /// Which phase.
    pub phase: Phase,
    /// How it stands.
    pub state: PhaseState,
    /// In words; a line of the image build, for one.
    pub message: String,
}

/// Hears the progress of a verb.
pub type OnProgress = Arc<dyn Fn(&PhaseReport) + Send + Sync>;

/// An [`OnProgress`] that does not listen.
#[must_use]
pub fn deaf() -> OnProgress {
    Arc::new(|_| {})
}

/// What came of a verb.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// In one sentence.
    pub message: String,
    /// Name of the session.
    pub name: SessionName,
    /// The session afterwards; none once it is removed.
    pub session: Option<Arc<SessionFact>>,
}

/// Something a person should hear about now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What kind.
    pub kind: NoticeKind,
    /// Session concerned.
    pub session: SessionName,
    /// Its engine.
    pub engine: String,
    /// In one sentence.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// When it was noticed.
    pub at: Timestamp,
}

/// What a notice is about. A kind whose `Over` follows is an alert until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// A container ended unasked.
    Died,
    /// The kernel killed for lack of memory: the container, or a process in it.
    OutOfMemory,
    /// A health check fails.
    Unhealthy,
    /// Nothing is heard from the container any more.
    Stale,
    /// The container disappeared behind our back.
    Gone,
    /// Whatever was said before no longer stands: the session is well, at rest by a wish, or removed.
    Over,
}

/// A container that wears our labels and is not in our registry: shown, never touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmanaged {
    /// Engine it lives on.
    pub engine: String,
    /// Full container id.
    pub container_id: String,
    /// Container name.
    pub name: String,
    /// Session it claims to be.
    pub session: String,
    /// Why it is not taken over.
    pub reason: String,
}
