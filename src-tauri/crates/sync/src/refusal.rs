//! Why a person gets no answer, and what to do, wherever they asked.

use mizzen_sync_core::{FolderNames, Halt, Remedy};
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
    /// The same, since a folder is another one than the last time.
    Exchanged,
    /// The same, since a disk has no room for what is to come.
    DiskFull,
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

    /// What to do about it; `agree` is how a person says there that a cycle may go on, and `command` how a verb is
    /// typed.
    #[must_use]
    pub fn hint(&self, agree: &str, command: impl Fn(&str) -> String) -> String {
        match self.because {
            Because::Halted => Remedy::Look.hint(agree),
            Because::Exchanged => Remedy::PutBack.hint(agree),
            Because::DiskFull => Remedy::MakeRoom.hint(agree),
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
            AskError::Cycle(CycleError::Halted(halt)) => halt.into(),
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

impl From<&Halt> for Because {
    fn from(halt: &Halt) -> Self {
        match halt.remedy() {
            Remedy::Look => Self::Halted,
            Remedy::PutBack => Self::Exchanged,
            Remedy::MakeRoom => Self::DiskFull,
        }
    }
}

#[cfg(test)]
mod tests {
    use mizzen_sync_core::{FOLDER_NAMES, Side};

    use super::*;

    #[test]
    fn what_stops_a_verb_is_told_with_the_same_remedy_as_what_stops_a_cycle() {
        let side = Side::Container;
        for halt in [
            Halt::RootMissing(side),
            Halt::RootReplaced(side),
            Halt::RootEmptied(side),
            Halt::RootExchanged {
                side,
                left: 1,
                of: 3,
            },
            Halt::ManyDeletions {
                side,
                deleted: 30,
                of: 40,
            },
            Halt::DiskFull {
                side,
                needed: 2,
                room: 1,
            },
        ] {
            let error = AskError::Cycle(halt.into());
            let refusal = Refusal::of(&error, FOLDER_NAMES);
            assert_eq!(refusal.why, halt.to_string());
            let mut hint = refusal.hint("say so", str::to_owned);
            hint[..1].make_ascii_uppercase();
            assert_eq!(hint, halt.hint("say so"));
        }
    }
}
