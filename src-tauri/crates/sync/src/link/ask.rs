//! What a person asks of a link, and why they get no answer.

use mizzen_fsx::PathError;
use mizzen_sync_core::{FOLDER_NAMES, FolderNames, Mode, RelPath, Side};

use super::CycleError;
use crate::endpoint::EndpointError;
use crate::trash::CycleId;

/// Why what a person asked for did not come about.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The sides cannot be looked at, or take no changes.
    #[error(transparent)]
    Cycle(#[from] CycleError),
    /// The trash of a side cannot be read.
    #[error("{}", self.told(FOLDER_NAMES))]
    Trash(Side, EndpointError),
    /// What both agree on cannot be kept.
    #[error("what both sides agree on cannot be kept: {0}")]
    Base(#[from] PathError),
    /// Both sides do not differ there, or their changes go together.
    #[error("there is no conflict at {0}")]
    NoConflict(RelPath),
    /// The version that would have to go holds what is never carried.
    #[error("{}", self.told(FOLDER_NAMES))]
    Unsyncable(RelPath, Side),
    /// Neither side knows of the cycle.
    #[error("no cycle {0} is known")]
    UnknownCycle(CycleId),
    /// No cycle displaced anything there, or the trash does not keep it any more.
    #[error("the trash keeps nothing that stood at {0} then")]
    NothingKept(RelPath),
    /// The next cycle would do it again at once.
    #[error("the mode {0} carries the host's changes only, and would do it again at once")]
    Mode(Mode),
}

impl AskError {
    /// Why, by what people call the folders; no sentence yet.
    #[must_use]
    pub fn told(&self, names: FolderNames) -> String {
        match self {
            Self::Cycle(error) => error.told(names),
            Self::Trash(side, why) => {
                format!("the trash of {} cannot be read: {why}", side.of(names))
            }
            Self::Unsyncable(path, side) => format!(
                "{path} in {} holds entries that cannot be synced and would be lost",
                side.of(names)
            ),
            Self::Base(_)
            | Self::NoConflict(_)
            | Self::UnknownCycle(_)
            | Self::NothingKept(_)
            | Self::Mode(_) => self.to_string(),
        }
    }
}
