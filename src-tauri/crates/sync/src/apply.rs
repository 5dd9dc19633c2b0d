//! Carries out what a cycle decided for one side.
//!
//! What is new is made ready first, beside its place and under a name that is no entry. Then each change takes its
//! place by one rename, and what it displaces is looked at once more, by then out of everybody's reach, before it goes
//! to the trash. What is not what was seen is put back.

mod contents;
mod disk;
mod displace;
mod expected;
mod fill;
mod moved;
mod names;
mod order;
mod publish;
mod second_name;
mod sink;
mod stage;
mod write_back;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use mizzen_sync_core::{Edit, Plan, RelPath, Unsyncable};
use serde::{Deserialize, Serialize};

use crate::root::{DirHandle, Root, Way, is_shortage};
use crate::scan::{Links, Made, Scan};
use crate::trash::{CycleId, Trash};

pub use contents::{Contents, FromRoot, PartHere, Supply, SupplyError, Wish};

pub(crate) use contents::{Behind, FromHandle};
pub(crate) use order::{all_new, gathered};
pub(crate) use publish::{as_made, discard};

use disk::Disk;
use moved::Moves;
use publish::Publish;
use stage::Stage;

/// How changes are carried out.
#[derive(Clone, Copy, Debug)]
pub struct ApplyOptions {
    /// What new entries are not allowed: bits as of `umask`.
    pub umask: u32,
    /// Which symbolic links are made: whatever the other side says, no others.
    pub links: Links,
    /// What survives a power cut.
    pub durability: Durability,
    /// What the trash calls it.
    pub cycle: CycleId,
    /// Whether a directory that only gets another name is moved as a whole.
    pub moves_whole: bool,
}

/// What survives a power cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Durability {
    /// All that is told to be done. New contents are on disk before anything is replaced by them.
    #[default]
    Data,
    /// What the system has put on disk by then.
    None,
}

/// What was carried out.
#[derive(Debug, Default)]
pub struct Applied {
    /// What this side holds now: all of it, and nothing else, may go into the base.
    pub done: Vec<Edit>,
    /// Places that are left as they were, each with all below it.
    pub failed: Vec<Failure>,
    /// Files whose contents came from the other side.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files whose contents this side held already.
    pub reused: u64,
    /// What the trash calls this, when anything was touched.
    pub cycle: Option<CycleId>,
    /// Files that were made, as the next look will find them.
    pub(crate) made: Made,
    /// Whether the file system let no directory be moved from one place to another.
    pub(crate) moves_nothing_whole: bool,
}

/// A place where nothing was done.
#[derive(Debug)]
pub struct Failure {
    /// The place.
    pub path: RelPath,
    /// Why not.
    pub why: Why,
}

/// Why nothing was done at a place.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// What stands there is not what was seen.
    #[error("it has changed here meanwhile")]
    ChangedHere,
    /// The other side does not hold the contents any more.
    #[error("it has changed on the other side meanwhile")]
    ChangedThere,
    /// A directory goes, but not what is in it and is not synced.
    #[error("it holds entries that are not synced")]
    NotEmpty,
    /// It cannot be carried.
    #[error("{0}")]
    Unsyncable(Unsyncable),
    /// The other side cannot hand over contents any more.
    #[error(transparent)]
    Supply(io::Error),
    /// The system says no.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Changes could not be carried out as a whole; those that were are told.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct ApplyError {
    /// The root, or the place below it where it ended.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
    /// What was carried out before.
    pub applied: Box<Applied>,
}

impl Why {
    /// Whether it is about all that is left to do.
    fn is_shortage(&self) -> bool {
        match self {
            Self::Supply(_) => true,
            Self::System(error) => is_shortage(error),
            Self::ChangedHere | Self::ChangedThere | Self::NotEmpty | Self::Unsyncable(_) => false,
        }
    }
}

/// Carries out a plan for one side, of which `before` was seen. It blocks.
///
/// A place that cannot be dealt with is left as it is and told; all others go on.
///
/// # Errors
/// There is not enough of something, or the root is gone. What was done until then is told as well.
pub fn apply(
    root: &Root,
    plan: &Plan,
    before: &Scan,
    contents: &dyn Contents,
    trash: &Trash,
    options: &ApplyOptions,
) -> Result<Applied, ApplyError> {
    let (changes, failed) = names::told_apart(root, order::gathered(plan), before);
    if changes.is_empty() {
        return Ok(Applied {
            failed,
            ..Applied::default()
        });
    }
    let durable = options.durability == Durability::Data;
    let cycle = trash.begin(options.cycle, &changes, durable);
    let cycle = cycle.map_err(|source| ApplyError {
        path: trash.path().to_owned(),
        source,
        applied: Box::default(),
    })?;
    let moves = match options.moves_whole {
        true => Moves::find(root, &changes, before, options.links),
        false => Moves::default(),
    };
    let here = order::found_here(&changes, &moves, before);
    let shelf = trash.shelf(root);
    if contents.suppliers() == 1 {
        contents.expect(order::wanted(&changes, &moves, &here, &shelf));
    }
    let disk = Disk::new(root, &cycle, &changes, &moves, options.durability);
    let (staged, planned) = disk.sync_beside(|write_back| {
        let stage = Stage {
            root,
            contents,
            moves: &moves,
            here: &here,
            shelf: &shelf,
            cycle: &cycle,
            options,
            sync_each: disk.syncs_each(),
            write_back,
            report: stage::Report::default(),
        };
        stage.run(&changes)
    });
    let mut publish = Publish::new(root, &changes, before, &here, &moves, &cycle, staged);
    publish.shelf = contents.is_far().then_some(&shelf);
    let ended = publish.run(&disk, planned);
    let Publish {
        mut applied,
        untidy,
        touched,
        ..
    } = publish;
    applied.failed.extend(failed);
    applied.cycle = (!touched.is_empty()).then_some(cycle.id);
    // One that is not finished is looked through for leftovers.
    if !untidy {
        let _ = cycle.finish(!touched.is_empty());
    }
    match ended {
        Ok(()) => {
            if contents.is_far() {
                shelf.clear();
            }
            Ok(applied)
        }
        Err((path, source)) => Err(ApplyError {
            path: match path.is_root() {
                true => root.path().to_owned(),
                false => root.path().join(path.to_string()),
            },
            source,
            applied: Box::new(applied),
        }),
    }
}

/// The directory in which an entry stands, and its name there.
fn place<'p>(way: &mut Way, path: &'p RelPath) -> Result<(Arc<DirHandle>, &'p [u8]), Why> {
    let (Some(parent), Some(name)) = (path.parent(), path.components().last()) else {
        // The root itself is nobody's entry.
        return Err(Why::System(io::ErrorKind::InvalidInput.into()));
    };
    match way.to(&parent) {
        Ok(dir) => Ok((dir.clone(), name)),
        Err(error) => Err(gone_or(error)),
    }
}

/// What it means that an entry that was seen cannot be reached.
fn gone_or(error: io::Error) -> Why {
    if is_gone(&error) {
        Why::ChangedHere
    } else {
        Why::System(error)
    }
}

/// Whether an entry, or a directory above it, is not there any more.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotADirectory | NotFound)
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
