//! What clients see of the mirror of Docker contexts: `~/.docker` (host) and `~/.docker-cai` (container).

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How the mirror stands, and every context of both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ContextsView {
    /// How it stands.
    pub state: ContextsState,
    /// Why, in words; for all states but `in_step`.
    pub reason: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The user's own store.
    pub host: ContextsSideView,
    /// The one that devcontainers mount.
    pub container: ContextsSideView,
    /// Every context of either side, by name; ghosts and damaged ones included.
    pub contexts: Vec<ContextView>,
    /// What waits for a person's consent.
    pub holds: Vec<ContextHoldView>,
    /// Why changes are looked for now and then instead of at once, in words.
    pub polling: Option<String>,
    /// The last change that was carried over.
    pub last_change: Option<ContextChangeView>,
}

/// How the mirror stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum ContextsState {
    /// It was never set up: there is no `~/.docker-cai`.
    Off,
    /// Both sides hold the same.
    InStep,
    /// A change is being looked at, or carried over.
    Working,
    /// Something waits for a person.
    Held,
    /// A file or folder cannot be used; what it concerns stays as it is.
    Damaged,
    /// Nothing is carried over.
    Halted,
}

/// One side of the mirror.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ContextsSideView {
    /// Folder of its `config.json`.
    pub path: String,
    /// What is wrong with its store as a whole, in words.
    pub problem: Option<String>,
    /// The context that its `config.json` selects; each side has its own.
    pub current: Option<String>,
}

/// Which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum ContextsSide {
    /// `~/.docker`.
    Host,
    /// `~/.docker-cai`.
    Container,
}

/// How one context stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum ContextState {
    /// The same on both sides.
    InStep,
    /// Its change has not been carried over yet.
    Pending,
    /// Its change waits for a person.
    Held,
    /// Cannot be used by anybody; its twin stays as it is.
    Quarantined,
    /// Lies in a folder that is another name's: listed by Docker, usable by nobody.
    Ghost,
    /// Kept out by the setting `contexts_no_sync`.
    NotSynced,
    /// `containai-docker` and its like: each side has its own.
    Special,
}

/// One context, as both sides have it. All texts are sanitised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ContextView {
    /// Its name; the name of its folder where it has none.
    pub name: String,
    /// How it stands.
    pub state: ContextState,
    /// Why, in words, where it is neither in step nor special.
    pub reason: Option<String>,
    /// As the host has it.
    pub host: Option<ContextEndView>,
    /// As containers see it.
    pub container: Option<ContextEndView>,
}

/// A context on one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ContextEndView {
    /// Description.
    pub description: String,
    /// Where its engine is, as written.
    pub endpoint: String,
    /// What is wrong with the endpoint: it is carried over and never dialled.
    pub endpoint_problem: Option<String>,
    /// A socket or an ssh login: means something on the host only.
    pub host_only: bool,
    /// Whoever answers is believed.
    pub skip_tls_verify: bool,
    /// Files of its TLS material, e.g. `key.pem`. On the container side, whoever is in there can read them.
    pub tls: Vec<String>,
}

/// A change that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ContextHoldView {
    /// Names it for `approve` and `drop`; another change gets another id.
    pub id: String,
    /// Contexts concerned.
    pub contexts: Vec<String>,
    /// The side that was changed.
    pub from: ContextsSide,
    /// What was changed, in a sentence.
    pub message: String,
    /// What `approve` does, and what `drop` does.
    pub hint: String,
}

/// What was done to a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum ContextAction {
    /// It is new.
    Created,
    /// It replaced an older version.
    Changed,
    /// It is gone.
    Deleted,
    /// It won over the other side's version, which is in the trash.
    Won,
    /// A change of the other side was taken back.
    Dropped,
    /// A change was undone.
    Undone,
    /// It came out of the trash.
    Restored,
}

/// A change that was carried over: an entry of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ContextChangeView {
    /// Its number; `undo` takes it.
    pub id: u64,
    /// When.
    pub at: String,
    /// Which context.
    pub context: String,
    /// Whose change it was.
    pub from: ContextsSide,
    /// What was done.
    pub action: ContextAction,
    /// The same in a sentence, with what differs.
    pub message: String,
    /// Whether it can be undone, as far as is known.
    pub undoable: bool,
}

/// Something in the trash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ContextTrashView {
    /// Names it for `restore`.
    pub id: String,
    /// Which context.
    pub context: String,
    /// The side it was taken from.
    pub side: ContextsSide,
    /// When.
    pub at: String,
    /// Why, in words.
    pub reason: String,
    /// Where its engine was.
    pub endpoint: String,
    /// Files of its TLS material.
    pub tls: Vec<String>,
}

/// A question about the mirror, or a wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum ContextsQuestion {
    /// How it stands now.
    Status,
    /// Makes `~/.docker-cai` and its own context; what is there stays.
    Setup,
    /// Looks at both sides now, and carries over what is to be carried over.
    Sync,
    /// What was carried over, the last change first.
    History {
        /// So many at most.
        limit: u32,
    },
    /// Takes a change back on both sides.
    Undo {
        /// As the history names it.
        id: u64,
    },
    /// Consents to what is held.
    Approve {
        /// A hold; all of them without it.
        id: Option<String>,
    },
    /// Takes what is held back on the side it came from.
    Drop {
        /// A hold; all of them without it.
        id: Option<String>,
    },
    /// What was overwritten or deleted in the last 30 days, the last first.
    Trash,
    /// Brings something out of the trash back to both sides.
    Restore {
        /// As the trash names it.
        id: String,
    },
}

/// The answer to a [`ContextsQuestion`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum ContextsAnswer {
    /// To `status`.
    Status(Box<ContextsView>),
    /// To `history`.
    History(Vec<ContextChangeView>),
    /// To `trash`.
    Trash(Vec<ContextTrashView>),
    /// To a wish: what was done, in a sentence, and how things stand after it.
    Done {
        /// In a sentence.
        message: String,
        /// Afterwards.
        contexts: Box<ContextsView>,
    },
}

impl Default for ContextsView {
    fn default() -> Self {
        Self {
            state: ContextsState::Off,
            reason: Some("Docker contexts are not mirrored: it was never set up.".to_owned()),
            hint: Some("Set it up with `mizzen contexts setup`.".to_owned()),
            host: ContextsSideView::default(),
            container: ContextsSideView::default(),
            contexts: Vec::new(),
            holds: Vec::new(),
            polling: None,
            last_change: None,
        }
    }
}
