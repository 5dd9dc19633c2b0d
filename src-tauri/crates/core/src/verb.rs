//! Everything a person can ask the core to do, and what comes of it.

use std::collections::BTreeMap;

use mizzen_sessions::sentence;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::{SessionView, Settings, WorkspaceKind};

/// A wish. Every verb is idempotent and may be sent again after a crash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Verb {
    /// Creates the session of a folder when there is none, and starts it.
    Up(UpParams),
    /// Starts a stopped session.
    Start(SessionRef),
    /// Shuts a session down gracefully; its container stays.
    Stop(SessionRef),
    /// Freezes a session.
    Pause(SessionRef),
    /// Thaws a session.
    Resume(SessionRef),
    /// Stops and starts.
    Restart(SessionRef),
    /// Removes container, network and status files; never the project folder.
    Remove(RemoveParams),
    /// Looks at everything of a synced workspace now, and carries what is to be carried.
    SyncFlush(SyncFlushParams),
    /// Carries nothing of a synced workspace until it is resumed.
    SyncPause(SessionRef),
    /// Goes on after a pause.
    SyncResume(SessionRef),
    /// Fetches what was committed in a synced workspace into the project's repository.
    GitFetch(SessionRef),
    /// Has a session's container carry out a command, once; it takes its turn.
    Exec(ExecParams),
    /// Ends a command, or takes it out of the queue.
    CancelCommand(CommandRef),
    /// Builds the session image, also when it is there (`rebuild`).
    BuildImage {
        /// Engine to build on; none means the selected one.
        engine: Option<String>,
        /// Build although the image exists.
        rebuild: bool,
    },
    /// Removes session images that are out of date and unused.
    PruneImages {
        /// Engine to clean; none means the selected one.
        engine: Option<String>,
    },
    /// Tries an offline engine now instead of after its backoff.
    RetryEngine {
        /// Its name.
        engine: String,
    },
    /// Puts an alert away.
    DismissAlert {
        /// Its id.
        id: String,
    },
    /// Saves settings.
    SaveSettings {
        /// The new settings, whole.
        settings: Settings,
    },
}

/// Names a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SessionRef {
    /// Its name; compared without case.
    pub session: String,
}

/// Parameters of [`Verb::Up`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct UpParams {
    /// Project folder; absolute.
    pub dir: String,
    /// Session name; derived from the folder's when empty.
    pub name: Option<String>,
    /// Engine; the selected one when empty.
    pub engine: Option<String>,
    /// Workspace kind.
    pub workspace: Option<WorkspaceKind>,
    /// Image reference; Mizzen's own when empty.
    pub image: Option<String>,
    /// Memory limit.
    pub memory_bytes: Option<u64>,
    /// Processors.
    pub cpus: Option<f64>,
}

/// Parameters of [`Verb::Remove`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RemoveParams {
    /// Session name.
    pub session: String,
    /// Also when it runs: it is stopped first.
    #[serde(default)]
    pub force: bool,
    /// Also its volumes: settings and logins kept in the session's home, and a
    /// synced workspace.
    #[serde(default)]
    pub volumes: bool,
}

/// Parameters of [`Verb::SyncFlush`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SyncFlushParams {
    /// Session name.
    pub session: String,
    /// A person has agreed to what had stopped it.
    #[serde(default)]
    pub consent: bool,
}

/// Parameters of [`Verb::Exec`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default)]
pub struct ExecParams {
    /// Session name.
    pub session: String,
    /// Names the command for ever: sent again, it is not carried out again. 1 to 64 letters, digits, `.`, `_`, `-`.
    pub id: String,
    /// The program and its arguments; with `shell` a script and its arguments.
    pub argv: Vec<String>,
    /// Give the first of `argv` to a shell.
    pub shell: bool,
    /// More environment variables.
    pub env: BTreeMap<String, String>,
    /// Directory to run it in, `/workspace` or below it; `/workspace` when empty.
    pub dir: Option<String>,
    /// How long it may take; 300 s when empty.
    pub timeout_seconds: Option<u32>,
    /// Which goes first.
    pub priority: CommandPriority,
}

/// Which command goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum CommandPriority {
    /// Before all others.
    High,
    /// As it comes.
    #[default]
    Normal,
    /// When nothing else waits.
    Low,
}

/// Names a command of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandRef {
    /// Session name.
    pub session: String,
    /// Id of the command.
    pub id: String,
}

/// What came of a verb.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Outcome {
    /// In one sentence.
    pub message: String,
    /// The session afterwards.
    pub session: Option<SessionView>,
}

/// Why a wish did not come about. Closed: clients branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Malformed: a bad name, folder or number.
    Usage,
    /// No such session, engine or alert.
    NotFound,
    /// The limit of running sessions.
    Limit,
    /// The session's state forbids it.
    State,
    /// Safety forbids it.
    Policy,
    /// The engine does not answer.
    EngineUnreachable,
    /// A phase failed.
    Failed,
    /// No core answers.
    CoreUnreachable,
    /// Waits for a person.
    NeedsPerson,
}

/// An error for a person: what failed and why, and the next step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[ts(export)]
#[error("{message}")]
pub struct ApiError {
    /// What clients branch on.
    pub code: ErrorCode,
    /// What failed and why, in one sentence.
    pub message: String,
    /// The next step.
    pub hint: String,
}

impl ApiError {
    /// Makes sentences of both texts.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl AsRef<str>, hint: impl AsRef<str>) -> Self {
        Self {
            code,
            message: sentence(message.as_ref()),
            hint: sentence(hint.as_ref()),
        }
    }
}

impl ErrorCode {
    /// Exit code of the command line, as documented in `mizzen --help`.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed | Self::CoreUnreachable => 1,
            Self::Usage => 2,
            Self::NeedsPerson => 3,
            Self::EngineUnreachable => 4,
            Self::NotFound => 5,
            Self::Limit | Self::State | Self::Policy => 6,
        }
    }
}
