//! One session as clients see it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CommandView, SyncView};

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

impl SessionView {
    /// How the container's clock stands to this machine's, in words, when that is to be shown: `5 min behind`.
    #[must_use]
    pub fn clock(&self) -> Option<String> {
        self.clock_ahead.map(clock_words)
    }
}

/// `5 min behind`.
pub(crate) fn clock_words(ahead: i64) -> String {
    let far = match ahead.unsigned_abs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    };
    let side = if ahead > 0 { "ahead" } else { "behind" };
    format!("{far} {side}")
}
