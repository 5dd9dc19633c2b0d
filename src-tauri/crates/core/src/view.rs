//! What clients see: the snapshot and its parts. TypeScript is generated from these types.
//!
//! Times are RFC 3339 strings in UTC, sizes are bytes, durations name their unit.

mod alerts;
mod answer;
mod commands;
mod contexts;
mod engines;
mod session;
mod settings;
mod sync;

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
pub use engines::{BeatenChoice, EngineChoice, EngineState, EngineView};
pub(crate) use session::clock_words;
pub use session::{
    AttentionState, AttentionView, Freshness, LimitsView, Phase, PhaseState, PhaseView,
    ProgressView, SessionState, SessionView, WorkspaceKind,
};
pub use settings::Settings;
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
    /// An engine is shown no more.
    EngineRemoved {
        /// Its name.
        name: String,
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
            Change::EngineRemoved { name } => self.engines.retain(|view| view.name != name),
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
