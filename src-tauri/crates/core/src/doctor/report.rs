//! What `mizzen doctor` and the Doctor page show.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Everything that was looked at, in the order a person would repair it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DoctorReport {
    /// One row per thing looked at.
    pub checks: Vec<DoctorCheck>,
}

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DoctorCheck {
    /// Stable name, e.g. `engine`.
    pub id: String,
    /// What was looked at, for people.
    pub title: String,
    /// How it stands.
    pub state: CheckState,
    /// What was found, in one sentence.
    pub message: String,
    /// What to do about it; none when all is well.
    pub fix: Option<String>,
}

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// Works, but not as well as it could.
    Warning,
    /// Mizzen cannot do its work.
    Problem,
}

/// A thing that is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
}

impl Subject {
    pub(super) fn ok(self, message: impl Into<String>) -> DoctorCheck {
        self.found(CheckState::Ok, message.into(), None)
    }

    pub(super) fn warning(self, message: impl Into<String>, fix: impl Into<String>) -> DoctorCheck {
        self.found(CheckState::Warning, message.into(), Some(fix.into()))
    }

    pub(super) fn problem(self, message: impl Into<String>, fix: impl Into<String>) -> DoctorCheck {
        self.found(CheckState::Problem, message.into(), Some(fix.into()))
    }

    fn found(self, state: CheckState, message: String, fix: Option<String>) -> DoctorCheck {
        DoctorCheck {
            id: self.id.to_owned(),
            title: self.title.to_owned(),
            state,
            message,
            fix,
        }
    }
}
