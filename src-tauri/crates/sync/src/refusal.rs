//! Why a person gets no answer, and what to do, wherever they asked.

use mizzen_sync_core::FolderNames;
use serde::{Deserialize, Serialize};

use crate::link::{AskError, CycleError};

/// Why what a person asked for did not come about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{why}")]
pub struct Refusal {
    /// Of what kind it is.
    pub because: Because,
    /// In words, without a full stop.
    pub why: String,
}

/// Kinds of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// A person has to agree first.
    Halted,
    /// A side cannot be looked at, or takes no changes.
    Failed,
    /// What is remembered cannot be read or kept.
    Storage,
    /// There is no such conflict.
    NoConflict,
    /// The history has no such cycle, or the trash keeps nothing of it.
    NotKept,
    /// What would have to go can never be brought back.
    Unsyncable,
    /// The mode does not allow it.
    Mode,
    /// The question makes no sense.
    Usage,
    /// There is no link now.
    NoLink,
}

impl Refusal {
    /// A refusal in words.
    #[must_use]
    pub fn new(because: Because, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { because, why }
    }

    /// What to do about it; `command` says how a verb is typed where they asked.
    #[must_use]
    pub fn hint(&self, command: impl Fn(&str) -> String) -> String {
        match self.because {
            Because::Halted => format!(
                "look at both sides; to agree: {}",
                command("flush --consent")
            ),
            Because::Failed | Because::NoLink => format!("see `{}`", command("status")),
            Because::Storage => {
                "check the permissions of what is remembered of the sync, and the space on its disk"
                    .to_owned()
            }
            Because::NoConflict => format!("`{}` lists them", command("conflicts")),
            Because::NotKept => format!("`{}` lists what is kept", command("history")),
            Because::Unsyncable => "move them elsewhere, or keep the other version".to_owned(),
            Because::Mode => "change `mode` in mizzen.toml, and look again".to_owned(),
            Because::Usage => {
                "name places from the folder on, like src/main.rs, and cycles as the history does"
                    .to_owned()
            }
        }
    }
}

impl Refusal {
    /// Of what was asked of two folders, by what people call them.
    pub(crate) fn of(error: &AskError, names: FolderNames) -> Self {
        let because = match error {
            AskError::Cycle(CycleError::Halted(_)) => Because::Halted,
            AskError::Cycle(_) => Because::Failed,
            AskError::Trash(..) | AskError::Base(_) => Because::Storage,
            AskError::NoConflict(_) => Because::NoConflict,
            AskError::UnknownCycle(_) | AskError::NothingKept(_) => Because::NotKept,
            AskError::Unsyncable(..) => Because::Unsyncable,
            AskError::Mode(_) => Because::Mode,
        };
        Self::new(because, error.told(names))
    }
}
