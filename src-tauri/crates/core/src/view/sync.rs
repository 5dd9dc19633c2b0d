//! What clients see of a workspace that is kept in step with its folder.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How a synced workspace stands; where several fit, the later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// Both sides are looked at for the first time.
    Starting,
    /// Both sides hold the same.
    InStep,
    /// Changes are being carried, or have just been made.
    Syncing,
    /// Something cannot be carried.
    Problems,
    /// Both sides changed the same in ways that do not go together.
    Conflicts,
    /// A person has to agree first.
    Halted,
    /// It does not work; tried again by itself.
    Failed,
    /// A person stopped it for now.
    Paused,
    /// The session does not run.
    Offline,
}

/// A workspace that is kept in step with its folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SyncView {
    /// How it stands.
    pub state: SyncState,
    /// Why, in words: for `halted` and `failed`.
    pub reason: Option<String>,
    /// What to do about `reason`.
    pub hint: Option<String>,
    /// Whether it goes on only when a person agrees to what `reason` says.
    pub needs_consent: bool,
    /// Whether a person stopped it for now, however it stands beside that.
    pub paused: bool,
    /// Places that changed while they were read or carried and are looked at again.
    pub pending: u32,
    /// One of these.
    pub held: Option<String>,
    /// Places that both sides changed in ways that do not go together.
    pub conflicts: u32,
    /// Places that cannot be carried.
    pub problems: u32,
    /// Entries that are kept back because they hold a key or a token.
    pub withheld: u32,
    /// How often the container has brought what tools on this machine run or heed without asking.
    pub tripped: u32,
    /// The last one of these.
    pub tripwire: Option<String>,
    /// Why everything is looked at from time to time although changes are told, in words.
    pub polling: Option<String>,
    /// The last cycle that changed something.
    pub last_cycle: Option<SyncCycleView>,
    /// How far it has come with what it carries, when that takes its time.
    pub progress: Option<SyncProgressView>,
}

/// How far a cycle has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SyncProgressView {
    /// Files that have been carried.
    pub files: u64,
    /// Of so many.
    pub of_files: u64,
    /// Bytes that have been carried.
    pub bytes: u64,
    /// Of so many.
    pub of_bytes: u64,
    /// Bytes in a second, so far.
    pub bytes_per_second: u64,
    /// If it goes on as it went so far; none while nothing did.
    pub seconds_left: Option<u32>,
    /// All of it in a line.
    pub text: String,
}

/// What a cycle did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SyncCycleView {
    /// When it ended.
    pub at: String,
    /// Entries that came to the project folder, went from it or changed in it.
    pub to_host: u32,
    /// The same of the workspace in the container.
    pub to_container: u32,
    /// Entries that were taken away on either side; they are in the trash.
    pub deleted: u32,
    /// Texts that both sides had changed and that now hold both changes.
    pub merged: u32,
}

impl SyncView {
    /// Of which nothing is known but how it stands.
    pub(crate) fn of(state: SyncState) -> Self {
        Self {
            state,
            reason: None,
            hint: None,
            needs_consent: false,
            paused: false,
            pending: 0,
            held: None,
            conflicts: 0,
            problems: 0,
            withheld: 0,
            tripped: 0,
            tripwire: None,
            polling: None,
            last_cycle: None,
            progress: None,
        }
    }
}
