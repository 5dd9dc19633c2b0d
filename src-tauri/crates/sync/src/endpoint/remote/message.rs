//! What both ends say to each other.
//!
//! Bytes that make no sense are refused where they become what a link speaks of: beyond it, a path is a path and a tree a
//! tree.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::few::few;
use super::place::{Changed, Edited, Place};
use super::refused::Refused;
use super::texts::Texts;
use super::wanted::Wanted;
use crate::apply::Durability;
use crate::endpoint::LocalOptions;
use crate::root::RootId;
use crate::scan::Links;
use crate::trash::{CycleId, Past, PastChange, Was};

/// What a link asks the other end for.
#[derive(Serialize, Deserialize)]
pub(super) enum Ask {
    /// First of all: which folder it is about.
    Open(OpenSide),
    Obey(Texts),
    Watch,
    Look {
        #[serde(deserialize_with = "few")]
        dirty: Vec<Place>,
        /// Whether all is told, not only what is new.
        whole: bool,
    },
    Apply {
        cycle: i64,
        #[serde(deserialize_with = "few")]
        changes: Vec<Changed>,
    },
    /// Contents, in this order.
    Want(#[serde(deserialize_with = "few")] Vec<Wanted>),
    History {
        before: Option<i64>,
        of: Option<Place>,
        most: u64,
    },
    TakeBack {
        cycle: i64,
        what: i64,
        at: Option<Place>,
    },
    Rest,
    /// Before one is opened: where a folder is, and what its settings say.
    Folder(PathBuf),
    /// What the folder's own files say that is carried: all of it, or only when it is not what was told last.
    Rules {
        profile: Option<String>,
        anew: bool,
    },
    /// As [`Self::Open`], by one of several links that the folder may have.
    OpenFor {
        side: OpenSide,
        /// What tells the link from the others.
        link: String,
    },
    /// How many more bytes the disk takes.
    Room,
}

/// What the other end says.
#[derive(Serialize, Deserialize)]
pub(super) enum Told {
    Done,
    Refused(Refused),
    Looked(View),
    /// While it applies: contents, in this order.
    Want(#[serde(deserialize_with = "few")] Vec<Wanted>),
    Applied(Done),
    History(#[serde(deserialize_with = "few")] Vec<Gone>),
    TakenBack(Option<Back>),
    Folder {
        /// Without links in it.
        path: PathBuf,
        /// The text of the settings file.
        settings: String,
    },
    Rules(Option<Texts>),
    Room(Option<u64>),
}

/// A folder that the other end is asked to serve, and how it looks at it and writes to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSide {
    /// The folder, absolute.
    pub path: PathBuf,
    /// Larger files are problems.
    pub size_max: u64,
    /// What becomes of symbolic links.
    pub links: Links,
    /// Whether files are searched for keys and tokens.
    pub look_for_secrets: bool,
    /// What survives a power cut.
    pub durability: Durability,
}

/// What was seen, as far as it is not what was told before.
#[derive(Serialize, Deserialize)]
pub(super) struct View {
    /// Whether the root is there.
    pub(super) stands: bool,
    #[serde(deserialize_with = "few")]
    pub(super) edits: Vec<Edited>,
    pub(super) hashed: u64,
    #[serde(deserialize_with = "few")]
    pub(super) withheld: Vec<Place>,
    pub(super) polling: Option<String>,
    /// Which folder it is.
    pub(super) root: Option<RootId>,
}

/// What was carried out of a plan.
#[derive(Serialize, Deserialize)]
pub(super) struct Done {
    /// Places, and whether something stands there now. What it is says the plan.
    #[serde(deserialize_with = "few")]
    pub(super) done: Vec<(Place, bool)>,
    #[serde(deserialize_with = "few")]
    pub(super) failed: Vec<(Place, Cause)>,
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) reused: u64,
    pub(super) cycle: Option<i64>,
    /// Where and why it ended early.
    pub(super) ended: Option<(PathBuf, String)>,
}

/// A cycle of the past.
#[derive(Serialize, Deserialize)]
pub(super) struct Gone {
    id: i64,
    #[serde(deserialize_with = "few")]
    changes: Vec<(Place, WasDone)>,
    places: u64,
    files: u64,
    bytes: u64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum WasDone {
    Created,
    Replaced,
    Removed,
}

/// What was taken back.
#[derive(Serialize, Deserialize)]
pub(super) struct Back {
    /// What stands where now: there is no plan that says it.
    #[serde(deserialize_with = "few")]
    pub(super) now: Vec<Edited>,
    pub(super) done: Done,
    #[serde(deserialize_with = "few")]
    pub(super) refused: Vec<Place>,
}

/// Why nothing was done at a place.
#[derive(Serialize, Deserialize)]
pub(super) enum Cause {
    ChangedHere,
    ChangedThere,
    NotEmpty,
    Unsyncable(u8),
    Supply(String),
    System(String),
}

impl OpenSide {
    /// A folder that is looked at and written to like one of this machine.
    #[must_use]
    pub fn like(local: &LocalOptions, path: PathBuf) -> Self {
        Self {
            path,
            size_max: local.size_max,
            links: local.links,
            look_for_secrets: local.look_for_secrets,
            durability: local.durability,
        }
    }
}

impl From<&Past> for Gone {
    fn from(past: &Past) -> Self {
        let changes = past.changes.iter().map(|change| {
            let was = match change.was {
                Was::Created => WasDone::Created,
                Was::Replaced => WasDone::Replaced,
                Was::Removed => WasDone::Removed,
            };
            (Place::from(&change.path), was)
        });
        Self {
            id: past.id.0,
            changes: changes.collect(),
            places: past.places,
            files: past.files,
            bytes: past.bytes,
        }
    }
}

impl Gone {
    pub(super) fn past(&self) -> io::Result<Past> {
        let changes = self.changes.iter().map(|(place, was)| {
            let was = match was {
                WasDone::Created => Was::Created,
                WasDone::Replaced => Was::Replaced,
                WasDone::Removed => Was::Removed,
            };
            let path = place.path()?;
            Ok(PastChange { path, was })
        });
        Ok(Past {
            id: CycleId(self.id),
            changes: changes.collect::<io::Result<_>>()?,
            places: self.places,
            files: self.files,
            bytes: self.bytes,
        })
    }
}
