//! What clients see of the commands that a session was given.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// It waits for its turn.
    Waiting,
    /// It runs.
    Running,
    /// It ended with exit code 0.
    Succeeded,
    /// It ended otherwise.
    Failed,
    /// It took too long, and was ended.
    TimedOut,
    /// It was cancelled, or ended with its container.
    Killed,
    /// It cannot be carried out; nothing was run.
    Rejected,
    /// It came too late; nothing was run.
    Expired,
    /// It was begun, and nobody knows how it ended. It is not run again.
    Interrupted,
}

impl CommandState {
    /// Whether nothing more will come.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// A command that a session was given. The container tells of it: times are its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CommandView {
    /// Its id.
    pub id: String,
    /// The program and its arguments in one line, shortened.
    pub command: String,
    /// How far it is.
    pub state: CommandState,
    /// The code that it ended with.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// When it was asked for.
    pub asked_at: Option<String>,
    /// When it was begun.
    pub started_at: Option<String>,
    /// When it ended.
    pub finished_at: Option<String>,
    /// Whether some of its output is missing.
    pub truncated: bool,
    /// Processes that it has left running.
    pub left_running: u32,
    /// Why it was not carried out, in words, sanitised.
    pub error: Option<String>,
}
