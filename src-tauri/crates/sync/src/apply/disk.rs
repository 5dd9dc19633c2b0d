//! When what is done is on disk.

use std::collections::BTreeSet;
use std::io;
use std::sync::mpsc::Receiver;
use std::thread;

use mizzen_sync_core::{Change, Node, RelPath};

use super::moved::Moves;
use super::write_back::WriteBack;
use super::{Durability, is_gone};
use crate::root::{Directory, Root, Way};
use crate::trash::Cycle;

/// So few entries are put on disk one by one; for more of them the whole file system is.
const FEW: u64 = 16;
/// So few directories as well, once what is in their new files is.
const FEW_DIRS: usize = 16;

/// How what was done gets on disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flush {
    /// File by file and directory by directory.
    Each,
    /// With everything else of the file system.
    FileSystem,
    /// When the system likes.
    Never,
}

/// Brings what is done to the disk itself.
pub(super) struct Disk<'a> {
    root: &'a Root,
    cycle: &'a Cycle,
    flush: Flush,
    /// Whether nothing goes: then there is nothing in the trash but the plan.
    only_creates: bool,
}

impl<'a> Disk<'a> {
    pub(super) fn new(
        root: &'a Root,
        cycle: &'a Cycle,
        changes: &[Change],
        moves: &Moves,
        durability: Durability,
    ) -> Self {
        let only_creates = changes.iter().all(|change| change.old.is_none());
        let changes = changes.iter().enumerate();
        let entries = changes.map(|(number, change)| {
            match moves.goes(number) || moves.comes(number) {
                // Of a directory that is moved whole, the name alone.
                true => 1,
                false => change.old.iter().chain(&change.new).map(Node::count).sum(),
            }
        });
        let flush = match durability {
            Durability::None => Flush::Never,
            Durability::Data if !cfg!(target_os = "linux") => Flush::Each,
            Durability::Data if entries.sum::<u64>() <= FEW => Flush::Each,
            Durability::Data => Flush::FileSystem,
        };
        Self {
            root,
            cycle,
            flush,
            only_creates,
        }
    }

    pub(super) fn syncs_each(&self) -> bool {
        self.flush == Flush::Each
    }

    /// Whether there is still a root at all.
    pub(super) fn check_root(&self) -> io::Result<()> {
        match self.root.stands() {
            true => Ok(()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Lets something be made ready while the plan gets on disk, or what of it is ready already: a disk takes both at
    /// once in the time of one. Says what the disk did not take.
    pub(super) fn sync_beside<T>(
        &self,
        make_ready: impl FnOnce(&WriteBack) -> T,
    ) -> (T, io::Result<()>) {
        match self.flush {
            Flush::Never => (make_ready(&WriteBack::never()), Ok(())),
            Flush::Each => thread::scope(|scope| {
                let planned = scope.spawn(|| self.cycle.sync());
                let ready = make_ready(&WriteBack::never());
                (ready, planned.join().expect("BUG: a sync panicked"))
            }),
            Flush::FileSystem => thread::scope(|scope| {
                let (write_back, told) = WriteBack::told();
                // The system tells one time only what a disk did not take.
                let all = |told: Receiver<()>| {
                    told.iter()
                        .try_for_each(|()| self.root.handle().sync_file_system())
                };
                let written = scope.spawn(move || all(told));
                let ready = make_ready(&write_back);
                drop(write_back);
                (ready, written.join().expect("BUG: a sync panicked"))
            }),
        }
    }

    /// The plan and new contents are on disk; with [`Flush::Each`] they are already.
    pub(super) fn sync_new(&self) -> io::Result<()> {
        match self.flush {
            Flush::FileSystem => self.sync_file_systems(),
            Flush::Each | Flush::Never => Ok(()),
        }
    }

    /// So are the names in these directories, and the trash.
    pub(super) fn sync_names(&self, way: &mut Way, dirs: &BTreeSet<RelPath>) -> io::Result<()> {
        match self.flush {
            Flush::Each => self.sync_each(way, dirs),
            // Known here: what is in new directories is on disk already. What others write meanwhile is not waited for.
            Flush::FileSystem if self.only_creates && dirs.len() <= FEW_DIRS => {
                self.sync_each(way, dirs)
            }
            Flush::FileSystem => self.sync_file_systems(),
            Flush::Never => Ok(()),
        }
    }

    fn sync_each(&self, way: &mut Way, dirs: &BTreeSet<RelPath>) -> io::Result<()> {
        for dir in dirs {
            match way.to(dir) {
                Ok(dir) => dir.sync()?,
                // It went itself.
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        self.cycle.handle().sync()
    }

    fn sync_file_systems(&self) -> io::Result<()> {
        let (root, trash) = (self.root.handle(), self.cycle.handle());
        root.sync_file_system()?;
        if trash.file_system()? == root.file_system()? {
            return Ok(());
        }
        trash.sync_file_system()
    }
}
