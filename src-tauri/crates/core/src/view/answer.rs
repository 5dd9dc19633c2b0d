//! What is asked of a synced workspace, and what it answers: as plain values, for two folders as well.

use mizzen_sync::{Because, Keep, Question, Refusal, told};
use mizzen_sync_core::RelPath;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A question about a workspace, or a wish. Paths are those below the workspace, with slashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum SyncQuestion {
    /// What both sides changed, with the lines that differ.
    Conflicts,
    /// What a cycle would do now.
    Plan,
    /// Decides a conflict.
    Resolve {
        /// Where it is.
        path: String,
        /// Whose version stays.
        keep: SyncKeep,
    },
    /// Past cycles, the last one first.
    History {
        /// Only those of which the trash keeps this place.
        of: Option<String>,
        /// Only those before this one.
        before: Option<String>,
        /// So many.
        limit: u32,
    },
    /// Takes a cycle back on both sides, wherever nothing has changed since.
    Undo {
        /// As the history names it.
        cycle: String,
    },
    /// Brings back what stood at a place.
    Restore {
        /// The place.
        path: String,
        /// As it was before this cycle; as it was last without it.
        before: Option<String>,
        /// What this side held; whichever held it last without it.
        side: Option<SyncSide>,
    },
    /// How a place stands, and what keeps it back.
    Why {
        /// The place.
        path: String,
    },
}

/// Whose version of a conflict stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SyncKeep {
    /// The project folder's.
    Host,
    /// The workspace's.
    Container,
    /// Both: the workspace's lies beside the folder's.
    Both,
}

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SyncSide {
    /// The project folder.
    Host,
    /// The workspace in the container.
    Container,
}

/// The answer to a [`SyncQuestion`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SyncAnswer {
    /// To `conflicts`.
    Conflicts(Vec<ConflictView>),
    /// To `plan`.
    Plan(PlanView),
    /// To `history`.
    History(Vec<PastCycleView>),
    /// To a wish.
    Done(SyncDone),
    /// To `why`.
    Standing(StandingView),
}

/// What both sides changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConflictView {
    /// Where.
    pub path: String,
    /// The folder's version; none where it deleted it.
    pub host: Option<VersionView>,
    /// The workspace's.
    pub container: Option<VersionView>,
    /// From the host's to the container's, as unified diffs show it; none when one of them is no text.
    pub diff: Option<String>,
}

/// What a side holds at the place of a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct VersionView {
    /// `file`, `folder`, `link` or `entry`.
    pub kind: String,
    /// Of a file, in bytes.
    pub size: Option<u64>,
    /// When its contents changed.
    pub modified: Option<String>,
    /// Entries in a folder.
    pub entries: Option<u64>,
}

/// What a cycle would do now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PlanView {
    /// The first steps of it, and what it would leave to a person.
    pub steps: Vec<PlanStepView>,
    /// How many more there are.
    pub more: u64,
    /// Why it would stop before all of them until a person agrees.
    pub halt: Option<String>,
}

/// What it would do at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PlanStepView {
    /// `create`, `replace`, `remove`, `merge`, `conflict` or `problem`.
    pub what: String,
    /// The place.
    pub path: String,
    /// On which side; none where it is both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<SyncSide>,
    /// Why a person is asked, or when it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A cycle of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PastCycleView {
    /// How it is called, by when it began.
    pub cycle: String,
    /// What it did to the folder; none where it did nothing.
    pub host: Option<PastSideView>,
    /// The same of the workspace.
    pub container: Option<PastSideView>,
}

/// What a cycle did to a side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PastSideView {
    /// The first of them.
    pub changes: Vec<PastChangeView>,
    /// How many there are.
    pub places: u64,
    /// Files that the trash keeps.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a cycle did at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PastChangeView {
    /// The place.
    pub path: String,
    /// `create`, `replace` or `remove`.
    pub was: String,
}

/// What came of a wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SyncDone {
    /// Under which name it is in the history, and can be taken back.
    pub cycle: String,
    /// Places that were changed on either side.
    pub changed: u32,
    /// Where the container's version is kept, when both are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// What stays as it is.
    pub left: Vec<LeftView>,
}

/// A place that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct LeftView {
    /// The place.
    pub path: String,
    /// On which side.
    pub side: SyncSide,
    /// Why.
    pub why: String,
    /// Whether it was to be changed and could not; else it has changed since and is left alone.
    pub failed: bool,
}

/// How a place stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct StandingView {
    /// The place.
    pub path: String,
    /// In words: `in step`, `not carried`, `conflict` and others.
    pub standing: String,
    /// The place that it is so for the sake of, when that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// On which side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<SyncSide>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl From<told::Side> for SyncSide {
    fn from(side: told::Side) -> Self {
        match side {
            told::Side::Host => Self::Host,
            told::Side::Container => Self::Container,
        }
    }
}

impl From<SyncSide> for told::Side {
    fn from(side: SyncSide) -> Self {
        match side {
            SyncSide::Host => Self::Host,
            SyncSide::Container => Self::Container,
        }
    }
}

impl From<Question> for SyncQuestion {
    fn from(question: Question) -> Self {
        match question {
            Question::Conflicts => Self::Conflicts,
            Question::Plan => Self::Plan,
            Question::Resolve { path, keep } => Self::Resolve {
                path: path.to_string(),
                keep: match keep {
                    Keep::Host => SyncKeep::Host,
                    Keep::Container => SyncKeep::Container,
                    Keep::Both => SyncKeep::Both,
                },
            },
            Question::History { of, before, limit } => Self::History {
                of: of.map(|path| path.to_string()),
                before: before.map(|cycle| cycle.to_string()),
                limit,
            },
            Question::Undo { cycle } => Self::Undo {
                cycle: cycle.to_string(),
            },
            Question::Restore { path, before, side } => Self::Restore {
                path: path.to_string(),
                before: before.map(|cycle| cycle.to_string()),
                side: side.map(Into::into),
            },
            Question::Why { path } => Self::Why {
                path: path.to_string(),
            },
        }
    }
}

impl TryFrom<SyncQuestion> for Question {
    type Error = Refusal;

    fn try_from(question: SyncQuestion) -> Result<Self, Refusal> {
        Ok(match question {
            SyncQuestion::Conflicts => Self::Conflicts,
            SyncQuestion::Plan => Self::Plan,
            SyncQuestion::Resolve { path, keep } => Self::Resolve {
                path: place(&path)?,
                keep: match keep {
                    SyncKeep::Host => Keep::Host,
                    SyncKeep::Container => Keep::Container,
                    SyncKeep::Both => Keep::Both,
                },
            },
            SyncQuestion::History { of, before, limit } => Self::History {
                of: of.as_deref().map(place).transpose()?,
                before: before.as_deref().map(cycle).transpose()?,
                limit,
            },
            SyncQuestion::Undo { cycle: id } => Self::Undo { cycle: cycle(&id)? },
            SyncQuestion::Restore { path, before, side } => Self::Restore {
                path: place(&path)?,
                before: before.as_deref().map(cycle).transpose()?,
                side: side.map(Into::into),
            },
            SyncQuestion::Why { path } => Self::Why {
                path: place(&path)?,
            },
        })
    }
}

fn place(path: &str) -> Result<RelPath, Refusal> {
    RelPath::new(path.as_bytes()).map_err(|error| {
        let why = format!("`{path}` names no place of a workspace: {error}");
        Refusal::new(Because::Usage, why)
    })
}

fn cycle(id: &str) -> Result<mizzen_sync::CycleId, Refusal> {
    id.parse()
        .map_err(|error: mizzen_sync::NoCycleId| Refusal::new(Because::Usage, error.to_string()))
}

impl From<told::Answer> for SyncAnswer {
    fn from(answer: told::Answer) -> Self {
        match answer {
            told::Answer::Conflicts(all) => {
                Self::Conflicts(all.into_iter().map(Into::into).collect())
            }
            told::Answer::Plan(plan) => Self::Plan(plan.into()),
            told::Answer::History(all) => Self::History(all.into_iter().map(Into::into).collect()),
            told::Answer::Done(done) => Self::Done(done.into()),
            told::Answer::Standing(standing) => Self::Standing(standing.into()),
        }
    }
}

impl From<told::Conflict> for ConflictView {
    fn from(told: told::Conflict) -> Self {
        Self {
            path: told.path,
            host: told.host.map(Into::into),
            container: told.container.map(Into::into),
            diff: told.diff,
        }
    }
}

impl From<told::Version> for VersionView {
    fn from(told: told::Version) -> Self {
        Self {
            kind: told.kind,
            size: told.size,
            modified: told.modified,
            entries: told.entries,
        }
    }
}

impl From<told::Plan> for PlanView {
    fn from(told: told::Plan) -> Self {
        Self {
            steps: told.steps.into_iter().map(Into::into).collect(),
            more: told.more,
            halt: told.halt,
        }
    }
}

impl From<told::Step> for PlanStepView {
    fn from(told: told::Step) -> Self {
        Self {
            what: told.what,
            path: told.path,
            side: told.side.map(Into::into),
            why: told.why,
        }
    }
}

impl From<told::PastCycle> for PastCycleView {
    fn from(told: told::PastCycle) -> Self {
        Self {
            cycle: told.cycle,
            host: told.host.map(Into::into),
            container: told.container.map(Into::into),
        }
    }
}

impl From<told::PastSide> for PastSideView {
    fn from(told: told::PastSide) -> Self {
        Self {
            changes: told.changes.into_iter().map(Into::into).collect(),
            places: told.places,
            files: told.files,
            bytes: told.bytes,
        }
    }
}

impl From<told::PastChange> for PastChangeView {
    fn from(told: told::PastChange) -> Self {
        Self {
            path: told.path,
            was: told.was,
        }
    }
}

impl From<told::Done> for SyncDone {
    fn from(told: told::Done) -> Self {
        Self {
            cycle: told.cycle,
            changed: told.changed,
            beside: told.beside,
            left: told.left.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<told::Left> for LeftView {
    fn from(told: told::Left) -> Self {
        Self {
            path: told.path,
            side: told.side.into(),
            why: told.why,
            failed: told.failed,
        }
    }
}

impl From<told::Standing> for StandingView {
    fn from(told: told::Standing) -> Self {
        Self {
            path: told.path,
            standing: told.standing,
            at: told.at,
            side: told.side.map(Into::into),
            why: told.why,
        }
    }
}
