//! What a person should know.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What kind of fact an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// A container ended unasked.
    ContainerDied,
    /// The kernel killed for lack of memory.
    OutOfMemory,
    /// A health check fails.
    Unhealthy,
    /// An engine does not answer.
    EngineOffline,
    /// A container reports nothing any more.
    StatusStale,
    /// A container disappeared behind our back.
    ContainerGone,
    /// The gateway cannot listen.
    GatewayDown,
    /// Sync waits until a person agrees.
    SyncHalted,
    /// Both sides of a workspace were changed in ways that do not go together.
    SyncConflicts,
    /// A container has brought what tools on this machine run without asking.
    SyncTripwire,
    /// A project's history was not brought into a workspace, or what was committed there not back.
    HistoryStays,
    /// A container reports errors.
    ReportedErrors,
    /// A container reports warnings.
    ReportedWarnings,
    /// The container side changed a Docker context, and the host has it now.
    ContextChanged,
    /// A change of Docker contexts waits for a person.
    ContextsHeld,
    /// A Docker context, or a store of them, cannot be used.
    ContextsDamaged,
}

/// A health fact in words with a fix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AlertView {
    /// Stable while the alert stands: replaces its older self.
    pub id: String,
    /// What kind of fact.
    pub kind: AlertKind,
    /// Session concerned.
    pub session: Option<String>,
    /// Engine concerned.
    pub engine: Option<String>,
    /// What happened, in one sentence.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The change of Docker contexts that can be undone, with all that containers did to that context since.
    #[ts(optional)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<u64>,
    /// When it was raised.
    pub at: String,
}
