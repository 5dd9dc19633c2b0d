//! What clients see: the snapshot and its parts. TypeScript is generated from these types.
//!
//! Times are RFC 3339 strings in UTC, sizes are bytes, durations name their unit.

mod alerts;
mod answer;
mod commands;
mod contexts;
mod engines;
mod sync;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::order::by_name;

pub use alerts::{AlertKind, AlertView};
pub use answer::{
    ConflictView, LeftView, PastChangeView, PastCycleView, PastSideView, PlanStepView, PlanView,
    StandingView, SyncAnswer, SyncDone, SyncKeep, SyncQuestion, SyncSide, VersionView,
};
pub use commands::{CommandState, CommandView};
pub use contexts::{
    ContextAction, ContextChangeView, ContextEndView, ContextHoldView, ContextState,
    ContextTrashView, ContextView, ContextsAnswer, ContextsQuestion, ContextsSide,
    ContextsSideView, ContextsState, ContextsView,
};
pub use engines::{EngineChoice, EngineState, EngineView};
pub use sync::{SyncCycleView, SyncProgressView, SyncState, SyncView};

/// All a client needs to draw itself; `revision` is that of the last [`Event`] folded in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Snapshot {
    /// Number of the newest change contained.
    pub revision: u64,
    /// The core that answers.
    pub core: CoreView,
    /// Every engine in use, by name.
    pub engines: Vec<EngineView>,
    /// Every session, by name.
    pub sessions: Vec<SessionView>,
    /// What a person should know now, newest first.
    pub alerts: Vec<AlertView>,
    /// Containers that wear our labels but are not ours to touch.
    pub unmanaged: Vec<UnmanagedView>,
    /// The mirror of Docker contexts.
    pub contexts: ContextsView,
    /// The user's settings.
    pub settings: Settings,
}

/// The running core.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CoreView {
    /// Version of the core.
    pub version: String,
    /// Process id.
    pub pid: u32,
    /// When it started.
    pub started_at: String,
    /// Port of the gateway; none when it could not listen.
    pub gateway_port: Option<u16>,
    /// Why there is no gateway, in words.
    pub gateway_problem: Option<String>,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Its container is being made.
    Creating,
    /// Its container starts.
    Starting,
    /// Ready for work.
    Running,
    /// Is being frozen.
    Pausing,
    /// Frozen by the engine.
    Paused,
    /// Is being thawed.
    Resuming,
    /// Is being shut down.
    Stopping,
    /// Container kept, nothing runs.
    Stopped,
    /// Is being removed.
    Removing,
    /// Needs a person; `reason` says why.
    Failed,
    /// Its engine cannot be reached.
    Lost,
}

/// Attention states, worst first: the tray icon shows the worst over all sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum AttentionState {
    /// Something failed.
    Error,
    /// Nothing heard for too long.
    Stale,
    /// Busy: starting, stopping, or its agent works.
    Working,
    /// Up, with nothing to do.
    Idle,
    /// Not running, or its engine is offline.
    Offline,
}

/// A session's need for its person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AttentionView {
    /// How bad it is.
    pub state: AttentionState,
    /// In words, sanitised.
    pub text: String,
    /// Since when.
    pub since: String,
}

/// One step of a long verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Name, folder, limit and engine are checked.
    Check,
    /// The image is found or built.
    Image,
    /// Network, volumes and container are made.
    Container,
    /// The supervisor answers over the wire.
    Supervisor,
    /// The workspace is there and writable.
    Workspace,
    /// A synced workspace is brought in step for the first time.
    Sync,
    /// A synced workspace gets the history of the project's repository.
    Git,
    /// code-server answers.
    CodeServer,
    /// Graceful shutdown.
    Stop,
    /// Container, volumes and files are taken away.
    Remove,
}

/// Progress of the phase under way, or the container's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ProgressView {
    /// Done so far, in steps of the phase.
    pub current: f64,
    /// Steps in all; 0 when unknown.
    pub total: f64,
    /// In words, sanitised.
    pub message: String,
}

/// How a phase of the last start went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PhaseView {
    /// Which phase.
    pub phase: Phase,
    /// How it stands.
    pub state: PhaseState,
    /// How long it took, when it is over.
    pub duration_ms: Option<u64>,
    /// Last line of progress, or the failure.
    pub message: String,
}

/// Standing of one phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum PhaseState {
    /// Under way.
    Active,
    /// Over, well.
    Done,
    /// Over, badly.
    Failed,
}

/// How the workspace reaches the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceKind {
    /// The project folder itself is mounted.
    Bind,
    /// A volume of the session's own, kept in step with the project folder.
    Sync,
    /// Both: the folder is mounted beside the volume, and the container keeps them in step by itself.
    Mirror,
}

/// How fresh the container's own report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Not heard yet.
    None,
    /// At most 15 s old.
    Fresh,
    /// At most 60 s old.
    Stale,
    /// Older.
    Lost,
}

/// What a session may use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LimitsView {
    /// Memory limit of the container.
    pub memory_bytes: u64,
    /// Processors, e.g. 1.5.
    pub cpus: f64,
    /// Processes.
    pub pids: u32,
}

/// One session: a row of `mizzen list --json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SessionView {
    /// Unique name.
    pub name: String,
    /// Absolute path of the project folder.
    pub project: String,
    /// Engine it runs on.
    pub engine: String,
    /// Where it stands.
    pub state: SessionState,
    /// Whether nobody gets to its engine before a person has changed something, so that it can be forgotten.
    pub out_of_reach: bool,
    /// Why, in words: for `failed`, `lost` and a stop nobody asked for.
    pub reason: Option<String>,
    /// What to do about `reason`.
    pub hint: Option<String>,
    /// Its need for a person.
    pub attention: AttentionView,
    /// Health as the engine or the container reports it.
    pub health: String,
    /// The container's own phase, e.g. `idle`.
    pub phase: Option<String>,
    /// Progress of the verb under way, else the container's own.
    pub progress: Option<ProgressView>,
    /// Phases of the last start, in order.
    pub phases: Vec<PhaseView>,
    /// Services and their states, e.g. `code-server: running`.
    pub services: BTreeMap<String, String>,
    /// Errors the container reports, newest first, sanitised.
    pub errors: Vec<String>,
    /// Warnings the container reports, newest first, sanitised.
    pub warnings: Vec<String>,
    /// How fresh the container's report is.
    pub freshness: Freshness,
    /// By how many seconds the container's clock is ahead of this machine's, when that is more than 30; negative when it
    /// is behind.
    pub clock_ahead: Option<i64>,
    /// How the workspace reaches the container.
    pub workspace: WorkspaceKind,
    /// How a synced workspace stands; none where the folder is mounted.
    pub sync: Option<SyncView>,
    /// The branch that a synced workspace's repository was made on; none without one.
    pub branch: Option<String>,
    /// What its volume may hold that is nowhere else while no container runs, in a sentence; none when all is here.
    pub only_there: Option<String>,
    /// Commands that it was asked to carry out, the newest first, at most 20.
    pub commands: Vec<CommandView>,
    /// Image reference.
    pub image: String,
    /// Full container id.
    pub container_id: Option<String>,
    /// code-server through the gateway, without a token; none while it does not answer.
    pub url: Option<String>,
    /// Limits in force.
    pub limits: LimitsView,
    /// CPU use, 100 is one processor; only while someone looks.
    pub cpu_percent: Option<f64>,
    /// Memory use; only while someone looks.
    pub memory_bytes: Option<u64>,
    /// Processes and threads; only while someone looks.
    pub pids: Option<u64>,
    /// In use on the file system of its workspace, by whomever, as the container says; only while someone looks.
    pub disk_bytes: Option<u64>,
    /// Free there, as the container says; only while someone looks.
    pub disk_free_bytes: Option<u64>,
    /// When the session was made.
    pub created_at: String,
    /// When its container last started.
    pub started_at: Option<String>,
}

/// A container with our labels that is not in our registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct UnmanagedView {
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

/// A session image on an engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ImageView {
    /// Name and tag.
    pub reference: String,
    /// Image id.
    pub id: String,
    /// Engine that has it.
    pub engine: String,
    /// Size with all its layers.
    pub size_bytes: u64,
    /// Whether new sessions get it; others are out of date.
    pub current: bool,
}

/// The user's settings, kept in `settings.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How many sessions may run at once (`max_running`).
    pub max_running: u32,
    /// Memory that running sessions may be promised together; none only warns above the engine's own.
    pub memory_budget_bytes: Option<u64>,
    /// Port the gateway tries first.
    pub gateway_port: u16,
    /// Open sessions at `NAME.localhost`; without it at `127.0.0.1`, each on a port of its own.
    pub gateway_names: bool,
    /// Image for new sessions; none builds Mizzen's own.
    pub image: Option<String>,
    /// Memory limit for new sessions.
    pub memory_bytes: u64,
    /// Processors for new sessions.
    pub cpus: f64,
    /// Show toasts.
    pub notifications: bool,
    /// Names of engines that see no files of this machine, although their address says otherwise: those behind a
    /// forwarded socket.
    pub remote_engines: Vec<String>,
    /// Engines of other machines that may be spoken to in the clear, each with the one address that this goes for.
    pub exposed_engines: BTreeMap<String, String>,
    /// Changes that containers make to where Docker contexts lead wait for a person.
    pub contexts_strict: bool,
    /// Names of Docker contexts that are not mirrored.
    pub contexts_no_sync: Vec<String>,
    /// Where `containai-docker` leads on the container side.
    pub contexts_socket: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_running: 5,
            memory_budget_bytes: None,
            gateway_port: 8743,
            gateway_names: true,
            image: None,
            memory_bytes: 4 << 30,
            cpus: 2.0,
            notifications: true,
            remote_engines: Vec::new(),
            exposed_engines: BTreeMap::new(),
            contexts_strict: false,
            contexts_no_sync: Vec::new(),
            contexts_socket: "unix:///var/run/docker.sock".to_owned(),
        }
    }
}

/// A numbered change of the snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Event {
    /// One more than the event before; a gap means: ask for the snapshot again.
    pub revision: u64,
    /// When it happened.
    pub at: String,
    /// What changed.
    pub change: Change,
}

/// What an event changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// A session appeared or changed.
    Session {
        /// Its new view, whole.
        session: Box<SessionView>,
    },
    /// A session is gone.
    SessionRemoved {
        /// Its name.
        name: String,
    },
    /// An engine appeared or changed.
    Engine {
        /// Its new view, whole.
        engine: EngineView,
    },
    /// An alert was raised, or replaced its older self.
    AlertRaised {
        /// The alert.
        alert: AlertView,
    },
    /// An alert no longer stands.
    AlertCleared {
        /// Its id.
        id: String,
    },
    /// Unmanaged containers changed.
    Unmanaged {
        /// All of them.
        unmanaged: Vec<UnmanagedView>,
    },
    /// The mirror of Docker contexts changed.
    Contexts {
        /// Its new view, whole.
        contexts: Box<ContextsView>,
    },
    /// Settings were saved.
    Settings {
        /// The new settings, whole.
        settings: Settings,
    },
    /// The core itself changed, e.g. its gateway.
    Core {
        /// Its new view, whole.
        core: CoreView,
    },
    /// A verb under way reports.
    Progress {
        /// The report.
        progress: VerbProgress,
    },
}

/// A report of a verb under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct VerbProgress {
    /// The verb's id.
    pub verb_id: u64,
    /// Session concerned.
    pub session: Option<String>,
    /// Phase under way.
    pub phase: Phase,
    /// How it stands.
    pub state: PhaseState,
    /// In words: an image build's line, a phase's failure.
    pub message: String,
}

impl Snapshot {
    /// Folds one event in; `false` when a number was missed and the snapshot must be fetched again.
    #[must_use]
    pub fn apply(&mut self, event: &Event) -> bool {
        if event.revision <= self.revision {
            return true;
        }
        if event.revision != self.revision + 1 {
            return false;
        }
        self.revision = event.revision;
        match event.change.clone() {
            Change::Session { session } => {
                upsert(&mut self.sessions, *session, |view| &view.name);
            }
            Change::SessionRemoved { name } => self.sessions.retain(|view| view.name != name),
            Change::Engine { engine } => {
                upsert(&mut self.engines, engine, |view| &view.name);
            }
            Change::AlertRaised { alert } => {
                self.alerts.retain(|view| view.id != alert.id);
                self.alerts.insert(0, alert);
            }
            Change::AlertCleared { id } => self.alerts.retain(|view| view.id != id),
            Change::Unmanaged { unmanaged } => self.unmanaged = unmanaged,
            Change::Contexts { contexts } => self.contexts = *contexts,
            Change::Settings { settings } => self.settings = settings,
            Change::Core { core } => self.core = core,
            Change::Progress { .. } => {}
        }
        true
    }
}

/// Replaces the view with the same name, or inserts it in order.
fn upsert<V>(views: &mut Vec<V>, view: V, name: impl Fn(&V) -> &str) {
    if let Some(old) = views.iter_mut().find(|old| name(old) == name(&view)) {
        *old = view;
        return;
    }
    let place = views.partition_point(|other| by_name(name(other), name(&view)).is_lt());
    views.insert(place, view);
}
