//! What is asked of a synced workspace, and what it answers: as plain values, for two folders as well.

use jiff::Timestamp;
use mizzen_sync::{Past, PastCycle, Resolved, Standing, Undone, Was};
use mizzen_sync_core::{Conflict, File, Node, RelPath, Side};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A question about a workspace, or a wish. Paths are those below the workspace, with slashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum SyncQuestion {
    /// What both sides changed, with the lines that differ.
    Conflicts,
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

impl From<Side> for SyncSide {
    fn from(side: Side) -> Self {
        match side {
            Side::Host => Self::Host,
            Side::Container => Self::Container,
        }
    }
}

impl From<SyncSide> for Side {
    fn from(side: SyncSide) -> Self {
        match side {
            SyncSide::Host => Self::Host,
            SyncSide::Container => Self::Container,
        }
    }
}

impl ConflictView {
    /// A conflict, and the lines that differ.
    #[must_use]
    pub fn new(conflict: &Conflict, diff: Option<String>) -> Self {
        Self {
            path: conflict.path.to_string(),
            host: conflict.host.as_ref().map(VersionView::new),
            container: conflict.container.as_ref().map(VersionView::new),
            diff,
        }
    }
}

impl VersionView {
    fn new(node: &Node) -> Self {
        let (kind, file) = match node {
            Node::File(file) => ("file", Some(file)),
            Node::Dir(_) => ("folder", None),
            Node::Link(_) => ("link", None),
            Node::Unsyncable(_) => ("entry", None),
        };
        let time = |file: &File| Timestamp::from_nanosecond(file.mtime.into()).ok();
        Self {
            kind: kind.to_owned(),
            size: file.map(|file| file.size),
            modified: file.and_then(time).map(|time| time.to_string()),
            entries: node.as_dir().map(|_| node.count() - 1),
        }
    }
}

impl PastCycleView {
    /// A cycle as both sides' trash knows it.
    #[must_use]
    pub fn new(past: &PastCycle) -> Self {
        Self {
            cycle: past.id.to_string(),
            host: past.sides.host.as_ref().map(PastSideView::new),
            container: past.sides.container.as_ref().map(PastSideView::new),
        }
    }
}

impl PastSideView {
    fn new(past: &Past) -> Self {
        let change = |change: &mizzen_sync::PastChange| PastChangeView {
            path: change.path.to_string(),
            was: match change.was {
                Was::Created => "create",
                Was::Replaced => "replace",
                Was::Removed => "remove",
            }
            .to_owned(),
        };
        Self {
            changes: past.changes.iter().map(change).collect(),
            places: past.places,
            files: past.files,
            bytes: past.bytes,
        }
    }
}

impl SyncDone {
    /// What came of a decision.
    #[must_use]
    pub fn resolved(resolved: &Resolved) -> Self {
        Self {
            beside: resolved.beside.as_ref().map(ToString::to_string),
            ..Self::new(&resolved.cycle)
        }
    }

    /// What came of taking something back.
    #[must_use]
    pub fn undone(undone: &Undone) -> Self {
        let mut done = Self::new(&undone.cycle);
        let refused = [
            (SyncSide::Host, &undone.refused.host),
            (SyncSide::Container, &undone.refused.container),
        ];
        for (side, places) in refused {
            done.left.extend(places.iter().map(|path| LeftView {
                path: path.to_string(),
                side,
                why: "it has changed since".to_owned(),
                failed: false,
            }));
        }
        done
    }

    fn new(cycle: &mizzen_sync::Cycle) -> Self {
        let failed = cycle.failures().map(|(side, failure)| LeftView {
            path: failure.path.to_string(),
            side: side.into(),
            why: failure.why.to_string(),
            failed: true,
        });
        let changed = cycle.applied.host.done.len() + cycle.applied.container.done.len();
        Self {
            cycle: cycle.id.to_string(),
            changed: u32::try_from(changed).unwrap_or(u32::MAX),
            beside: None,
            left: failed.collect(),
        }
    }
}

impl StandingView {
    /// How a place stands.
    #[must_use]
    pub fn new(path: &RelPath, standing: &Standing) -> Self {
        let view = |standing: &str| Self {
            path: path.to_string(),
            standing: standing.to_owned(),
            at: None,
            side: None,
            why: None,
        };
        let because = |standing: &str, why: String| Self {
            why: Some(why),
            ..view(standing)
        };
        let at = |at: &RelPath, view: Self| Self {
            at: (at != path).then(|| at.to_string()),
            ..view
        };
        let on = |side: Side, view: Self| Self {
            side: Some(side.into()),
            ..view
        };
        match standing {
            Standing::KeptBack { at: entry, why } => {
                at(entry, because("not carried", why.to_string()))
            }
            Standing::Temporary => because("not carried", "it is one of Mizzen's own".to_owned()),
            Standing::Conflict(entry) => at(
                entry,
                because("conflict", "changed on both sides".to_owned()),
            ),
            Standing::Problem {
                at: entry,
                side,
                why,
            } => at(entry, on(*side, because("problem", why.to_string()))),
            Standing::Failed {
                at: entry,
                side,
                why,
            } => at(entry, on(*side, because("failed", why.clone()))),
            Standing::Pending(side) => on(
                *side,
                because("pending", "the next cycle changes it there".to_owned()),
            ),
            Standing::Merging => because(
                "pending",
                "the next cycle merges what both sides changed".to_owned(),
            ),
            Standing::Partly {
                conflicts,
                problems,
                pending,
            } => because("not all in step", partly(*conflicts, *problems, *pending)),
            Standing::InStep => view("in step"),
            Standing::Left => because(
                "left",
                "the sides differ, and the mode leaves it so".to_owned(),
            ),
            Standing::Nowhere => because("nowhere", "neither side has it".to_owned()),
        }
    }
}

fn partly(conflicts: usize, problems: usize, pending: usize) -> String {
    let counts = [
        (conflicts, "conflict", "conflicts"),
        (problems, "problem", "problems"),
        (pending, "change to come", "changes to come"),
    ];
    let parts = counts
        .into_iter()
        .filter_map(|(count, one, many)| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {many}")),
        });
    format!("{} in it", parts.collect::<Vec<_>>().join(", "))
}
