//! What a link tells a person, as plain values: for terminals, windows and files alike.
//!
//! Text in it is as it came from either side: who shows it to a person makes it harmless first.

mod plan;
mod progress;
mod stand;

use jiff::Timestamp;
use mizzen_sync_core::{self as core, File, Node, RelPath};
use serde::{Deserialize, Serialize};

use crate::{link, trash};

pub use plan::{Plan, Step};
pub use progress::{Amount, Progress};
pub use stand::{Carried, Stand, State, Trouble};

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The host's folder.
    Host,
    /// The container's.
    Container,
}

/// The answer to a [`Question`](crate::Question).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To `conflicts`.
    Conflicts(Vec<Conflict>),
    /// To `plan`.
    Plan(Plan),
    /// To `history`.
    History(Vec<PastCycle>),
    /// To a wish.
    Done(Done),
    /// To `why`.
    Standing(Standing),
}

/// What both sides changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Where.
    pub path: String,
    /// The folder's version; none where it deleted it.
    pub host: Option<Version>,
    /// The workspace's.
    pub container: Option<Version>,
    /// From the host's to the container's, as unified diffs show it; none when one of them is no text.
    pub diff: Option<String>,
}

/// What a side holds at the place of a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastCycle {
    /// How it is called, by when it began.
    pub cycle: String,
    /// What it did to the folder; none where it did nothing.
    pub host: Option<PastSide>,
    /// The same of the workspace.
    pub container: Option<PastSide>,
}

/// What a cycle did to a side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastSide {
    /// The first of them.
    pub changes: Vec<PastChange>,
    /// How many there are.
    pub places: u64,
    /// Files that the trash keeps.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a cycle did at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastChange {
    /// The place.
    pub path: String,
    /// `create`, `replace` or `remove`.
    pub was: String,
}

/// What came of a wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Under which name it is in the history, and can be taken back.
    pub cycle: String,
    /// Places that were changed on either side.
    pub changed: u32,
    /// Where the container's version is kept, when both are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// What stays as it is.
    pub left: Vec<Left>,
}

/// A place that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The place.
    pub path: String,
    /// On which side.
    pub side: Side,
    /// Why.
    pub why: String,
    /// Whether it was to be changed and could not; else it has changed since and is left alone.
    pub failed: bool,
}

/// How a place stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The place.
    pub path: String,
    /// In words: `in step`, `not carried`, `conflict` and others.
    pub standing: String,
    /// The place that it is so for the sake of, when that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// On which side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl From<core::Side> for Side {
    fn from(side: core::Side) -> Self {
        match side {
            core::Side::Host => Self::Host,
            core::Side::Container => Self::Container,
        }
    }
}

impl From<Side> for core::Side {
    fn from(side: Side) -> Self {
        match side {
            Side::Host => Self::Host,
            Side::Container => Self::Container,
        }
    }
}

impl Conflict {
    /// A conflict, and the lines that differ.
    #[must_use]
    pub fn new(conflict: &core::Conflict, diff: Option<String>) -> Self {
        Self {
            path: conflict.path.to_string(),
            host: conflict.host.as_ref().map(Version::new),
            container: conflict.container.as_ref().map(Version::new),
            diff,
        }
    }
}

impl Version {
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

impl PastCycle {
    /// A cycle as both sides' trash knows it.
    #[must_use]
    pub fn new(past: &link::PastCycle) -> Self {
        Self {
            cycle: past.id.to_string(),
            host: past.sides.host.as_ref().map(PastSide::new),
            container: past.sides.container.as_ref().map(PastSide::new),
        }
    }
}

impl PastSide {
    fn new(past: &trash::Past) -> Self {
        let change = |change: &trash::PastChange| PastChange {
            path: change.path.to_string(),
            was: match change.was {
                trash::Was::Created => "create",
                trash::Was::Replaced => "replace",
                trash::Was::Removed => "remove",
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

impl Done {
    /// What came of a decision.
    #[must_use]
    pub fn resolved(resolved: &link::Resolved) -> Self {
        Self {
            beside: resolved.beside.as_ref().map(ToString::to_string),
            ..Self::new(&resolved.cycle)
        }
    }

    /// What came of taking something back.
    #[must_use]
    pub fn undone(undone: &link::Undone) -> Self {
        let mut done = Self::new(&undone.cycle);
        let refused = [
            (Side::Host, &undone.refused.host),
            (Side::Container, &undone.refused.container),
        ];
        for (side, places) in refused {
            done.left.extend(places.iter().map(|path| Left {
                path: path.to_string(),
                side,
                why: "it has changed since".to_owned(),
                failed: false,
            }));
        }
        done
    }

    fn new(cycle: &link::Cycle) -> Self {
        let failed = cycle.failures().map(|(side, failure)| Left {
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

impl Standing {
    /// How a place stands.
    #[must_use]
    pub fn new(path: &RelPath, standing: &link::Standing) -> Self {
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
        let on = |side: core::Side, view: Self| Self {
            side: Some(side.into()),
            ..view
        };
        match standing {
            link::Standing::KeptBack { at: entry, why } => {
                at(entry, because("not carried", why.to_string()))
            }
            link::Standing::Temporary => {
                because("not carried", "it is one of Mizzen's own".to_owned())
            }
            link::Standing::Conflict(entry) => at(
                entry,
                because("conflict", "changed on both sides".to_owned()),
            ),
            link::Standing::Problem {
                at: entry,
                side,
                why,
            } => at(entry, on(*side, because("problem", why.to_string()))),
            link::Standing::Failed {
                at: entry,
                side,
                why,
            } => at(entry, on(*side, because("failed", why.clone()))),
            link::Standing::Pending(side) => on(
                *side,
                because("pending", "the next cycle changes it there".to_owned()),
            ),
            link::Standing::Merging => because(
                "pending",
                "the next cycle merges what both sides changed".to_owned(),
            ),
            link::Standing::Partly {
                conflicts,
                problems,
                pending,
            } => because("not all in step", partly(*conflicts, *problems, *pending)),
            link::Standing::InStep => view("in step"),
            link::Standing::Left => because(
                "left",
                "the sides differ, and the mode leaves it so".to_owned(),
            ),
            link::Standing::Stays(side) => on(
                *side,
                because(
                    "stays",
                    "it went on the other side, and holds entries that are not synced".to_owned(),
                ),
            ),
            link::Standing::Nowhere => because("nowhere", "neither side has it".to_owned()),
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
